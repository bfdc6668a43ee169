"""RESULTS tables from single outcomes: exactly one row per key, in the order of the changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from accord.categories import Category
from accord.errors import Recovery
from accord.records import RESULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one record that was sent. `message` and `answer` carry no record values."""

    outcome: Recovery
    native: str | None = None
    category: Category | None = None
    message: str | None = None
    answer: str | None = None
    awaits: str | None = None


def applied(native: str | None) -> Outcome:
    """The target holds it now."""
    return Outcome(outcome=Recovery.APPLIED, native=native)


def awaits_parent(parent: str, native: str | None = None) -> Outcome:
    """Held until the record `parent` (a canonical id) is in the target."""
    return Outcome(
        outcome=Recovery.HOLD,
        native=native,
        category=Category.PARENT_MISSING,
        message="The record above it is not in the target yet.",
        awaits=parent,
    )


def unanswered(native: str | None = None) -> Outcome:
    """Sent, and no answer came: in doubt until it is read back."""
    return Outcome(
        outcome=Recovery.UNKNOWN,
        native=native,
        category=Category.INTERRUPTED,
        message="The connection ended before the system answered.",
    )


def results(outcomes: Iterable[tuple[str, Outcome]]) -> pa.Table:
    """A RESULTS table of (key, outcome) pairs."""
    rows = [
        {
            "key": key,
            "native": o.native,
            "outcome": o.outcome.value,
            "category": o.category.value if o.category else None,
            "message": o.message,
            "answer": o.answer,
            "awaits": o.awaits,
        }
        for key, o in outcomes
    ]
    return pa.Table.from_pylist(rows, schema=RESULTS)
