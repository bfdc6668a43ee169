"""Payments out of Tryton: posted moves of a bank or cash journal that credit a customer's receivable account.

Told from the receivable lines alone, however it was booked: a line that names an invoice pays it, a reconciled line that
names none settled something else, an open one is unapplied. A payment is reversed when its lines are reconciled with
those of a move whose origin it is. Applying a part of an invoice writes the invoice, not the line that pays it: a payment
changes with the invoices it pays, too.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from accord.ports import Selection
from accord.systems.tryton.billing import INVOICES, shown
from accord.systems.tryton.books import Books
from accord.systems.tryton.documents import Documents, target_of
from accord.systems.tryton.reading import paged, window_of
from accord.systems.tryton.receivables import LINE, receivable

MOVE, STATEMENT_LINE = "account.move", "account.statement.line"
_JOURNALS = ("statement", "cash")  # types of journals that money arrives in
_NOTHING = Decimal(0)
_FIELDS = [
    *("move", "party", "credit", "amount_second_currency", "second_currency.code", "origin", "move_origin"),
    *(
        "invoice_payments",
        "invoice_payments.last_modified_at",
        "reconciliation",
        "reconciliation.lines.move_origin",
        "last_modified_at",
    ),
    *("move.number", "move.date", "move.journal.name", "move.last_modified_at"),
]
_PLACES = {
    "number": "account.statement.line.number, or account.move.number",
    "customer": "account.move.line.party",
    "legal_entity": "account.move.company",
    "status": "account.move.line (Reversed: reconciled with a move whose origin is this one)",
    "paid_on": "account.move.date",
    "method": "account.statement.journal.name, or account.move.journal.name",
    "currency": "account.move.line.second_currency.code, or the company's",
    "amount": "account.move.line.amount_second_currency, or credit",
    "unapplied": "account.move.line (neither reconciled nor paying an invoice)",
    "applications.id": "account.move.line.id",
    "applications.invoice": "account.move.line.invoice_payments",
    "applications.amount": "account.move.line.amount_second_currency, or credit",
    "applications.applied_on": "account.move.date",
}


class Payments(Documents):
    """Reads them; the native id is that of the move."""

    places = _PLACES
    needs: ClassVar = dict.fromkeys((MOVE, LINE, INVOICES, "account.move.reconciliation", STATEMENT_LINE), ("read",))

    def _selected(self, books: Books, selection: Selection, now: datetime) -> set[int]:
        client, found = self._context.client, set()
        for stamp in ("last_modified_at", "move.last_modified_at"):
            window = [[stamp, *condition[1:]] for condition in window_of(selection)]
            rows = paged(client, LINE, [*_receipts(books), *window], ["move"], context=books.context)
            found |= {row["move"] for row in rows}
        if window_of(selection):
            domain = [*shown(books, credits=False), *window_of(selection)]
            invoices = paged(client, INVOICES, domain, ["payment_lines.move"], context=books.context)
            found |= {line["move"] for row in invoices for line in row["payment_lines."] or ()}
        return found

    def _rows(self, books: Books, ids: list[int], now: datetime) -> list[dict[str, Any]]:
        moves: dict[int, list[dict[str, Any]]] = {}
        domain = [*_receipts(books), ["move", "in", ids]]
        for line in paged(self._context.client, LINE, domain, _FIELDS, context=books.context):
            if target_of(line["move_origin"], MOVE) is None:  # else it takes another one back
                moves.setdefault(line["move"], []).append(line)
        told = self._statement_lines(books, [line for lines in moves.values() for line in lines])
        return [_payment(books, move, lines, told) for move, lines in moves.items()]

    def _statement_lines(self, books: Books, lines: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
        """What the bank's statements say of the lines."""
        ids = [identity for line in lines if (identity := target_of(line["origin"], STATEMENT_LINE))]
        if not ids:
            return {}
        fields = ["number", "statement.journal.name"]
        rows = paged(self._context.client, STATEMENT_LINE, [["id", "in", ids]], fields, context=books.context)
        return {row["id"]: row for row in rows}


def _receipts(books: Books) -> list[Any]:
    return [
        *receivable(books),
        ["credit", ">", _NOTHING],
        ["move.state", "=", "posted"],
        ["move.journal.type", "in", [*_JOURNALS]],
    ]


def _payment(
    books: Books, move: int, lines: list[dict[str, Any]], statements: dict[int, dict[str, Any]]
) -> dict[str, Any]:
    first = lines[0]
    said = statements.get(target_of(first["origin"], STATEMENT_LINE) or 0)
    head, foreign = first["move."], first["second_currency."]
    amount = sum((_amount(line) for line in lines), _NOTHING)
    reversed_ = any(_taken_back(line, move) for line in lines)
    applied = [] if reversed_ else [line for line in lines if line["invoice_payments"] or line["reconciliation"]]
    unapplied = _NOTHING if reversed_ else amount - sum((_amount(line) for line in applied), _NOTHING)
    return {
        "native": str(move),
        "modified": max([head["last_modified_at"], *(stamp for line in lines for stamp in _stamps(line))]),
        "gone": False,
        "number": (said and said["number"]) or head["number"],
        "customer": str(first["party"]),
        "legal_entity": books.entity.code,
        "status": _status(amount, unapplied, reversed_),
        "paid_on": head["date"],
        "method": said["statement."]["journal."]["name"] if said else head["journal."]["name"],
        "currency": foreign["code"] if foreign else books.currency,
        "amount": amount,
        "unapplied": unapplied,
        "applications": [_application(line) for line in applied],
    }


def _stamps(line: dict[str, Any]) -> list[datetime]:
    return [line["last_modified_at"], *(invoice["last_modified_at"] for invoice in line["invoice_payments."] or ())]


def _status(amount: Decimal, unapplied: Decimal, reversed_: bool) -> str:
    if reversed_:
        return "Reversed"
    if not unapplied:
        return "Applied"
    return "Partly Applied" if unapplied < amount else "Received"


def _application(line: dict[str, Any]) -> dict[str, Any]:
    pays = line["invoice_payments"]
    return {
        "id": str(line["id"]),
        "invoice": str(min(pays)) if pays else None,
        "amount": _amount(line),
        "applied_on": line["move."]["date"],
    }


def _amount(line: dict[str, Any]) -> Decimal:
    """In the currency of the payment."""
    return Decimal(abs(line["amount_second_currency"]) if line["second_currency."] else line["credit"])


def _taken_back(line: dict[str, Any], move: int) -> bool:
    others = (line["reconciliation."] or {}).get("lines.") or ()
    return any(target_of(other["move_origin"], MOVE) == move for other in others)
