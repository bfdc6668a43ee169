"""A system seen through its breaker: every call that touches it is let through or refused, and how it went is recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from accord.availability import Availability
from accord.breaker import Failure
from accord.categories import Category
from accord.errors import Recovery
from accord.objects.definition import BusinessObject
from accord.ports import Selection, Sending, Sink

T = TypeVar("T")


class Guarded:
    """`accord.ports.Source` and `Target` as far as the system is one; what needs no call goes straight to it.

    Each of the methods here raises SystemShut when the breaker is open, and what the system raises.
    """

    def __init__(self, system: Any, availability: Availability) -> None:
        self._system, self._availability = system, availability

    def __getattr__(self, name: str) -> Any:
        return getattr(self._system, name)

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        """See accord.ports.Source."""
        return self._call(lambda: self._system.extract(definition, selection, sink))  # type: ignore[no-any-return]

    def affected(self, definition: BusinessObject, natives: Sequence[str], selection: Selection) -> tuple[str, ...]:
        """See accord.ports.Source."""
        return self._call(lambda: self._system.affected(definition, natives, selection))

    def unreadable(self, definition: BusinessObject) -> Mapping[str, str]:
        """See accord.ports.Source."""
        return self._call(lambda: self._system.unreadable(definition))

    def unwritable(self, definition: BusinessObject) -> Mapping[str, str]:
        """See accord.ports.Target."""
        return self._call(lambda: self._system.unwritable(definition))

    def find_matches(self, definition: BusinessObject, candidates: pa.Table) -> pa.Table:
        """See accord.ports.Target."""
        return self._call(lambda: self._system.find_matches(definition, candidates))

    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        """See accord.ports.Target."""
        return self._call(lambda: self._system.send(definition, changes, sending), _failure_in)

    def read_back(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        """See accord.ports.Target."""
        return self._call(lambda: self._system.read_back(definition, wanted))

    def remote_ended(self, remote: str) -> bool:
        """See accord.ports.Target."""
        return self._call(lambda: self._system.remote_ended(remote))  # type: ignore[no-any-return]

    def _call(self, call: Callable[[], T], judge: Callable[[T], Failure | None] | None = None) -> T:
        name = self._system.name
        try:
            return self._availability.recorded(name, call, judge)
        finally:
            self._availability.told(name, getattr(self._system, "usage", None))


def _failure_in(results: pa.Table) -> Failure | None:
    """An adapter that has sent something raises no more: it says per record that the system stopped answering."""
    if pc.any(pc.equal(results["category"], Category.OUTAGE)).as_py():
        return Failure.OUTAGE
    if pc.any(pc.equal(results["outcome"], Recovery.UNKNOWN)).as_py():
        return Failure.TIMEOUT
    return None
