"""Salesforce, two ERPs and a hub: the systems in memory, the hub real. A test says what the systems hold and runs flows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from accord.batch import Staging
from accord.flows import Flow, flow
from accord.hub import Hub
from accord.objects import CUSTOMER, CUSTOMER_ACCOUNT, CUSTOMER_STATUS
from accord.objects.definition import BusinessObject, Owner
from accord.pipeline import flow_run
from accord.pipeline.flow_run import run_flow
from accord.pipeline.runs import Params, RunKind
from accord.ports import Check, Safety, Selection, Sending, Sink
from accord.runtime import Accord
from accord.settings import Connection, dsn
from tests.fakes import FakeSource, FakeTarget, Write

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

CUSTOMERS = flow("customer__salesforce_to_erp")
TRYTON_ACCOUNTS = flow("customer_account__tryton_to_salesforce")


@dataclass(slots=True)
class TwoWay:
    """One system that is read and written, as every real one is. What is read and what was written are kept apart: a test
    moves from the one to the other what it wants to see come back."""

    source: FakeSource
    target: FakeTarget

    @property
    def name(self) -> str:
        return self.target.name

    @property
    def side(self) -> Owner:
        return self.target.side

    @property
    def longest_request(self) -> timedelta:
        return self.target.longest_request

    def check(self, definitions: Mapping[str, BusinessObject]) -> Iterator[Check]:
        return self.target.check(definitions)

    def close(self) -> None:
        self.target.close()

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        return self.source.extract(definition, selection, sink)

    def unreadable(self, definition: BusinessObject) -> Mapping[str, str]:
        return self.source.unreadable(definition)

    def unwritable(self, definition: BusinessObject) -> Mapping[str, str]:
        return self.target.unwritable(definition)

    def affected(self, definition: BusinessObject, natives: Sequence[str], selection: Selection) -> tuple[str, ...]:
        return self.source.affected(definition, natives, selection)

    def roots(self, definition: BusinessObject) -> tuple[str, ...]:
        return self.source.roots(definition)

    def required_columns(self, definition: BusinessObject) -> Mapping[str, Mapping[str, pa.DataType]]:
        return self.source.required_columns(definition)

    def to_canonical(self, definition: BusinessObject, staged: Mapping[str, pa.Table], read_at: datetime) -> pa.Table:
        return self.source.to_canonical(definition, staged, read_at)

    def native_of(self, definition: BusinessObject, key: str) -> str:
        return self.source.native_of(definition, key)

    def safety(self, definition: BusinessObject) -> Safety:
        return self.target.safety(definition)

    def keeps(self, definition: BusinessObject) -> frozenset[str]:
        return self.target.keeps(definition)

    def fills_in(self, definition: BusinessObject) -> frozenset[str]:
        return self.target.fills_in(definition)

    def collapse(self, definition: BusinessObject, table: pa.Table) -> pa.Table:
        return self.target.collapse(definition, table)

    def find_matches(self, definition: BusinessObject, candidates: pa.Table) -> pa.Table:
        return self.target.find_matches(definition, candidates)

    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        return self.target.send(definition, changes, sending)

    def read_back(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        return self.target.read_back(definition, wanted)

    def census(self, definition: BusinessObject) -> Iterator[pa.Table]:
        return self.target.census(definition)

    def remote_ended(self, remote: str) -> bool:
        return self.target.remote_ended(remote)


class QuickAccord(Accord):
    """A process whose hub keeps its connection."""

    kept: Hub

    @property
    def hub(self) -> Hub:
        return self.kept


class World:
    """Everything one test needs. `clock` is the time in the systems; every change moves it on by a second."""

    def __init__(self, hub: Connection, folder: Path) -> None:
        self.hub_connection, self.folder = hub, folder
        self.kept = [Hub(dsn(hub))]  # the first is the test's own
        self._right = hub
        self.extras: dict[str, dict[str, Any]] = {}  # connection → what its extra says
        self.clock = START
        soon = timedelta(milliseconds=20)
        self.systems = {
            name: TwoWay(
                FakeSource(name=name, side=side),
                FakeTarget(name=name, side=side, lacks=lacks, longest_request=soon),
            )
            for name, side, lacks in (
                ("salesforce", Owner.SALESFORCE, frozenset[str]()),
                ("tryton", Owner.ERP, frozenset({"currency"})),
                ("legacy", Owner.ERP, frozenset[str]()),
            )
        }
        self.source = self.systems["salesforce"].source
        self.salesforce = self.systems["salesforce"].target
        self.tryton = self.systems["tryton"].target
        self.legacy = self.systems["legacy"].target
        self._runs = 0

    # ---------------------------------------------------------------------------------------------------- the systems
    def tick(self, by: timedelta = timedelta(seconds=1)) -> datetime:
        self.clock += by
        for system in self.systems.values():
            system.source.now = self.clock
        return self.clock

    def customer(self, native: str, *, entities: Iterable[str] = ("NL01",), **values: Any) -> str:
        """Salesforce has a customer; gives its key."""
        usual: dict[str, Any] = {"name": f"Customer {native}", "country": "NL", "currency": "USD"}
        usual["legal_entities"] = sorted(entities)
        return self.source.put(CUSTOMER, native, at=self.tick(), **usual | values)

    def change(self, native: str, **values: Any) -> None:
        """Somebody changes the customer in Salesforce."""
        self.source.touch(CUSTOMER, native, at=self.tick(), **values)

    def account(self, number: str, party: str, *, balance: str = "100.00", **values: Any) -> str:
        """Tryton's books have an account of its party; gives its key."""
        usual = {
            "customer": f"tryton:{party}", "legal_entity": "NL01", "system": "tryton", "customer_number": number,
            "currency": "EUR", "credit_limit": "1000.00", "credit_hold": False, "balance": balance, "overdue": "0.00",
            "risk": "Low", "risk_level": 0, "active": True,
        }  # fmt: skip
        source = self.systems["tryton"].source
        return source.put(CUSTOMER_ACCOUNT, f"NL01/{number}", at=self.tick(), **usual | values)

    def status(self, key: str) -> tuple[str, str | None] | None:
        """(status, error) the customer shows in Salesforce."""
        for record in self.salesforce.held(CUSTOMER_STATUS, key):
            return record["status"], record["error"]
        return None

    def writes(self) -> int:
        """How many records took effect anywhere."""
        return sum(len(system.target.writes) for system in self.systems.values())

    def written(self, target: FakeTarget, key: str) -> list[Write]:
        return [write for write in target.writes if write.key == key]

    # ------------------------------------------------------------------------------------------------------ the flows
    def accord(self, **knobs: Any) -> Accord:
        """A composition root as one process has it."""
        usual: dict[str, Any] = {"chunk_rows": 1000, "lease": timedelta(seconds=5), "retries": 2, "backoff": 0.01}
        root = (
            QuickAccord if self.hub_connection == self._right else Accord
        )  # errors of a connection are the hub's to name
        accord = root(
            connection_of=lambda name: replace(self.hub_connection, extra=self.extras.get(name, {})),
            staging=Staging(f"file://{self.folder}/staging"),
            reports=f"{self.folder}/reports",
            open_system=lambda name, _: self.systems[name],
            **usual | knobs,
        )
        if isinstance(accord, QuickAccord):
            accord.kept = Hub(dsn(self._right))
            self.kept.append(accord.kept)
        return accord

    def close(self) -> None:
        for hub in self.kept:
            hub.close()

    def interval(self) -> tuple[datetime, datetime]:
        """The data interval a schedule would give now: the last ten minutes."""
        return self.clock - 10 * MINUTE, self.clock

    def run(
        self,
        which: Flow = CUSTOMERS,
        *,
        kind: RunKind = RunKind.SCHEDULED,
        engine_run: str | None = None,
        params: Params | None = None,
        interval: tuple[datetime | None, datetime | None] | None = None,
        accord: Accord | None = None,
    ) -> dict[str, Any]:
        """Run a flow as its schedule would, a minute after the last change."""
        self._runs += 1
        self.tick(MINUTE)
        return run_flow(
            accord or self.accord(),
            which,
            kind=kind,
            engine_run=engine_run or f"run {self._runs}",
            params=params,
            interval=interval or self.interval(),
        )

    # -------------------------------------------------------------------------------------------------------- the hub
    def rows(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        """What the hub answers."""
        with self.kept[0].session() as session:
            return session.execute(query.encode(), arguments).fetchall()

    def exceptions(self, **wanted: Any) -> list[dict[str, Any]]:
        """Open exceptions, those whose columns are `wanted`."""
        found = self.rows("SELECT * FROM exception WHERE state <> 'closed' ORDER BY id")
        return [row for row in found if all(row[name] == value for name, value in wanted.items())]

    def watermark(self, which: Flow = CUSTOMERS) -> datetime | None:
        found = self.rows("SELECT watermark FROM flow WHERE name = %s", which.name)
        return found[0]["watermark"] if found else None


def counts(summary: Mapping[str, Any], target: str) -> dict[str, int]:
    """How a run's records fared in one target, by bucket."""
    return dict(summary["targets"][target]["counts"])


@pytest.fixture
def world(hub: Connection, tmp_path: Path) -> Iterator[World]:
    world = World(hub, tmp_path)
    yield world
    world.close()


@pytest.fixture
def open_gates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gates that let everything pass, where they are not what is tested: Great Expectations takes half of a run's time."""
    monkeypatch.setattr(flow_run, "gate", lambda *_: {})
