"""Price lists, by what changed of them and of their lines, and by the days on which a line begins or has ended.

Tryton keeps a list in its company's currency. Here the last word of a list's name is the currency it is offered in ("Export
USD"), if it is one; Tryton converts at the day's rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from accord.objects.definition import BusinessObject
from accord.objects.vocabulary import CURRENCIES
from accord.ports import Selection, Sink
from accord.systems import erp_rows
from accord.systems.erp import SourceHandler
from accord.systems.tryton.books import Books, books_of
from accord.systems.tryton.client import TrytonClient
from accord.systems.tryton.context import Context
from accord.systems.tryton.reading import ANY, paged, slices

LIST, LINE = "product.price_list", "product.price_list.line"
DAY = timedelta(days=1)
_AT_ONCE = 20  # lists whose lines are read together
_PLACES = {
    "name": "product.price_list.name",
    "legal_entity": "product.price_list.company",
    "currency": "last word of product.price_list.name, where it is no currency company.company.currency",
    "active": "product.price_list.active, while it is valid",
    "valid_from": "product.price_list.line.start_date, the first of them",
    "valid_until": "product.price_list.line.end_date, the last of them",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """A list of one company. `breaks` are the quantities beyond one from which a line holds, `turns` the days from which
    other lines hold than the day before; `modified` is the last change of the list or its lines, passed turns included."""

    id: int
    name: str
    books: Books
    currency: str
    active: bool
    valid_from: date | None
    valid_until: date | None
    breaks: tuple[Decimal, ...]
    turns: tuple[date, ...]
    modified: datetime


class PriceLists(SourceHandler[Context]):
    """Reads them."""

    places = _PLACES
    needs: ClassVar = {LIST: ("read",), LINE: ("read",)}

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        """By Tryton's clock."""
        client = self._context.client
        books, _ = books_of(client, self._context.name)
        read_at = client.clock
        lists = lists_of(client, books, read_at.date())
        rows = [_row(one) for one in lists if _chosen(one, selection)]
        sink.expect(len(rows))
        erp_rows.write(sink, definition, self.not_read, rows, selection)
        return read_at


def _chosen(one: PriceList, selection: Selection) -> bool:
    if selection.natives is not None:
        return str(one.id) in selection.natives
    return erp_rows.inside(selection, one.modified)


def lists_of(client: TrytonClient, books: Iterable[Books], today: date) -> Iterator[PriceList]:
    """Every list of these books."""
    of = {one.company: one for one in books}
    lists = paged(client, LIST, [["company", "in", list(of)], ANY], ["name", "company", "active", "last_modified_at"])
    for some in slices(lists, _AT_ONCE):
        lines: dict[int, list[dict[str, Any]]] = {row["id"]: [] for row in some}
        fields = ["price_list", "quantity", "start_date", "end_date", "last_modified_at"]
        for line in paged(client, LINE, [["price_list", "in", list(lines)]], fields):
            lines[line["price_list"]].append(line)
        yield from (_list(row, lines[row["id"]], of[row["company"]], today) for row in some)


def midnight(day: date) -> datetime:
    """When a day begins, UTC."""
    return datetime.combine(day, time(), UTC)


def currency_of(name: str, books: Books) -> str:
    """The currency a list of this name is offered in."""
    word = name.split()[-1] if name.split() else ""
    return word if word in CURRENCIES else books.currency


def _list(row: Mapping[str, Any], lines: list[dict[str, Any]], books: Books, today: date) -> PriceList:
    begins, ends = [line["start_date"] for line in lines], [line["end_date"] for line in lines]
    valid_from = min(begins) if lines and all(begins) else None
    valid_until = max(ends) if lines and all(ends) else None
    turns = sorted({*filter(None, begins), *(end + DAY for end in ends if end)})
    moments = [row["last_modified_at"], *(line["last_modified_at"] for line in lines)]
    quantities = {Decimal(str(line["quantity"])).normalize() for line in lines if line["quantity"]}
    return PriceList(
        id=row["id"],
        name=row["name"],
        books=books,
        currency=currency_of(row["name"], books),
        active=row["active"] and (valid_from or today) <= today <= (valid_until or today),
        valid_from=valid_from,
        valid_until=valid_until,
        breaks=tuple(sorted(quantity for quantity in quantities if quantity > 1)),
        turns=tuple(turns),
        modified=max([*moments, *(midnight(turn) for turn in turns if turn <= today)]),
    )


def _row(one: PriceList) -> dict[str, Any]:
    return {
        "native": str(one.id),
        "modified": one.modified,
        "gone": False,
        "name": one.name,
        "legal_entity": one.books.entity.code,
        "currency": one.currency,
        "active": one.active,
        "valid_from": one.valid_from,
        "valid_until": one.valid_until,
    }
