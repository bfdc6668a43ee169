"""A real Tryton in the place of the one in memory: its own database notes every write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import psycopg

from sandbox.erp.server import Erp
from tests.fakes import Write
from tests.faults.simulator.real import Held
from tests.faults.simulator.schedule import Action, Edit, Lock, Schedule, Start
from tests.integration.real import watching
from tests.integration.real.oracle import tryton_customers


@dataclass(slots=True)
class Parties:
    """What a Tryton says of customers and what its watched database (`dsn`) noted of them. It has those of other stories too: only
    those that were asked for are looked at."""

    erp: Erp
    dsn: str
    _asked: set[str] = field(default_factory=set)
    _seen: int = 0

    def __post_init__(self) -> None:
        self._seen = watching.now(self.dsn)

    def held(self) -> Held:
        """Every customer it was ever asked for."""
        held = _look(self.erp, sorted(self._asked))
        return {"customer": {f"{key}#{n}": one | {"key": key} for key in held for n, one in enumerate(held[key])}}

    def noted(self, keys: Sequence[str], dispatch: int) -> Iterator[Write]:
        """What took effect since it was last asked, of `keys`."""
        self._asked.update(keys)
        since, self._seen = self._seen, watching.now(self.dsn)
        noted = watching.noted(self.dsn, since)
        written = {whose for _, _, whose in noted}
        codes = {key.partition(":")[2]: key for key in keys}
        with psycopg.connect(self.dsn) as session:
            rows = session.execute("SELECT code, id::text FROM party_party WHERE code = ANY(%s)", [list(codes)])
            touched = {codes[code] for code, party in rows if written & {code, party}}
        held = _look(self.erp, sorted(touched))
        for key in sorted(touched):
            there = held[key][0]
            created = noted["party_party", "INSERT", key.partition(":")[2]]
            fields = {} if there["gone"] else there
            for n in range(max(created, 1)):
                yield Write(
                    object="customer", key=key, native="", created=n < created, fields=fields, dispatch=dispatch
                )


def _look(erp: Erp, keys: list[str]) -> dict[str, list[dict[str, Any]]]:
    """What Tryton itself says of customers, over its own interface."""
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
