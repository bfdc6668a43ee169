"""A real Tryton in the place of the one in memory: the same stories, turns and oracle; its own database notes every write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import psycopg
import pyarrow as pa

from accord.categories import Category
from accord.errors import Recovery, Unavailable
from accord.objects.definition import BusinessObject, Owner
from accord.ports import Safety, Sending, Target
from accord.systems.results import Outcome, results, unanswered
from sandbox.erp.server import Erp
from tests.fakes import Write
from tests.faults.simulator.schedule import Action, Edit, Lock, Schedule, Start
from tests.faults.simulator.stage import CURRENT, LONGEST, Stage
from tests.faults.simulator.systems import Hasty
from tests.integration.real import watching
from tests.integration.real.oracle import tryton_customers

Look = Callable[[list[str]], Mapping[str, list[dict[str, Any]]]]


@dataclass(slots=True, kw_only=True)
class Unasked:
    """The dispatch of a request that takes effect when nobody waits for it any more."""

    dispatch: int

    def before_request(self) -> None:
        pass

    def remember_remote(self, remote: str) -> None:
        pass


@dataclass(slots=True, kw_only=True)
class RealTarget:
    """A target that several processes come to in turns: the real adapter, and what the ERP itself says and notes.

    `look`: keys → what the ERP holds of each, read past Accord; `dsn`: the ERP's watched database.
    """

    name: str
    adapter: Target
    stage: Stage
    look: Look
    dsn: str
    side: Owner = Owner.ERP
    longest_request: timedelta = LONGEST
    down: bool = False
    answers: list[str] = field(default_factory=list)
    locks: set[str] = field(default_factory=set)
    writes: list[Write] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    @property
    def records(self) -> dict[str, dict[str, dict[str, Any]]]:
        """What the ERP holds of every customer it was ever asked for."""
        held = self.look(sorted(self.asked))
        return {"customer": {f"{key}#{n}": one | {"key": key} for key in held for n, one in enumerate(held[key])}}

    def safety(self, definition: BusinessObject) -> Safety:
        return self.adapter.safety(definition)

    def keeps(self, definition: BusinessObject) -> frozenset[str]:
        return self.adapter.keeps(definition)

    def collapse(self, definition: BusinessObject, table: pa.Table) -> pa.Table:
        return self.adapter.collapse(definition, table)

    def find_matches(self, definition: BusinessObject, candidates: pa.Table) -> pa.Table:
        self._connect()
        return self.adapter.find_matches(definition, candidates)

    def read_back(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        process = CURRENT.process
        assert process
        process.point()
        self._connect()
        return self.adapter.read_back(definition, wanted)

    def remote_ended(self, remote: str) -> bool:
        return True

    def close(self) -> None:
        """The adapter is the test's."""

    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        process = CURRENT.process
        assert process
        process.point()
        self._connect()
        answer = self.answers.pop(0) if self.answers else None
        if answer:
            self.stage.happened[answer] += 1
        locked = answer == "locked" or bool(self.locks.intersection(changes["key"].to_pylist()))
        if answer == "unavailable":
            raise Unavailable(f"{self.name} can't be reached.", cure="Start it.")
        hasty = Hasty(sending, process)
        try:
            if locked:
                return _all(changes, Outcome(outcome=Recovery.RETRY, native=None, category=Category.LOCKED))
            if answer in ("drop before commit", "late"):
                hasty.before_request()
                if answer == "late":
                    self.stage.at(
                        self.stage.now + 0.5 * LONGEST.total_seconds(),
                        lambda: self._send(definition, changes, Unasked(dispatch=sending.dispatch)),
                    )
                return _all(changes, unanswered(None))
            told = self._send(definition, changes, hasty)
        finally:
            process.hasty = False
        process.point()
        return _all(changes, unanswered(None)) if answer == "drop after commit" else told

    def _connect(self) -> None:
        if self.down:
            raise Unavailable(f"{self.name} can't be reached.", cure="Start it.")

    def _send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        keys = changes["key"].to_pylist()
        self.asked.update(keys)
        since = watching.now(self.dsn)
        try:
            return self.adapter.send(definition, changes, sending)
        finally:
            self._note(definition, keys, since, sending.dispatch)

    def _note(self, definition: BusinessObject, keys: list[str], since: int, dispatch: int) -> None:
        noted = watching.noted(self.dsn, since)
        written = {whose for _, _, whose in noted}
        codes = {key.partition(":")[2]: key for key in keys}
        with psycopg.connect(self.dsn) as session:
            rows = session.execute("SELECT code, id::text FROM party_party WHERE code = ANY(%s)", [list(codes)])
            touched = {codes[code] for code, party in rows if written & {code, party}}
        held = self.look(sorted(touched))
        for key in sorted(touched):
            there = held[key][0]
            created = noted["party_party", "INSERT", key.partition(":")[2]]
            for n in range(max(created, 1)):
                self.writes.append(
                    Write(object=definition.name, key=key, native="", created=n < created,
                          fields={} if there["gone"] else there, dispatch=dispatch)
                )  # fmt: skip


def _all(changes: pa.Table, outcome: Outcome) -> pa.Table:
    natives = zip(changes["key"].to_pylist(), changes["native"].to_pylist(), strict=True)
    return results((key, replace(outcome, native=native)) for key, native in natives)


def parties(erp: Erp) -> Look:
    """What Tryton itself says of customers, over its own interface."""

    def look(keys: list[str]) -> dict[str, list[dict[str, Any]]]:
        found = tryton_customers(SimpleNamespace(erp=erp), [key.partition(":")[2] for key in keys])  # type: ignore[arg-type]  # all it needs
        return {
            key: [
                {
                    "gone": not party["active"],
                    "name": party["legal_name"],
                    "parent": party["parent"] and f"salesforce:{party['parent']}",
                }
                | {name: party[name] for name in ("phone", "website")}
                for party in found.get(key.partition(":")[2], [])
            ]
            for key in keys
        }

    return look


def apart(schedule: Schedule, prefix: str) -> Schedule:
    """The same story of other customers, in an ERP that has those of other stories."""
    return replace(schedule, actions=tuple(_renamed(action, prefix) for action in schedule.actions), chunk_rows=6)


def _renamed(action: Action, prefix: str) -> Action:
    def key(old: str | None) -> str | None:
        return old and f"salesforce:{prefix}{old.partition(':')[2]}"

    match action:
        case Edit():
            values = action.values | {
                name: key(action.values[name]) for name in ("parent", "merged_into") if name in action.values
            }
            if "name" in values:
                values["name"] = f"{prefix} {values['name']}"
            return replace(action, native=prefix + action.native, values=values)
        case Lock():
            return replace(action, key=key(action.key))
        case Start():
            return replace(action, keys=tuple(prefix + one for one in action.keys))
    return action
