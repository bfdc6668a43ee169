"""The systems of a story: those in memory, with points where a process may be struck, and answers that come late or never."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import pyarrow as pa

from accord.objects import business_object
from accord.objects.definition import BusinessObject
from accord.ports import Selection, Sending, Sink
from accord.systems.results import Outcome, unanswered
from tests.fakes import FakeSource, FakeTarget, Fault
from tests.faults.simulator.schedule import Edit
from tests.faults.simulator.stage import CURRENT, LONGEST, Process, Stage

State = dict[str, Any]


def here() -> Process:
    """The process whose turn it is."""
    assert CURRENT.process
    return CURRENT.process


@dataclass(slots=True, kw_only=True)
class StagedSource(FakeSource):
    """A source whose readings are logged by itself: (process, object) → root rows given."""

    stage: Stage
    skew: float = 0.0
    gave: Counter[tuple[str, str]] = field(default_factory=Counter)
    stall: float = 0.0

    def tell(self, edit: Edit) -> list[tuple[str, State]]:
        """Somebody does it; what is said of which keys from now on. Nobody changes what is not there yet."""
        definition = business_object(edit.object)
        before = self.records.setdefault(edit.object, {}).get(edit.native)
        if before is None and not {"name", "number"} & edit.values.keys():
            return []
        at = self.stage.clock(self.skew - edit.late)
        if before is None:
            self.put(definition, edit.native, at=at, **edit.values)
        else:
            at = max(at, before["modified"] + timedelta(seconds=1))
            self.touch(definition, edit.native, at=at, **edit.values)
        return [(f"{self.name}:{edit.native}", dict(edit.values))]

    def native(self, name: str) -> str | None:
        """The id of the record the story calls `name`; None while it was never there."""
        return name

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        def read(counting: Counting) -> datetime:
            self.now = self.stage.clock(self.skew)
            self.on_extract = counting.process.point
            return FakeSource.extract(self, definition, selection, counting)

        return read_in_turns(self, definition, Counting(sink, definition.name, here()), read)

    def set_right(self) -> None:
        """Nothing is the matter with it any more."""
        self.down = False


class Read(Protocol):
    """A source as the stage sees it."""

    gave: Counter[tuple[str, str]]
    stall: float


def read_in_turns(
    source: Read, definition: BusinessObject, counting: Counting, read: Callable[[Counting], datetime]
) -> datetime:
    """Read between two points, note what was given, and stand still with it if that is what happens."""
    process = counting.process
    process.point()
    read_at = read(counting)
    source.gave[process.name, definition.name] += counting.rows
    stall, source.stall = source.stall, 0.0
    if stall:
        process.sleep(stall)
    process.point()
    return read_at


@dataclass(slots=True)
class Counting:
    """A sink on the way to another; counts the rows of the root. `pages`: every write is a point."""

    sink: Sink
    root: str
    process: Process
    pages: bool = False
    rows: int = 0

    def expect(self, roots: int) -> None:
        self.sink.expect(roots)

    def write(self, part: str, rows: pa.Table, root: str, beside: pa.Array | None = None) -> None:
        self.rows += rows.num_rows * (part == self.root)
        self.sink.write(part, rows, root, beside)
        if self.pages:
            self.process.point()


@dataclass(slots=True)
class Hasty:
    """A sender's side of a dispatch. Between its being asked and the request's taking effect no process stops for long: that much
    every adapter promises with its longest request."""

    sending: Sending
    process: Process
    stall: float = 0.0

    @property
    def dispatch(self) -> int:
        return self.sending.dispatch

    def before_request(self) -> None:
        if self.stall:
            self.process.sleep(self.stall)
            self.stall = 0.0
        self.process.hasty = True
        self.sending.before_request()

    def remember_remote(self, remote: str) -> None:
        self.sending.remember_remote(remote)


@dataclass(slots=True, kw_only=True)
class StagedTarget(FakeTarget):
    """A target that several processes come to in turns. `answers` is what its next requests meet, one each."""

    stage: Stage
    answers: list[str] = field(default_factory=list)
    stall: float = 0.0

    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        process = here()
        stall, self.stall = self.stall, 0.0
        try:
            return FakeTarget.send(self, definition, changes, Hasty(sending, process, stall))
        finally:
            process.hasty = False

    def read_back(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        here().point()
        return FakeTarget.read_back(self, definition, wanted)

    def census(self, definition: BusinessObject) -> Iterator[pa.Table]:
        here().point()
        return FakeTarget.census(self, definition)

    def _request(self, definition: BusinessObject, request: list[dict[str, Any]], dispatch: int) -> dict[str, Outcome]:
        process = here()
        process.point()
        answer = self.answers.pop(0) if self.answers else None
        if answer:
            self.stage.happened[answer] += 1
        if answer == "late":
            delay = self.stage.random.uniform(0.1, 0.7) * LONGEST.total_seconds()
            self.stage.at(self.stage.now + delay, lambda: [self._apply(definition, row, dispatch) for row in request])
            outcomes = {row["key"]: unanswered(row["native"]) for row in request}
        else:
            self.faults = [Fault(answer)] if answer else []
            outcomes = FakeTarget._request(self, definition, request, dispatch)
        told = ", ".join(
            f"{row['key']} {row.get('phone') or row.get('open_balance') or row.get('total')}" for row in request
        )
        self.stage.note(f"{process.name} asks {self.name}, dispatch {dispatch}: {told}; {answer or 'answered'}")
        process.hasty = False
        process.point()
        return outcomes
