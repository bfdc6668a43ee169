"""What Tryton knows of invoices and credit notes, both `account.invoice` of type out: a credit note has negative amounts.

Shown is what is posted, paid or cancelled. A document changes when it is written, when a receivable line of it is (paid,
rescheduled, reconciled), when a payment of it is (reversed), and when something of it falls due.

Tax of a line is its net times the rates of its taxes, rounded to the cent, half to even, as Tryton rounds. Tryton rounds
the document's tax once per tax, so that the lines' may add up to some cents more or less: the header's is what is owed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from accord.systems.tryton.books import Books
from accord.systems.tryton.documents import target_of
from accord.systems.tryton.receivables import midnight_after
from accord.systems.tryton.states import INVOICE, PARTLY_PAID, told

INVOICES, INVOICE_LINES, SALES = "account.invoice", "account.invoice.line", "sale.sale"
FIELDS = [
    *("number", "party", "state", "currency.code", "invoice_date", "move.date", "last_modified_at", "description"),
    *("untaxed_amount", "tax_amount", "total_amount", "amount_to_pay", "sales", "sales.origin"),
    *(f"lines.{name}" for name in ("type", "description", "quantity", "unit_price", "amount", "origin")),
    *("lines.product", "lines.product.code", "lines.product.name", "lines.taxes.name", "lines.taxes.rate"),
    *(
        f"{lines}.{name}"
        for lines in ("lines_to_pay", "payment_lines")
        for name in ("debit", "credit", "maturity_date", "reconciliation", "last_modified_at")
    ),
]
PLACES = {
    "number": "account.invoice.number",
    "customer": "account.invoice.party",
    "order": "account.invoice.sales (of a return: the order it returns)",
    "legal_entity": "account.invoice.company",
    "status": told(INVOICE, "account.invoice.state") + f"; {PARTLY_PAID} when amount_to_pay is less than total_amount",
    "invoice_date": "account.invoice.invoice_date",
    "booking_date": "account.invoice.move.date",
    "due_date": "account.invoice.lines_to_pay.maturity_date (the last)",
    "currency": "account.invoice.currency.code",
    "net": "account.invoice.untaxed_amount",
    "tax": "account.invoice.tax_amount",
    "total": "account.invoice.total_amount",
    "open_balance": "account.invoice.amount_to_pay",
    "lines.id": "account.invoice.line.id",
    "lines.product": "account.invoice.line.product (one with a code)",
    "lines.description": "account.invoice.line.description, or the product's name",
    "lines.quantity": "account.invoice.line.quantity",
    "lines.unit_price": "account.invoice.line.unit_price",
    "lines.net": "account.invoice.line.amount",
    "lines.tax": "account.invoice.line.amount × taxes.rate, rounded per line",
    "lines.tax_code": "account.invoice.line.taxes.name",
}
_CENT, _NOTHING = Decimal("0.01"), Decimal(0)


def shown(books: Books, *, credits: bool) -> list[Any]:
    """The condition that a document is one Salesforce sees."""
    side = ["total_amount", "<" if credits else ">=", _NOTHING]
    return [
        ["type", "=", "out"],
        ["company", "=", books.company],
        ["number", "!=", None],
        ["state", "in", [*INVOICE]],
        side,
    ]


def document(books: Books, row: Mapping[str, Any], *, credits: bool) -> dict[str, Any]:
    """What an invoice and a credit memo have in common, amounts positive."""
    sign = -1 if credits else 1
    due = [line["maturity_date"] for line in row["lines_to_pay."] or () if line["maturity_date"]]
    total, left = sign * row["total_amount"], sign * row["amount_to_pay"]
    partly = row["state"] == "posted" and left < total
    return {
        "native": str(row["id"]),
        "modified": max([row["last_modified_at"], *(line["last_modified_at"] for line in _receivables(row))]),
        "gone": False,
        "number": row["number"],
        "customer": str(row["party"]),
        "legal_entity": books.entity.code,
        "status": PARTLY_PAID if partly else INVOICE[row["state"]],
        "invoice_date": row["invoice_date"],
        "booking_date": row["move."]["date"],
        "due_date": max(due, default=None),
        "currency": row["currency."]["code"],
        "net": sign * row["untaxed_amount"],
        "tax": sign * row["tax_amount"],
        "total": total,
        "open_balance": left,
        "lines": [_line(line, sign) for line in row["lines."] or () if line["type"] == "line"],
    }


def orders(row: Mapping[str, Any]) -> Iterable[int]:
    """The orders a document is about: of a return, the one that is returned."""
    return (target_of(sale["origin"], SALES) or sale["id"] for sale in row["sales."] or ())


def overdue(row: Mapping[str, Any], today: date) -> tuple[bool, datetime | None]:
    """Whether something of a posted invoice is past its due date and not paid, and since when (None: it is not)."""
    if row["state"] != "posted":
        return False, None
    late = [line for line in _open(row["lines_to_pay."]) if line["maturity_date"] and line["maturity_date"] < today]
    unpaid = sum((line["debit"] - line["credit"] for line in (*late, *_open(row["payment_lines."]))), _NOTHING)
    if not late or unpaid <= 0:
        return False, None
    return True, midnight_after(max(line["maturity_date"] for line in late))


def _line(line: Mapping[str, Any], sign: int) -> dict[str, Any]:
    product, taxes = line["product."], line["taxes."] or ()
    rate = sum((tax["rate"] or _NOTHING for tax in taxes), _NOTHING)
    return {
        "id": str(line["id"]),
        "product": str(line["product"]) if product and product["code"] else None,  # what carriers charge has no code
        "description": line["description"] or (product["name"] if product else None),
        "quantity": sign * Decimal(str(line["quantity"])),
        "unit_price": line["unit_price"],
        "net": sign * line["amount"],
        "tax": (sign * line["amount"] * rate).quantize(_CENT, ROUND_HALF_EVEN),
        "tax_code": ", ".join(sorted(tax["name"] for tax in taxes)) or None,
    }


def _receivables(row: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return (*(row["lines_to_pay."] or ()), *(row["payment_lines."] or ()))


def _open(lines: Iterable[Mapping[str, Any]] | None) -> list[Mapping[str, Any]]:
    return [line for line in lines or () if line["reconciliation"] is None]
