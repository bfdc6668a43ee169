"""A schedule happens: the real pipeline and a real hub, between systems in memory."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from accord.batch import Staging
from accord.breaker import Failure, Patience, Rules
from accord.errors import AccordError, SystemShut
from accord.flows import Flow, flow
from accord.hub import Hub, dispatches
from accord.objects import business_object
from accord.objects.definition import Owner
from accord.pipeline import acknowledge, flow_run, insist, load, recover, runs
from accord.pipeline.flow_run import run_flow
from accord.pipeline.reconcile import reconcile
from accord.pipeline.runs import Params, RunKind
from accord.runtime import Accord
from tests.faults.simulator import schedule as story
from tests.faults.simulator.oracle import Account, Evidence, Note, Verdict, judge
from tests.faults.simulator.schedule import TICK, Action, Answers, Edit, Hiccups, Lock, Outage, Schedule, Stall, Start
from tests.faults.simulator.stage import (
    HUB_CLOCK,
    LEASE,
    LONGEST,
    AtOnce,
    Killed,
    Process,
    Stage,
    StagedHub,
    VirtualDatetime,
    VirtualTime,
)
from tests.faults.simulator.systems import StagedSource, StagedTarget
from tests.world import TwoWay

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
UNKNOWN = "001000000000000AAA"  # an id nobody has
ROUNDS = 8  # of every flow, after which nothing may be left to do
FLOWS: dict[str, Flow] = {
    story.TO_TRYTON: replace(flow("customer__salesforce_to_erp"), targets=("tryton",), status=None),
    story.TO_BOTH: replace(flow("customer__salesforce_to_erp"), status=None),
    story.TOLD: replace(flow("customer__salesforce_to_erp"), targets=("tryton",)),
    story.ORDERS: replace(flow("order__salesforce_to_erp"), targets=("tryton",), status=None),
    story.TO_LEGACY: replace(flow("customer__salesforce_to_erp"), targets=("legacy",), status=None),
    story.TOLD_OF_LEGACY: replace(flow("customer__salesforce_to_erp"), targets=("legacy",)),
    story.INVOICES: flow("invoice__tryton_to_salesforce"),
}
FLOWS = {name: replace(one, name=name) for name, one in FLOWS.items()}
# an outage opens a breaker at once, so that most stories have one; one answer that stays away does not
_AT_ONCE = Patience(failures=1, pause=timedelta(seconds=15), longest=timedelta(seconds=60))
RULES = Rules(
    patience=Rules().patience | {Failure.OUTAGE: _AT_ONCE}, probe=timedelta(seconds=20), stay=timedelta(seconds=60)
)
TABLES = (
    "flow, run, comparison, dispatch, link, delivery, exception, gate_result, gate_verdict, finding, audit, unlinked, "
    "identity, staying, edit, distinction, system, admission, reconciliation, "
    "difference, image, change"
)

_FIRST_LOOK = import_module("accord.pipeline.reconcile.first_look")  # the package gives its function that name


@dataclass(slots=True)
class Played:
    """How a story ended."""

    schedule: Schedule
    verdict: Verdict
    happened: Counter[str]
    runs: int
    diary: list[str]


def in_memory_source(name: str, stage: Stage, schedule: Schedule) -> StagedSource:
    """A source of the story."""
    return StagedSource(name=name, side=_side(name), stage=stage, skew=schedule.source_skew)


def in_memory_target(name: str, stage: Stage, schedule: Schedule) -> StagedTarget:
    """A target of the story."""
    return StagedTarget(
        name=name, side=_side(name), lacks=frozenset({"currency"} if name == "tryton" else ()), stage=stage, longest_request=LONGEST,
        enforces_key=schedule.enforces_key or name == "salesforce", request_size=schedule.request_size,
    )  # fmt: skip


def _side(name: str) -> Owner:
    return Owner.SALESFORCE if name == "salesforce" else Owner.ERP


@contextmanager
def virtual() -> Iterator[None]:
    """The pipeline without gates, in the time of the stage."""
    time = VirtualTime()
    with ExitStack() as stack:
        for module in (load, insist, recover, dispatches, flow_run):
            stack.enter_context(patch.object(module, "time", time))
        for module in (runs, acknowledge, load):
            stack.enter_context(patch.object(module, "datetime", VirtualDatetime))
        stack.enter_context(patch.object(_FIRST_LOOK, "ThreadPoolExecutor", AtOnce))
        stack.enter_context(patch.object(flow_run, "gate", lambda *_: {}))
        yield


class StagedAccord(Accord):
    """A process's composition root."""

    staged: StagedHub

    @property
    def hub(self) -> Hub:
        return self.staged


# how a system that is not in memory enters a story: empty, and in the story's time
Enter = Callable[[Stage, Schedule], TwoWay]


@dataclass(slots=True)
class Theatre:
    """A hub and a folder that any number of stories use one after the other. `real`: systems that are not in memory."""

    address: str
    folder: Path
    real: Mapping[str, Enter] = field(default_factory=dict)
    hub: Hub = field(init=False)

    def __post_init__(self) -> None:
        with Hub(self.address).session() as session:
            session.execute(HUB_CLOCK)
        self.hub = Hub(self.address)

    def play(self, schedule: Schedule) -> Played:
        """Let it happen, set everything right, and judge."""
        with self.hub.session() as session:
            session.execute(f"TRUNCATE {TABLES} RESTART IDENTITY CASCADE")  # type: ignore[arg-type]  # names of ours
        shutil.rmtree(self.folder / "staging", ignore_errors=True)
        with virtual():
            playing = Playing(self, schedule)
            try:
                return playing.play()
            finally:
                playing.stage.close()

    def close(self) -> None:
        self.hub.close()


class Playing:
    """One story on its way."""

    def __init__(self, theatre: Theatre, schedule: Schedule) -> None:
        self.theatre, self.schedule = theatre, schedule
        self.stage = Stage(schedule.seed, BEGIN, hub_skew=schedule.hub_skew, worker_skew=schedule.worker_skew)
        self.systems = {name: self._system(name) for name in ("salesforce", "tryton", "legacy")}
        self.said: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        self.attempts: dict[str, list[str]] = defaultdict(list)
        self.watermarks: dict[str, list[Any]] = defaultdict(list)
        self.crashed: list[str] = []
        self.errors: Counter[str] = Counter()

    def _system(self, name: str) -> TwoWay:
        if name in self.theatre.real:
            return self.theatre.real[name](self.stage, self.schedule)
        return TwoWay(
            in_memory_source(name, self.stage, self.schedule), in_memory_target(name, self.stage, self.schedule)
        )

    def play(self) -> Played:
        for action in self.schedule.actions:
            self.stage.at(action.at, partial(self._happen, action))
        self.stage.play()
        last = self._set_right()
        verdict = judge(self._evidence(last))
        runs = sum(map(len, self.attempts.values()))
        return Played(self.schedule, verdict, self.stage.happened, runs, self.stage.diary)

    # ------------------------------------------------------------------------------------------------ what happens
    def _happen(self, action: Action) -> None:
        self.stage.note(str(action))
        match action:
            case Edit():
                self._edit(action)
            case Start():
                self._start(action)
            case Answers():
                self._target(action.system).answers += action.faults
            case Stall():
                system = self.systems[action.system]
                (system.source if action.reading else system.target).stall = action.seconds
            case Outage():
                self.stage.happened["outage"] += 1
                self._down(action.system, True)
                self.stage.at(self.stage.now + action.seconds, partial(self._down, action.system, False))
            case Lock():
                locks, key = self._target(action.system).locks, self._key(action.key.partition(":")[2])
                if key:  # else nobody has it open
                    self.stage.happened["record locked"] += 1
                    locks.add(key)
                    self.stage.at(self.stage.now + action.seconds, partial(locks.discard, key))
            case Hiccups():
                self.systems["salesforce"].source.hiccups += action.faults

    def _target(self, name: str) -> Any:
        return self.systems[name].target

    def _down(self, name: str, down: bool) -> None:
        self.systems[name].target.down = self.systems[name].source.down = down

    def _edit(self, edit: Edit) -> None:
        system, known = self.systems["tryton" if edit.object == "invoice" else "salesforce"], {}
        if edit.object == "invoice" and "customer" in edit.values:
            customer = self._key(edit.values["customer"])
            party = customer and self.systems["tryton"].target.native(business_object("customer"), customer)
            if party is None:
                return  # nobody is billed whom the ERP does not know
            known = {"customer": customer}
            edit = replace(edit, values=edit.values | {"customer": f"tryton:{party}"})
        for key, state in system.source.tell(edit):
            states = self.said[edit.object, key]
            states.append((states[-1] if states else {"gone": False}) | state | known)

    def _key(self, name: str) -> str | None:
        """The key of the record of Salesforce that the story calls `name`."""
        native = self.systems["salesforce"].source.native(name)
        return native and f"salesforce:{native}"

    # ------------------------------------------------------------------------------------------------------- runs
    def _start(self, start: Start) -> Process:
        now = BEGIN + timedelta(seconds=start.at)
        interval = (now - timedelta(seconds=TICK), now) if start.kind in (RunKind.SCHEDULED, RunKind.BACKFILL) else None
        source = self.systems[FLOWS[start.flow].source].source
        params = Params(keys=tuple(source.native(name) or UNKNOWN for name in start.keys)) if start.keys else Params()
        name = f"{start.name}/{len(self.attempts[start.name]) + 1}"
        self.attempts[start.name].append(name)
        if start.strike is None and len(self.attempts[start.name]) > 1:
            self.stage.happened["run again"] += 1

        def work() -> None:
            accord = self._accord()
            which = FLOWS[start.flow]
            try:
                if start.kind is RunKind.RECONCILE:
                    for target in which.targets:
                        reconcile(accord, which, target=target, keys=start.keys)
                else:
                    run_flow(accord, which, kind=start.kind, engine_run=start.name, interval=interval, params=params)
            finally:
                accord.staged.close()

        process = Process(self.stage, name, work, start.strike, start.pace)
        process.after = partial(self._ended, start)
        if start.zombie and start.again is not None:
            self.stage.happened["two at once"] += 1
            self.stage.at(
                self.stage.now + start.again,
                partial(self._start, replace(start, strike=None, again=None, zombie=False)),
            )
        return process

    def _ended(self, start: Start, process: Process) -> None:
        for row in self._rows("SELECT name, watermark FROM flow WHERE watermark IS NOT NULL"):
            self.watermarks[row["name"]].append(row["watermark"])
        self.stage.note(f"{process.name} ends: {process.error!r}"[:200])
        if process.error is None:
            return
        self.errors[type(process.error).__name__] += 1
        if isinstance(process.error, SystemShut):
            self.stage.happened["kept away"] += 1
        if not isinstance(process.error, AccordError | Killed):
            self.crashed.append(f"{process.name} crashed: {process.error!r}"[:400])
        if start.again is not None and not start.zombie:
            self.stage.at(self.stage.now + start.again, partial(self._start, replace(start, strike=None, again=None)))

    def _accord(self) -> StagedAccord:
        accord = StagedAccord(
            connection_of=lambda name: SimpleNamespace(id=name, extra={}),  # type: ignore[arg-type,return-value]  # nobody connects
            staging=Staging(f"file://{self.theatre.folder}/staging"),
            reports=f"{self.theatre.folder}/reports",
            open_system=lambda name, _: self.systems[name],
            chunk_rows=self.schedule.chunk_rows,
            lease=LEASE,
            retries=2,
            backoff=0.1,
            rules=replace(RULES, spread=self.stage.random.random),
        )
        accord.staged = StagedHub(self.theatre.address, self.stage)
        return accord

    def _set_right(self) -> int:
        """Nothing goes wrong any more: the schedules go on until a round writes nothing. How much the last round wrote."""
        for name, system in self.systems.items():
            self._down(name, False)
            system.target.answers.clear()
            system.target.locks.clear()
            system.source.set_right()
        written, pause, shut = 0, TICK, None
        for number in range(ROUNDS):
            self.stage.move(self.stage.now + pause)
            before, pause, shut = self._written(), 30.0, None
            for name in self.schedule.flows:
                process = self._start(
                    Start(at=self.stage.now, name=f"round {number} of {name}", flow=name, kind=RunKind.SCHEDULED)
                )
                self.stage.play()
                if isinstance(process.error, SystemShut):  # its breaker waits longer: so does the schedule
                    shut, pause = process.error, max(pause, process.error.wait.total_seconds() + 1)
                elif process.error:
                    self.crashed.append(f"{process.name} failed: {process.error!r}"[:400])
            written = self._written() - before
            if number and not written and not shut:
                break
        if shut:
            self.crashed.append(f"still kept away: {shut!r}"[:400])
        return written

    def _written(self) -> int:
        return sum(len(system.target.writes) for system in self.systems.values())

    # --------------------------------------------------------------------------------------------------- evidence
    def _evidence(self, written_last: int) -> Evidence:
        told = {FLOWS[name].object: FLOWS[name].targets for name in self.schedule.flows}
        held: dict[str, dict[tuple[str, str], list[Any]]] = {}
        for name in {name for targets in told.values() for name in targets}:
            held[name] = defaultdict(list)
            for object_name, records in self.systems[name].target.records.items():
                if object_name in told:
                    for record in records.values():
                        held[name][object_name, record["key"]].append(record)
        noted = {
            name: [
                Note(object=w.object, key=w.key, created=w.created, fields=w.fields)
                for w in self.systems[name].target.writes
            ]
            for name in held
        }
        return Evidence(
            said=self.said,
            told=told,
            held=held,
            noted=noted,
            accounts=self._accounts(),
            unsettled=self._unsettled(),
            watermarks=list(self.watermarks.items()),
            written_last=written_last,
        )

    def _accounts(self) -> list[Account]:
        rows = self._rows(
            """SELECT r.engine_run, s.target, f.declaration ->> 'source' AS source, r.win_from, s.object,
                 coalesce((r.counts ->> 'superseded')::int, 0)
                 + (SELECT coalesce(sum(n::int), 0) FROM jsonb_each_text(c.counts) AS b(bucket, n) WHERE bucket <> 'changed')
                 + (SELECT coalesce(sum(n::int), 0) FROM dispatch d, jsonb_each_text(d.counts) AS b(bucket, n)
                    WHERE d.run = r.id AND d.stream = c.stream AND d.attempt = c.attempt) AS accounted
               FROM run r JOIN flow f ON f.name = r.flow JOIN comparison c ON c.run = r.id JOIN stream s ON s.id = c.stream
               WHERE r.state = 'succeeded' AND r.kind <> 'reconcile' AND s.object = f.declaration ->> 'object'"""
        )
        return [
            Account(
                run=row["engine_run"],
                target=row["target"],
                accounted=row["accounted"],
                gave=frozenset(
                    self._gave(row["source"], attempt, row["object"]) for attempt in self.attempts[row["engine_run"]]
                ),
            )
            for row in rows
        ]

    def _gave(self, source: str, attempt: str, object_name: str) -> int:
        return int(self.systems[source].source.gave[attempt, object_name])

    def _unsettled(self) -> list[str]:
        found = list(self.crashed)
        for row in self._rows("SELECT id FROM dispatch WHERE closed IS NULL"):
            found.append(f"dispatch {row['id']} is open")
        for row in self._rows("SELECT key FROM link WHERE dispatch IS NOT NULL"):
            found.append(f"{row['key']} is claimed")
        for row in self._rows("SELECT key, category FROM exception WHERE state <> 'closed'"):
            found.append(f"{row['key']} waits: {row['category']}")
        return found

    def _rows(self, query: str) -> list[dict[str, Any]]:
        with self.theatre.hub.session() as session:
            return session.execute(query.encode()).fetchall()
