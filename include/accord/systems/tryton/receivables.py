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
    first, last = selection.since or now - _FOREVER, min(selection.until or now, now)
    due: list[Any] = [["maturity_date", ">=", first.astimezone(UTC).date() - timedelta(days=1)]]
    due += [["maturity_date", "<", last.astimezone(UTC).date()], ["reconciliation", "=", None]]
    return paged(client, LINE, [*receivable(books), *due], fields, context=books.context)


def midnight_after(day: date) -> datetime:
    """When a line due on `day` is overdue."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)
