"""What lies in the warehouses and is not promised to anybody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from accord.systems.tryton.books import Books
from accord.systems.tryton.client import TrytonClient
from accord.systems.tryton.reading import paged, reading

MOVE = "stock.move"
_PROMISED = [["state", "in", ["staging", "draft", "assigned"]], ["to_location.type", "=", "customer"]]
_FIELDS = ["name", "last_modified_at", "address.party", "address.country.name", "address.last_modified_at"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Warehouse:
    """A warehouse; `region` is the country its address is in, `modified` when any of it changed last."""

    id: int
    name: str
    region: str | None
    modified: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """`free`: (warehouse, product) → what is there and not promised, in the product's own unit, below zero where more is
    promised than is there. `moved`: product → when its stock changed last, as far as was looked."""

    free: defaultdict[tuple[int, int], Decimal]
    moved: dict[int, datetime]


def warehouses_of(client: TrytonClient, books: list[Books]) -> list[Warehouse]:
    """The warehouses that serve these books: all but those at the address of another company."""
    companies = reading(client, "model.company.company.search_read", [], 0, None, None, ["party"])
    others = {row["party"] for row in companies if row["id"] not in {one.company for one in books}}
    found = []
    for row in paged(client, "stock.location", [["type", "=", "warehouse"]], _FIELDS):
        address = row["address."] or {}
        if address.get("party") not in others:
            found.append(
                Warehouse(
                    id=row["id"],
                    name=row["name"],
                    region=(address.get("country.") or {}).get("name"),
                    modified=max(one["last_modified_at"] for one in (row, address) if one),
                )
            )
    return found


def stock_of(
    client: TrytonClient,
    books: Iterable[Books],
    warehouses: list[Warehouse],
    products: list[int],
    since: datetime | None,
    today: date,
) -> Stock:
    """The stock of `products` in every warehouse, over all books. Movements before `since` are not looked at for `moved`."""
    free: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for one in books:
        for place in warehouses:
            context = one.context | {"locations": [place.id], "stock_date_end": today}
            for row in reading(client, "model.product.product.read", products, ["quantity"], context=context):
                free[place.id, row["id"]] += _decimal(row["quantity"])
            leaving = [["product", "in", products], ["company", "=", one.company], *_PROMISED]
            leaving.append(["from_location", "child_of", [place.id], "parent"])
            for row in paged(client, MOVE, leaving, ["product", "internal_quantity"]):
                free[place.id, row["product"]] -= _decimal(row["internal_quantity"])
    moved: dict[int, datetime] = {}
    newer = [["last_modified_at", ">=", since]] if since else []
    for row in paged(client, MOVE, [["product", "in", products], *newer], ["product", "last_modified_at"]):
        moved[row["product"]] = max(row["last_modified_at"], moved.get(row["product"], row["last_modified_at"]))
    return Stock(free=free, moved=moved)


def _decimal(quantity: float | None) -> Decimal:
    return round(Decimal(str(quantity or 0)), 4)
