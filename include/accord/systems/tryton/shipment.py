"""Shipments and returns out of Tryton: two models, told apart in the native id (out/12, return/3).

A shipment changes when it is written or one of its moves to (or from) the customer is. What is not sent of an order waits
in a shipment of its own, the back-order. `effective_date` is set when the goods have arrived, not when they leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from accord.objects.definition import BusinessObject
from accord.ports import Selection, Sink
from accord.systems import erp_rows
from accord.systems.erp import SourceHandler
from accord.systems.tryton.books import Books, books_of
from accord.systems.tryton.context import Context
from accord.systems.tryton.documents import AT_ONCE, target_of, the_only
from accord.systems.tryton.reading import paged, slices, window_of
from accord.systems.tryton.states import RETURN, SHIPMENT, told

_MOVE, _SALE, _SALE_LINE, _COMPONENT = "stock.move", "sale.sale", "sale.line", "sale.line.component"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One of the two models: its word in native ids, what its states mean, the field of its moves with the customer, and
    what else only it has."""

    word: str
    name: str
    model: str
    states: Mapping[str, str]
    moves: str
    own: tuple[str, ...] = ()


KINDS = (
    Kind(
        word="out",
        name="Shipment",
        model="stock.shipment.out",
        states=SHIPMENT,
        moves="outgoing_moves",
        own=("carrier.carrier_product.name", "shipping_reference"),
    ),
    Kind(word="return", name="Return", model="stock.shipment.out.return", states=RETURN, moves="incoming_moves"),
)
_FIELDS = ("number", "customer", "state", "planned_date", "effective_date", "warehouse.name", "last_modified_at")
_MOVE_FIELDS = ("product", "quantity", "state", "origin", "last_modified_at")
_PLACES = {
    "number": "stock.shipment.out(.return).number",
    "customer": "stock.shipment.out(.return).customer",
    "order": "stock.move.origin (of a return: the order it returns)",
    "legal_entity": "stock.shipment.out(.return).company",
    "kind": "stock.shipment.out or stock.shipment.out.return",
    "status": "; ".join(told(kind.states, f"{kind.model}.state") for kind in KINDS),
    "planned_date": "stock.shipment.out(.return).planned_date",
    "shipped_date": "stock.shipment.out(.return).effective_date",
    "carrier": "stock.shipment.out.carrier.carrier_product.name",
    "tracking": "stock.shipment.out.shipping_reference",
    "warehouse": "stock.shipment.out(.return).warehouse.name",
    "lines.id": "stock.move.id",
    "lines.product": "stock.move.product",
    "lines.quantity": "stock.move.quantity",
}


class Shipments(SourceHandler[Context]):
    """Reads them."""

    places = _PLACES
    needs: ClassVar = dict.fromkeys((*(k.model for k in KINDS), _MOVE, _SALE, _SALE_LINE, _COMPONENT), ("read",))

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        """By Tryton's clock."""
        client = self._context.client
        books, _ = books_of(client, self._context.name)
        read_at = client.clock
        chosen = [(one, kind, sorted(self._chosen(one, kind, selection))) for one in books for kind in KINDS]
        sink.expect(sum(len(ids) for _, _, ids in chosen))
        for one, kind, ids in chosen:
            for some in slices(ids, AT_ONCE):
                erp_rows.write(sink, definition, self.not_read, self._rows(one, kind, some), selection)
        return read_at

    def _chosen(self, books: Books, kind: Kind, selection: Selection) -> set[int]:
        if selection.natives is not None:
            pairs = (native.partition("/") for native in selection.natives)
            return {int(identity) for word, _, identity in pairs if word == kind.word and identity.isdecimal()}
        client, window = self._context.client, window_of(selection)
        found = {row["id"] for row in paged(client, kind.model, [*_shown(books, kind), *window], ["id"])}
        if window:
            domain = [["company", "=", books.company], ["shipment", "like", f"{kind.model},%"], *window]
            moves = paged(client, _MOVE, domain, ["shipment"])
            found |= {identity for row in moves if (identity := target_of(row["shipment"], kind.model))}
        return found

    def _rows(self, books: Books, kind: Kind, ids: list[int]) -> list[dict[str, Any]]:
        fields = [*_FIELDS, *kind.own, *(f"{kind.moves}.{name}" for name in _MOVE_FIELDS)]
        domain = [*_shown(books, kind), ["id", "in", ids]]
        rows = list(paged(self._context.client, kind.model, domain, fields, context=books.context))
        orders = self._orders(move["origin"] for row in rows for move in row[f"{kind.moves}."] or ())
        return [_shipment(books, kind, row, orders) for row in rows]

    def _orders(self, origins: Iterable[str | None]) -> dict[str, int]:
        """Origin of a move → the order; of a return, the order it returns."""
        named = {origin for origin in origins if origin}
        lines = {line for origin in named if (line := target_of(origin, _SALE_LINE))}
        parts = self._read(_COMPONENT, (target_of(origin, _COMPONENT) for origin in named), ["line"])
        lines |= {row["line"] for row in parts.values()}
        sales = self._read(_SALE_LINE, lines, ["sale", "sale.origin"])
        order = {line: target_of(row["sale."]["origin"], _SALE) or row["sale"] for line, row in sales.items()}
        found = {f"{_SALE_LINE},{line}": sale for line, sale in order.items()}
        return found | {f"{_COMPONENT},{part}": order[row["line"]] for part, row in parts.items()}

    def _read(self, model: str, ids: Iterable[int | None], fields: list[str]) -> dict[int, dict[str, Any]]:
        wanted = sorted(identity for identity in ids if identity)
        if not wanted:
            return {}
        return {row["id"]: row for row in paged(self._context.client, model, [["id", "in", wanted]], fields)}


def _shown(books: Books, kind: Kind) -> list[Any]:
    return [["company", "=", books.company], ["number", "!=", None], ["state", "in", [*kind.states]]]


def _shipment(books: Books, kind: Kind, row: dict[str, Any], orders: Mapping[str, int]) -> dict[str, Any]:
    moves = row[f"{kind.moves}."] or ()
    order = the_only(orders.get(move["origin"] or "") for move in moves)
    return {
        "native": f"{kind.word}/{row['id']}",
        "modified": max([row["last_modified_at"], *(move["last_modified_at"] for move in moves)]),
        "gone": False,
        "number": row["number"],
        "customer": str(row["customer"]),
        "order": str(order) if order else None,
        "legal_entity": books.entity.code,
        "kind": kind.name,
        "status": kind.states[row["state"]],
        "planned_date": row["planned_date"],
        "shipped_date": row["effective_date"],
        "carrier": ((row.get("carrier.") or {}).get("carrier_product.") or {}).get("name"),
        "tracking": row.get("shipping_reference") or None,
        "warehouse": (row["warehouse."] or {}).get("name"),
        "lines": [_line(move) for move in moves if move["state"] != "cancelled" or row["state"] == "cancelled"],
    }


def _line(move: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(move["id"]),
        "product": str(move["product"]),
        "quantity": Decimal(str(move["quantity"])),
    }
