"""Which parties buy from a company: those with the relation BUYS to the company's own party, and those whose relation has ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from accord.ports import Selection
from accord.systems.tryton.books import Books
from accord.systems.tryton.client import TrytonClient
from accord.systems.tryton.reading import ANY, paged
from accord.systems.tryton.receivables import days_of, midnight_after, midnight_before

RELATION = "party.relation.all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Buying:
    """Whether a party buys from a company now, or only did; `moments` are the midnights, UTC, when that began or ended."""

    now: bool
    moments: tuple[datetime, ...]


def buyers(client: TrytonClient, books: Books, buys: int, parties: list[int], today: date) -> dict[int, Buying]:
    """party → how it buys from the company, of `parties`; one that never did is not among them. `buys` is the relation's type."""
    found: dict[int, Buying] = {}
    domain = [*_to(books, buys), ["from_", "in", parties]]
    for row in paged(client, RELATION, domain, ["from_", "start_date", "end_date"]):
        start, end = row["start_date"], row["end_date"]
        if start and start > today:
            continue
        over = end is not None and end < today
        known = found.get(row["from_"], Buying(now=False, moments=()))
        moments = [midnight_before(start)] if start else []
        moments += [midnight_after(end)] if over else []
        found[row["from_"]] = Buying(now=known.now or not over, moments=(*known.moments, *moments))
    return found


def buyers_changed(client: TrytonClient, books: Books, buys: int, selection: Selection, now: datetime) -> set[int]:
    """The parties whose relation began or ended in the window by its day alone."""
    found: set[int] = set()
    for name in (
        "start_date",
        "end_date",
    ):  # not as one OR: Tryton hides what is inactive in it, whatever is asked beside it
        days = days_of(selection, now, name)
        found |= {row["from_"] for row in paged(client, RELATION, [*_to(books, buys), *days], ["from_"])}
    return found


def _to(books: Books, buys: int) -> list[Any]:
    """The condition that a relation is one of buying from the company; one that has ended is inactive."""
    return [["to", "=", books.party], ["type", "=", buys], ANY]
