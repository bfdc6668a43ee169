"""Invoices out of Tryton (see accord.systems.tryton.billing)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from accord.ports import Selection
from accord.systems.tryton import billing
from accord.systems.tryton.billing import INVOICE_LINES, INVOICES, SALES
from accord.systems.tryton.books import Books
from accord.systems.tryton.documents import Documents, target_of, the_only
from accord.systems.tryton.reading import paged, window_of
from accord.systems.tryton.receivables import LINE, changed, fell_due

_ABOUT = ["move_origin", "invoice_payments"]


class Invoices(Documents):
    """Reads them."""

    places = billing.PLACES | {
        "overdue": "account.invoice.lines_to_pay (open, past their maturity, less what was paid)"
    }
    needs: ClassVar = dict.fromkeys((INVOICES, INVOICE_LINES, SALES, LINE), ("read",))

    def _selected(self, books: Books, selection: Selection, now: datetime) -> set[int]:
        client = self._context.client
        found = changed_documents(self._context.client, books, selection, credits=False)
        if window_of(selection):
            found |= documents_of(fell_due(client, books, selection, now, _ABOUT))
        return found

    def _rows(self, books: Books, ids: list[int], now: datetime) -> list[dict[str, Any]]:
        domain = [*billing.shown(books, credits=False), ["id", "in", ids]]
        rows = paged(self._context.client, INVOICES, domain, billing.FIELDS, context=books.context)
        return [_invoice(books, row, now) for row in rows]


def changed_documents(client: Any, books: Books, selection: Selection, *, credits: bool) -> set[int]:
    """Documents that were written in the window, or whose receivable lines were."""
    window = window_of(selection)
    domain = [*billing.shown(books, credits=credits), *window]
    found = {row["id"] for row in paged(client, INVOICES, domain, ["id"], context=books.context)}
    return found | documents_of(changed(client, books, selection, _ABOUT)) if window else found


def documents_of(lines: Iterable[dict[str, Any]]) -> set[int]:
    """The invoices and credit notes that receivable lines belong to, or pay."""
    found: set[int] = set()
    for line in lines:
        found |= {*(line["invoice_payments"] or ()), target_of(line["move_origin"], INVOICES) or 0}
    return found - {0}


def _invoice(books: Books, row: dict[str, Any], now: datetime) -> dict[str, Any]:
    late, since = billing.overdue(row, now.date())
    made = billing.document(books, row, credits=False)
    order = the_only(billing.orders(row))
    made |= {"overdue": late, "order": str(order) if order else None}
    return made | {"modified": max(made["modified"], since)} if since else made
