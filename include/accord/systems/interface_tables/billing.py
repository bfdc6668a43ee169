"""Invoices and credit memos: one row per document, one per line. The ERP rounds tax per line and adds the lines up."""

from __future__ import annotations

from accord.systems.interface_tables.contract import Outbox, Part
from accord.systems.interface_tables.outbox_source import OutboxSource

_HEADER = {
    "customer": "customer_number",
    "order": "order_number",
    "status": "status",
    "booking_date": "booking_date",
    "due_date": "due_date",
    "currency": "currency",
    "net": "net",
    "tax": "tax",
    "total": "total",
    "open_balance": "open_balance",
}
_LINE = {
    "id": "line_number",
    "product": "product_number",
    "description": "description",
    "quantity": "quantity",
    "unit_price": "unit_price",
    "net": "net",
    "tax": "tax",
    "tax_code": "tax_code",
}
INVOICE = Outbox(
    relation="outbound.invoice",
    key=("company", "invoice_number"),
    changes="outbound.invoice",
    fields=_HEADER | {"number": "invoice_number", "invoice_date": "invoice_date", "overdue": "overdue"},
    parts={"lines": Part(relation="outbound.invoice_line", fields=_LINE)},
)
CREDIT_MEMO = Outbox(
    relation="outbound.credit_memo",
    key=("company", "credit_memo_number"),
    changes="outbound.credit_memo",
    fields=_HEADER
    | {
        "number": "credit_memo_number",
        "invoice_date": "credit_memo_date",
        "invoice": "invoice_number",
        "reason": "reason",
    },
    parts={"lines": Part(relation="outbound.credit_memo_line", fields=_LINE)},
    within_company=frozenset({"invoice"}),
)


class Invoices(OutboxSource):
    """Reads invoices."""

    outbox = INVOICE
    needs, places = INVOICE.needs, INVOICE.places


class CreditMemos(OutboxSource):
    """Reads credit memos."""

    outbox = CREDIT_MEMO
    needs, places = CREDIT_MEMO.needs, CREDIT_MEMO.places
