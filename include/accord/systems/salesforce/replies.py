"""What Salesforce said about each record that was sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from accord.categories import Category
from accord.errors import Recovery, SchemaDrift
from accord.systems.results import Outcome
from accord.systems.salesforce.failures import DRIFT, Fault
from accord.systems.salesforce.options import PERMISSION_CURE


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A record Salesforce refused: why, and the values that were sent (for blotting them out of its answer)."""

    faults: tuple[Fault, ...]
    values: tuple[object, ...] = ()

    @property
    def code(self) -> str:
        """The first error's code."""
        return self.faults[0].code if self.faults else "UNKNOWN"


Reply = Outcome | Refusal
Replies = dict[str, Reply]  # key → reply

UNSENT = Outcome(
    outcome=Recovery.RETRY, category=Category.OUTAGE, message="Salesforce stopped answering before the record was sent."
)
UNREACHED = Outcome(
    outcome=Recovery.RETRY,
    category=Category.INTERRUPTED,
    message="Salesforce's job ended before it came to the record.",
)


class Once:
    """Calls `before` and remembers that it let the request go: what fails after that is in doubt."""

    def __init__(self, before: Callable[[], None]) -> None:
        self._before, self.passed = before, False

    def __call__(self) -> None:
        self._before()
        self.passed = True


def stop_on_drift(replies: Mapping[str, Reply]) -> None:
    """Raise SchemaDrift when every record was refused for a field or a permission: one finding, not thousands."""
    refusals = [r for r in replies.values() if isinstance(r, Refusal)]
    if replies and len(refusals) == len(replies) and all(r.code in DRIFT for r in refusals):
        fields = sorted({f for r in refusals for fault in r.faults for f in fault.fields})
        raise SchemaDrift(
            f"Salesforce refuses to write {', '.join(fields) or 'the object'} ({refusals[0].code}).",
            cure=PERMISSION_CURE,
        )
