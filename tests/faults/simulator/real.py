"""A real system in the place of a target in memory: the same stories, turns and oracle; what took effect is what the system itself
notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Protocol

import pyarrow as pa

from accord.categories import Category
from accord.errors import AccordError, Recovery, Unavailable
from accord.objects.definition import BusinessObject, Owner
from accord.ports import Sending, Target
from accord.systems.results import Outcome, results, unanswered
from tests.fakes import Write
from tests.faults.simulator.stage import LONGEST, Stage
from tests.faults.simulator.systems import Hasty, here

Held = Mapping[str, Mapping[str, Mapping[str, Any]]]  # object → native id → what the system holds, with its key


class Witness(Protocol):
    """Looks at a system past Accord."""

    def held(self) -> Held:
        """What it holds."""

    def noted(self, keys: Sequence[str], dispatch: int) -> Iterator[Write]:
        """What took effect since it was last asked, just after `keys` were sent with `dispatch`."""


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
    """A target that several processes come to in turns: the real adapter, and a witness of what the system does.

    What a request meets is made at the adapter's side; a system that can be made to fail by itself overrides `_met`.
    """

    name: str
    adapter: Target
    stage: Stage
    witness: Witness
    side: Owner = Owner.ERP
    longest_request: timedelta = LONGEST
    down: bool = False
    stall: float = 0.0
    answers: list[str] = field(default_factory=list)
    locks: set[str] = field(default_factory=set)
    writes: list[Write] = field(default_factory=list)

    @property
    def records(self) -> Held:
        """What the system says it holds."""
        return self.witness.held()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.adapter, name)  # what else a target is asked

    def find_matches(self, definition: BusinessObject, candidates: pa.Table) -> pa.Table:
        self._connect()
        return self.adapter.find_matches(definition, candidates)

    def read_back(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        here().point()
        self._connect()
        return self.adapter.read_back(definition, wanted)

    def remote_ended(self, remote: str) -> bool:
        return True

    def close(self) -> None:
        """The adapter is the theatre's."""

    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        process = here()
        process.point()
        self._connect()
        answer = self.answers.pop(0) if self.answers else ""
        keys = ", ".join(changes["key"].to_pylist())
        self.stage.note(f"{process.name} asks {self.name}, dispatch {sending.dispatch}: {keys}; {answer or 'answered'}")
        stall, self.stall = self.stall, 0.0
        try:
            told = self._met(answer, definition, changes, Hasty(sending, process, stall))
        finally:
            process.hasty = False
        process.point()
        return told

    def _met(self, answer: str, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        """Send, and meet `answer` instead of what the system says ("": no fault)."""
        if answer:
            self.stage.happened[answer] += 1
        if answer == "unavailable":
            raise Unavailable(f"{self.name} can't be reached.", cure="Start it.")
        if answer == "locked" or self.locks.intersection(changes["key"].to_pylist()):
            return every(changes, Outcome(outcome=Recovery.RETRY, native=None, category=Category.LOCKED))
        if answer in ("drop before commit", "late"):
            sending.before_request()
            if answer == "late":
                self._later(definition, changes, sending.dispatch)
            return every(changes, unanswered(None))
        told = self._send(definition, changes, sending)
        return every(changes, unanswered(None)) if answer == "drop after commit" else told

    def _later(self, definition: BusinessObject, changes: pa.Table, dispatch: int) -> None:
        def take_effect() -> None:
            with suppress(AccordError):  # nobody is told
                self._send(definition, changes, Unasked(dispatch=dispatch))

        self.stage.at(self.stage.now + 0.5 * LONGEST.total_seconds(), take_effect)

    def _connect(self) -> None:
        if self.down:
            raise Unavailable(f"{self.name} can't be reached.", cure="Start it.")

    def _send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        try:
            return self.adapter.send(definition, changes, sending)
        finally:
            self.writes += self.witness.noted(changes["key"].to_pylist(), sending.dispatch)


def every(changes: pa.Table, outcome: Outcome) -> pa.Table:
    """The same outcome for every change."""
    natives = zip(changes["key"].to_pylist(), changes["native"].to_pylist(), strict=True)
    return results((key, replace(outcome, native=native)) for key, native in natives)
