"""Credit notes out of Tryton (see accord.systems.tryton.billing), each with the invoice it corrects.

Crediting a whole invoice leaves lines whose origin is a line of that invoice. A return is billed like an order: what is
corrected is the one invoice of the order that is returned, where there was only one before.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from accord.ports import Selection
from accord.systems.tryton import billing
from accord.systems.tryton.billing import INVOICE_LINES, INVOICES, SALES
from accord.systems.tryton.books import Books
from accord.systems.tryton.documents import Documents, target_of, the_only
from accord.systems.tryton.invoice import changed_documents
from accord.systems.tryton.reading import paged
from accord.systems.tryton.receivables import LINE


class CreditMemos(Documents):
    """Reads them."""

    places = billing.PLACES | {
        "invoice": "account.invoice.lines.origin, or the one invoice of the order that is returned",
        "reason": "account.invoice.description",
    }
    needs: ClassVar = dict.fromkeys((INVOICES, INVOICE_LINES, SALES, LINE), ("read",))

    def _selected(self, books: Books, selection: Selection, now: datetime) -> set[int]:
        return changed_documents(self._context.client, books, selection, credits=True)

    def _rows(self, books: Books, ids: list[int], now: datetime) -> list[dict[str, Any]]:
        domain = [*billing.shown(books, credits=True), ["id", "in", ids]]
        rows = list(paged(self._context.client, INVOICES, domain, billing.FIELDS, context=books.context))
        corrected = self._corrected(books, rows)
        billed = self._billed(books, {order for row in rows for order in billing.orders(row)})
        made = []
        for row in rows:
            order = the_only(billing.orders(row))
            by_line = [corrected.get(identity) for identity in _corrects(row)]
            invoice = the_only(found["id"] for found in by_line if found)
            if order is None:
                order = the_only(sale for found in by_line if found for sale in found["sales"])
            if invoice is None and not by_line:
                invoice = the_only(one for one in billed.get(order, ()) if one < row["id"])
            own = {"order": order, "invoice": invoice}
            told = {name: str(identity) if identity else None for name, identity in own.items()}
            made.append(billing.document(books, row, credits=True) | told | {"reason": row["description"]})
        return made

    def _corrected(self, books: Books, rows: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
        """Line of an invoice → the invoice, for those that the documents correct."""
        lines = sorted({identity for row in rows for identity in _corrects(row)})
        if not lines:
            return {}
        domain = [["id", "in", lines], ["invoice.number", "!=", None]]
        fields = ["invoice", "invoice.sales"]
        found = paged(self._context.client, INVOICE_LINES, domain, fields, context=books.context)
        return {line["id"]: {"id": line["invoice"], "sales": line["invoice."]["sales"] or ()} for line in found}

    def _billed(self, books: Books, sales: set[int]) -> dict[int | None, list[int]]:
        """Order → the invoices that bill it."""
        if not sales:
            return {}
        found = list(
            paged(self._context.client, SALES, [["id", "in", sorted(sales)]], ["invoices"], context=books.context)
        )
        ids = sorted({invoice for sale in found for invoice in sale["invoices"] or ()})
        domain = [*billing.shown(books, credits=False), ["id", "in", ids]]
        known = {row["id"] for row in paged(self._context.client, INVOICES, domain, ["id"], context=books.context)}
        return {sale["id"]: [invoice for invoice in sale["invoices"] or () if invoice in known] for sale in found}


def _corrects(row: dict[str, Any]) -> list[int]:
    """The lines of other documents that a document's lines correct."""
    found = (target_of(line["origin"], INVOICE_LINES) for line in row["lines."] or ())
    return [identity for identity in found if identity]
