"""Receivable lines of the books, and when one falls due: at the next midnight, UTC, after its maturity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from accord.ports import Selection
from accord.systems.tryton.books import Books
from accord.systems.tryton.client import TrytonClient
from accord.systems.tryton.reading import paged, window_of

LINE = "account.move.line"
_FOREVER = timedelta(days=36_500)


def receivable(books: Books) -> list[Any]:
    """The condition that a line is owed by somebody to the legal entity (or to somebody, when it is a credit)."""
    return [["party", "!=", None], ["account.type.receivable", "=", True], ["move.company", "=", books.company]]


def changed(
    client: TrytonClient, books: Books, selection: Selection, fields: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Lines that were written in the window; all of them without one."""
    return paged(client, LINE, [*receivable(books), *window_of(selection)], fields, context=books.context)


def fell_due(
    client: TrytonClient, books: Books, selection: Selection, now: datetime, fields: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Open lines that became overdue in the window."""
    due = [*days_of(selection, now, "maturity_date"), ["reconciliation", "=", None]]
    return paged(client, LINE, [*receivable(books), *due], fields, context=books.context)


def days_of(selection: Selection, now: datetime, name: str, *, before: timedelta = timedelta()) -> list[Any]:
    """The condition that the day in field `name`, or the one so long `before` it, began or ended in the window, as far as it has
    come."""
    first, last = selection.since or now - _FOREVER, min(selection.until or now, now)
    return [
        [name, ">=", first.astimezone(UTC).date() - timedelta(days=1) + before],
        [name, "<=", last.astimezone(UTC).date() + before],
    ]


def midnight_after(day: date) -> datetime:
    """When `day` is over: a line due on it is overdue."""
    return midnight_before(day + timedelta(days=1))


def midnight_before(day: date) -> datetime:
    """When `day` begins."""
    return datetime.combine(day, time(), UTC)
