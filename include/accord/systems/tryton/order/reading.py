"""Reading the sales of given orders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from accord.objects.definition import BusinessObject
from accord.records import conform, schema_of
from accord.systems.collapsing import collapse_text
from accord.systems.erp import CENSUS
from accord.systems.tryton.books import Books, books_of
from accord.systems.tryton.context import Context
from accord.systems.tryton.customer.mapping import HOME, key_of
from accord.systems.tryton.customer.party import canonical_address
from accord.systems.tryton.draft_then_commit import kept
from accord.systems.tryton.order.mapping import OPEN, SALE_FIELDS
from accord.systems.tryton.order.sale import Sale, from_comment, nothing_left, sale_of
from accord.systems.tryton.reading import PAGE, paged, reading, slices

_AT_ONCE = 200  # sales with all that belongs to them in one call
_COUNTED = ["reference", "state", "lines.type", "lines.quantity"]


class Sales:
    """The sales of one database that came from orders: their reference is the order's key."""

    def __init__(self, context: Context) -> None:
        self._client, self._places, self._system = context.client, context.places, context.name
        self._books: list[Books] | None = None

    def books(self) -> dict[str, Books]:
        """Legal entity → its books. Raises SchemaDrift when Tryton lacks one."""
        if self._books is None:
            self._books, _ = books_of(self._client, self._system)
        return {one.entity.code: one for one in self._books}

    def of(self, asked: Iterable[tuple[str, str | None]], *, whole: bool = True) -> dict[str, list[Sale]]:
        """key → its sales in any state, for (key, native) pairs: those of its reference, or the one linked to it. What is not
        `whole` has a state and no lines: enough to tell which is kept."""
        asked = list(asked)
        found: dict[str, list[Sale]] = {}
        for keys in slices((key for key, _ in asked), _AT_ONCE):
            for sale in self.read([["reference", "in", keys]], whole=whole):
                found.setdefault(sale.key, []).append(sale)
        lost = {int(n): k for k, n in asked if k not in found and n is not None and n.isdecimal()}
        for natives in slices(sorted(lost), _AT_ONCE):
            for sale in self.read([["id", "in", natives]], whole=whole):
                found[lost[sale.native]] = [sale]
        return found

    def read(self, domain: list[Any], *, whole: bool = True) -> list[Sale]:
        """The sales in a domain."""
        search, fields = "model.sale.sale.search_read", list(SALE_FIELDS) if whole else ["reference", "state"]
        rows = reading(self._client, search, domain, 0, None, [["id", "ASC"]], fields)
        if whole:
            return [sale_of(row) for row in rows]
        return [Sale(native=row["id"], key=row["reference"], row=row, lines=()) for row in rows]

    def census(self) -> Iterator[pa.Table]:
        """CENSUS pages of the sales that came from orders; those that were not accepted yet are left out."""
        domain = [["reference", "like", f"{HOME}:%"], ["state", "not in", list(OPEN)]]
        for some in slices(paged(self._client, "sale.sale", domain, _COUNTED), PAGE):
            yield pa.Table.from_pylist(
                [{"key": r["reference"], "native": str(r["id"]), "gone": nothing_left(r)} for r in some],
                schema=CENSUS,
            )

    def canonical(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        """What Tryton holds for `wanted` (columns key, native), as canonical rows with `native`: accepted orders and cancelled
        ones. One that was not accepted yet is still to be sent."""
        pairs = zip(wanted["key"].to_pylist(), wanted["native"].to_pylist(), strict=True)
        rows = []
        for key, sales in self.of(pairs).items():
            sale = kept(sales)
            if sale is not None and not sale.open:
                rows.append(self.canonical_row(key, sale))
        schema = schema_of(definition).append(pa.field("native", pa.string()))
        table = pa.Table.from_pylist(rows, schema=schema)
        return collapse_text(definition, conform(definition, table)).append_column("native", table["native"])

    def canonical_row(self, key: str, sale: Sale) -> dict[str, Any]:
        """A sale in canonical words."""
        row = sale.row
        companies = {one.company: one.entity.code for one in self.books().values()}
        number, reference = from_comment(row["comment"])
        addresses = [
            canonical_address(role, row[place], self._places)
            for role, place in (("bill_to", "invoice_address."), ("ship_to", "shipment_address."))
            if row[place]
        ]
        lines = [
            {
                "id": line.id,
                "product": f"{self._system}:{line.row['product']}",
                "description": line.row["description"],
                "quantity": line.quantity,
                "list_price": line.row["base_price"],
                "unit_price": line.row["unit_price"],
                "cancelled": False,
            }
            for line in sale.lines
            if line.id and line.quantity
        ]
        return {
            "key": key,
            "native": str(sale.native),
            "gone": sale.void,
            "number": number,
            "customer": key_of(row["party."]["code"]),
            "legal_entity": companies.get(row["company"]),
            "currency": row["currency."]["code"],
            "order_date": row["sale_date"],
            "requested_date": row["shipping_date"],
            "customer_reference": reference,
            "payment_terms": (row["payment_term."] or {}).get("name"),
            "lines": lines or None,
            "addresses": addresses or None,
        }
