"""Prices: every product on every list, computed by Tryton itself.

There is a row for each pair of a list and a product. It is gone when the list is not in use, the product not sold, or there
is no price today, so that a price that vanished is told. A list is read whole when it changed, a changed product on all
lists. A line that is deleted by itself, not as a change of its list, leaves no trace: its prices are told when the list is
read next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from accord.objects.definition import BusinessObject
from accord.ports import Selection, Sink
from accord.systems import erp_rows
from accord.systems.erp import SourceHandler
from accord.systems.tryton.books import books_of
from accord.systems.tryton.client import TrytonClient
from accord.systems.tryton.context import Context
from accord.systems.tryton.price_list import DAY, LINE, LIST, PriceList, lists_of, midnight
from accord.systems.tryton.product import KNOWN, PRODUCT, changed, stamp_of, state_of
from accord.systems.tryton.reading import paged, reading, slices

_RATE = "currency.currency.rate"
_AT_ONCE = 500  # products whose prices are computed together
_OF = ("", "template.", "template.categories.")  # what a price depends on
_FIELDS = ["active", "salable", "template.active", *(f"{path}last_modified_at" for path in _OF)]
_COMPUTED = "product.product.sale_price_uom in the context of company, price_list, currency, quantity and date"
_PLACES = {
    "product": "product.product.id",
    "price_list": "product.price_list.id",
    "currency": "as of the price list",
    "unit_price": f"{_COMPUTED} (1, today)",
    "active": "derived: there is a price today",
    "tiers.id": "from_quantity, and valid_from where it is still to come",
    "tiers.from_quantity": "product.price_list.line.quantity",
    "tiers.unit_price": _COMPUTED,
    "tiers.valid_from": "the day the price begins; none for what holds today",
    "tiers.valid_until": "the day before it changes",
}

Steps = tuple[tuple[Decimal, Decimal], ...]  # from which quantity → price of one


class Prices(SourceHandler[Context]):
    """Reads them."""

    places = _PLACES
    needs: ClassVar = {PRODUCT: ("read",), LIST: ("read",), LINE: ("read",), _RATE: ("read",)}

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        """By Tryton's clock."""
        client = self._context.client
        books, _ = books_of(client, self._context.name)
        read_at = client.clock
        pricing = Pricing(client, read_at.date())
        lists = list(lists_of(client, books, read_at.date()))
        wanted = _wanted(client, selection, [(one, pricing.modified(one)) for one in lists])
        sink.expect(sum(len(products) for products in wanted.values()))
        for some in slices(sorted(set().union(*wanted.values())), _AT_ONCE):
            products = list(paged(client, PRODUCT, [*KNOWN, ["id", "in", some]], _FIELDS))
            for one in lists:
                chosen = [product for product in products if product["id"] in wanted[one.id]]
                erp_rows.write(sink, definition, self.not_read, pricing.rows(one, chosen), selection)
        return read_at


def _wanted(
    client: TrytonClient, selection: Selection, lists: Sequence[tuple[PriceList, datetime]]
) -> dict[int, set[int]]:
    """List → the products whose price on it may have changed."""
    if selection.natives is not None:
        pairs = [native.partition("/")[::2] for native in selection.natives]
        return {one.id: {int(p) for of, p in pairs if of == str(one.id) and p.isdecimal()} for one, _ in lists}
    touched = changed(client, selection, _OF)
    whole = {one.id for one, modified in lists if erp_rows.inside(selection, modified)}
    every = changed(client, Selection()) if whole else set()
    return {one.id: every if one.id in whole else touched for one, _ in lists}


class Pricing:
    """What products cost on lists, today and from the days on that are known already."""

    def __init__(self, client: TrytonClient, today: date) -> None:
        self._client, self._today = client, today
        rows = paged(client, _RATE, [], ["currency", "currency.code", "date", "last_modified_at"])
        self._rates = [(row["currency."]["code"], row["date"], row["last_modified_at"]) for row in rows]
        currencies = paged(client, "currency.currency", [], ["code"])
        self._currencies = {row["code"]: row["id"] for row in currencies}

    def modified(self, one: PriceList) -> datetime:
        """When the prices of a list changed last: with it, or with the rates they are converted at."""
        rates = [max(stamp, midnight(day)) for day, stamp in self._converted_by(one) if day <= self._today]
        return max([one.modified, *rates])

    def rows(self, one: PriceList, products: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """The price of every product on a list."""
        sold = [product["id"] for product in products if one.active and state_of(product) == "Active"]
        days = [self._today, *(day for day in self._turns(one) if day > self._today)]
        computed = [(day, self._steps(one, day, sold)) for day in days] if sold else []
        modified = self.modified(one)
        for product in products:
            prices = [(day, steps.get(product["id"], ())) for day, steps in computed]
            now = prices[0][1] if prices else ()
            offered = bool(now) and now[0][0] == 1
            yield {
                "native": f"{one.id}/{product['id']}",
                "modified": max(modified, stamp_of(product)),
                "gone": not offered,
                "product": str(product["id"]),
                "price_list": str(one.id),
                "currency": one.currency,
                "unit_price": now[0][1] if offered else None,
                "active": offered,
                "tiers": tiers(prices) if offered else [],
            }

    def _turns(self, one: PriceList) -> list[date]:
        return sorted({*one.turns, *(day for day, _ in self._converted_by(one))})

    def _converted_by(self, one: PriceList) -> Iterator[tuple[date, datetime]]:
        """(day it holds from, last change) of the rates between a list's currency and its company's."""
        if one.currency != one.books.currency:
            both = (one.currency, one.books.currency)
            yield from ((day, stamp) for currency, day, stamp in self._rates if currency in both)

    def _steps(self, one: PriceList, day: date, products: list[int]) -> dict[int, Steps]:
        """Product → its prices on a day, from one on; a break that changes nothing is left out."""
        found: dict[int, Steps] = {}
        for quantity in (Decimal(1), *one.breaks):
            # a line is chosen by `date`, a rate by `sale_date`
            context = {"price_list": one.id, "currency": self._currencies[one.currency], "quantity": float(quantity)}
            context |= one.books.context | {"date": day, "sale_date": day}
            for row in reading(
                self._client, "model.product.product.read", products, ["sale_price_uom"], context=context
            ):
                price, steps = row["sale_price_uom"], found.get(row["id"], ())
                if price is not None and not (steps and steps[-1][1] == price):
                    found[row["id"]] = (*steps, (quantity, price))
        return found


def tiers(prices: Iterable[tuple[date, Steps]]) -> list[dict[str, Any]]:
    """The tiers of a price from what it is on the first day and on those on which it may change.

    What holds on the first day has no beginning, so that it is the same tomorrow.
    """
    spans: list[tuple[date | None, Steps]] = []
    for day, steps in prices:
        if not spans or spans[-1][1] != steps:
            spans.append((day if spans else None, steps))
    found = []
    for (begins, steps), (ends, _) in zip(spans, [*spans[1:], (None, ())], strict=True):
        for quantity, price in steps:
            name = format(quantity, "f")
            found.append(
                {
                    "id": f"{name}/{begins}" if begins else name,
                    "from_quantity": quantity,
                    "unit_price": price,
                    "valid_from": begins,
                    "valid_until": ends - DAY if ends else None,
                }
            )
    return found
