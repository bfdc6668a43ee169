"""Products: the items, services and kits people order by a code, and what can still be promised of them.

A product changes with its template, with what both are classified by, with its components, with every movement of its stock
(of its components' for a kit), and with the warehouses. What is sold by none of the legal entities is no product of theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

import pyarrow as pa

from accord.objects.definition import BusinessObject
from accord.objects.vocabulary import PRODUCT_FAMILIES
from accord.ports import Selection, Sink
from accord.systems import erp_product, erp_rows
from accord.systems.erp import SourceHandler
from accord.systems.tryton.books import Books, books_of
from accord.systems.tryton.client import TrytonClient
from accord.systems.tryton.context import Context
from accord.systems.tryton.reading import ANY, paged, reading, slices, window_of
from accord.systems.tryton.stock import MOVE, Stock, Warehouse, stock_of, warehouses_of

PRODUCT = "product.product"
KNOWN = [["code", "!=", None], ANY]  # a carrier's charge is a product too, but nobody orders it by a code

KINDS = {"goods": "Goods", "assets": "Goods", "service": "Service", "kit": "Bundle"}
UNITS = {"Unit": "Each", "Hour": "Hour", "Month": "Month", "Kit": "Kit", "Liter": "Litre"}
# (active, salable) → where it stands
STATES = {(True, True): "Active", (True, False): "Discontinued", (False, True): "Blocked", (False, False): "Blocked"}

_AT_ONCE = 500  # products read together
_STAMP = "last_modified_at"
_OF = ("", "template.", "template.components.", "template.categories.", "template.account_category.")
_FIELDS = [
    *("code", "name", "description", "type", "active", "salable", "template.active"),
    *("default_uom.name", "default_uom.factor", "sale_uom.name", "sale_uom.factor"),
    *("template.categories.name", "template.account_category.name"),
    *("template.components.quantity", "template.components.product", "template.components.unit.factor"),
    *("template.components.product.default_uom.factor", "template.components.product.sale_uom.factor"),
    *(f"{path}{_STAMP}" for path in _OF),
]
_PLACES = {
    "code": "product.product.code",
    "name": "product.product.name",
    "description": "product.product.description",
    "family": "product.template.categories, the first that is a family",
    "unit": f"product.product.sale_uom: {', '.join(f'{theirs} = {ours}' for theirs, ours in UNITS.items())}",
    "kind": f"product.product.type: {', '.join(f'{theirs} = {ours}' for theirs, ours in KINDS.items())}",
    "status": "product.product.active, .salable: both = Active, not salable = Discontinued, not active = Blocked",
    "legal_entities": "the companies for which product.product.list_price_used is given",
    "tax_category": "product.template.account_category.name",
    "components.id": "product.component.id",
    "components.product": "product.component.product",
    "components.quantity": "product.component.quantity, in the unit it is sold by",
    "availability.id": "stock.location.id (warehouses)",
    "availability.warehouse": "stock.location.name",
    "availability.region": "stock.location.address.country.name",
    "availability.available": "product.product.quantity less stock.move (to customers, not done); of a kit, as many as can be made",
    **erp_product.DERIVED_PLACES,
}


class Products(SourceHandler[Context]):
    """Reads them."""

    not_read = erp_product.NOT_READ
    places = _PLACES
    needs: ClassVar = {PRODUCT: ("read",), "product.component": ("read",), MOVE: ("read",), "stock.location": ("read",)}

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        """By Tryton's clock."""
        client = self._context.client
        books, _ = books_of(client, self._context.name)
        read_at = client.clock
        warehouses = warehouses_of(client, books)
        chosen = _selected(client, selection, warehouses)
        sink.expect(len(chosen))
        for some in slices(chosen, _AT_ONCE):
            rows = _products(client, books, warehouses, some, selection.since, read_at)
            erp_rows.write(sink, definition, self.not_read, rows, selection)
        return read_at

    def derive(self, table: pa.Table) -> pa.Table:
        return erp_product.derive(self._context.name, table)


def changed(client: TrytonClient, selection: Selection, paths: Iterable[str] = _OF) -> set[int]:
    """Ids of the products of which something at `paths` changed in the window; of all of them when it is open."""
    window = window_of(selection)
    somewhere = ["OR", *([[f"{path}{stamp}", word, at] for stamp, word, at in window] for path in paths)]
    domain = [*KNOWN, somewhere] if window else KNOWN
    # what a condition passes through is searched too: a template that was blocked is inactive
    return {row["id"] for row in paged(client, PRODUCT, domain, ["id"], context={"active_test": False})}


def state_of(product: Mapping[str, Any]) -> str:
    """Where a product stands; read with "active", "salable" and "template.active"."""
    return STATES[product["active"] and product["template."]["active"], bool(product["salable"])]


def stamp_of(product: Mapping[str, Any]) -> datetime:
    """The last of the changes read with a product."""
    return max(_stamps(product))


def _selected(client: TrytonClient, selection: Selection, warehouses: Iterable[Warehouse]) -> list[int]:
    if selection.natives is not None:
        return sorted(int(native) for native in selection.natives if native.isdecimal())
    window = window_of(selection)
    if not window or any(erp_rows.inside(selection, one.modified) for one in warehouses):
        return sorted(changed(client, Selection()))
    found = changed(client, selection)
    moved = {row["product"] for row in paged(client, MOVE, window, ["product"])}
    for some in slices(sorted(moved), _AT_ONCE):
        touched = ["OR", ["id", "in", some], ["template.components.product", "in", some]]
        found |= {row["id"] for row in paged(client, PRODUCT, [*KNOWN, touched], ["id"])}
    return sorted(found)


def _products(
    client: TrytonClient,
    books: list[Books],
    warehouses: list[Warehouse],
    ids: list[int],
    since: datetime | None,
    now: datetime,
) -> Iterable[dict[str, Any]]:
    rows = list(paged(client, PRODUCT, [*KNOWN, ["id", "in", ids]], _FIELDS))
    asked = {row["id"] for row in rows} | {part["product"] for row in rows for part in _parts(row)}
    stock = stock_of(client, books, warehouses, sorted(asked), since, now.date())
    sold: dict[int, list[str]] = {}
    for one in books:
        read = "model.product.product.read"
        for row in reading(client, read, [row["id"] for row in rows], ["list_price_used"], context=one.context):
            if row["list_price_used"] is not None:
                sold.setdefault(row["id"], []).append(one.entity.code)
    for row in rows:
        yield _product(row, sold.get(row["id"], []), warehouses, stock)


def _product(row: Mapping[str, Any], entities: list[str], warehouses: list[Warehouse], stock: Stock) -> dict[str, Any]:
    families = {category["name"] for category in row["template."]["categories."] or ()}
    unit = (row["sale_uom."] or row["default_uom."])["name"]
    moments = [*_stamps(row), *(one.modified for one in warehouses)]
    moments += [stock.moved[part] for part in (row["id"], *(p["product"] for p in _parts(row))) if part in stock.moved]
    return {
        "native": str(row["id"]),
        "modified": max(moments),
        "gone": not entities,
        "code": row["code"],
        "name": row["name"] or None,
        "description": row["description"] or None,
        "family": next((name for name in PRODUCT_FAMILIES if name in families), None),
        "unit": UNITS.get(unit, unit),
        "kind": KINDS.get(row["type"], row["type"]),
        "status": state_of(row),
        "legal_entities": entities,
        "tax_category": (row["template."]["account_category."] or {}).get("name"),
        "components": [
            {"id": part["id"], "product": str(part["product"]), "quantity": _sold(part["product."], _own(part))}
            for part in _parts(row)
        ],
        "availability": [
            {"id": one.id, "warehouse": one.name, "region": one.region, "available": available}
            for one in warehouses
            if (available := _available(row, one, stock)) is not None
        ],
    }


def _available(row: Mapping[str, Any], warehouse: Warehouse, stock: Stock) -> Decimal | None:
    """What can be promised of a product there, in the unit it is sold by; None of what is never in stock."""
    if KINDS.get(row["type"]) == "Goods":
        return _sold(row, stock.free[warehouse.id, row["id"]])
    parts = [part for part in _parts(row) if _own(part) > 0]
    if KINDS.get(row["type"]) != "Bundle" or not parts:
        return None
    return min(stock.free[warehouse.id, part["product"]] // _own(part) for part in parts)


def _parts(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The components of a kit, oldest first."""
    return sorted(row["template."]["components."] or (), key=lambda part: int(part["id"]))


def _own(part: Mapping[str, Any]) -> Decimal:
    """How much of a component, in the component's own unit."""
    return _converted(Decimal(str(part["quantity"])), part["unit."], part["product."]["default_uom."])


def _sold(product: Mapping[str, Any], quantity: Decimal) -> Decimal:
    """A quantity in a product's own unit in the one it is sold by."""
    return _converted(quantity, product["default_uom."], product["sale_uom."] or product["default_uom."])


def _converted(quantity: Decimal, unit: Mapping[str, Any], into: Mapping[str, Any]) -> Decimal:
    if unit["factor"] == into["factor"]:
        return quantity
    return round(quantity * Decimal(str(unit["factor"])) / Decimal(str(into["factor"])), 4)


def _stamps(row: Mapping[str, Any]) -> Iterable[datetime]:
    """Every `last_modified_at` read with a row, whatever it belongs to."""
    for name, value in row.items():
        if name == _STAMP:
            yield value
        elif name.endswith("."):
            for related in value if isinstance(value, list) else [value] if value else []:
                yield from _stamps(related)
