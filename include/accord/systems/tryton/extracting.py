"""Reading customer accounts: every party in every company's books, by what changed when.

An account changes with its party, with the receivable lines of the party, and when an open line falls due. The companies' own
parties are no customers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from accord.errors import SchemaDrift
from accord.ports import Selection, Sink
from accord.routing import LegalEntity, entities_of
from accord.systems.erp_account import ACCOUNT, STAGED, account_native, split_native
from accord.systems.tryton.client import TrytonClient
from accord.systems.tryton.mapping import HOLD_CATEGORY
from accord.systems.tryton.reading import paged, reading, slices

_AT_ONCE = 500  # parties whose accounts are read together
_ANY = ["active", "in", [True, False]]
_LINE = "account.move.line"
_PARTY_FIELDS = [
    "code",
    "name",
    "active",
    "last_modified_at",
    "credit_limit_amount",
    "customer_tax_rule.name",
    "customer_payment_term.name",
    "categories.rec_name",
]
_LINE_FIELDS = ["party", "debit", "credit", "reconciliation", "maturity_date", "last_modified_at"]
_NOTHING = Decimal(0)
_FOREVER = timedelta(days=36_500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """One legal entity's company in Tryton."""

    entity: LegalEntity
    company: int
    currency: str

    @property
    def context(self) -> dict[str, Any]:
        """What makes Tryton answer for this company."""
        return {"company": self.company}


def books_of(client: TrytonClient, system: str) -> tuple[list[Books], set[int]]:
    """The books `system` keeps, and the parties that are companies themselves. Raises SchemaDrift when one is missing."""
    fields = ["party", "party.code", "currency.code"]
    rows = reading(client, "model.company.company.search_read", [], 0, None, None, fields)
    by_code = {row["party."]["code"]: row for row in rows}
    books = []
    for entity in entities_of(system):
        if entity.company not in by_code:
            raise SchemaDrift(
                f"Tryton has no company whose party has the code {entity.company}.",
                cure="Create it, give the integration user access to it, or correct the routing.",
            )
        row = by_code[entity.company]
        books.append(Books(entity=entity, company=row["id"], currency=row["currency."]["code"]))
    return books, {row["party"] for row in rows}


def extract_accounts(client: TrytonClient, system: str, selection: Selection, sink: Sink) -> datetime:
    """Write the selected customer accounts to `sink` in the shape STAGED; the instant the read began, by Tryton's clock."""
    books, companies = books_of(client, system)
    read_at = client.clock
    chosen = [(one, sorted(_selected(client, one, selection, read_at) - companies)) for one in books]
    sink.expect(sum(len(parties) for _, parties in chosen))
    for one, parties in chosen:
        for some in slices(parties, _AT_ONCE):
            rows = _accounts(client, one, some, read_at)
            if selection.natives is None:
                rows = [row for row in rows if _inside(selection, row["modified"])]
            if rows:
                texts = [row | {"modified": row["modified"].isoformat()} for row in rows]
                sink.write(ACCOUNT, pa.Table.from_pylist(texts, schema=STAGED), "account")
    return read_at


def _selected(client: TrytonClient, books: Books, selection: Selection, now: datetime) -> set[int]:
    """The parties whose account in `books` may have changed."""
    if selection.natives is not None:
        pairs = (split_native(native) for native in selection.natives)
        return {int(party) for entity, party in pairs if entity == books.entity.code and party.isdecimal()}
    window: list[Any] = []
    if selection.since:
        window.append(["last_modified_at", ">=", selection.since])
    if selection.until:
        window.append(["last_modified_at", "<", selection.until])
    found = {row["id"] for row in paged(client, "party.party", [*window, _ANY], ["id"])}
    if window:
        lines = paged(client, _LINE, [*_receivable(books), *window], ["party"], context=books.context)
        found |= {row["party"] for row in lines}
        first, last = selection.since or now - _FOREVER, min(selection.until or now, now)
        day = timedelta(days=1)
        fell_due = [["maturity_date", ">=", first.astimezone(UTC).date() - day]]
        fell_due += [["maturity_date", "<", last.astimezone(UTC).date()], ["reconciliation", "=", None]]
        lines = paged(client, _LINE, [*_receivable(books), *fell_due], ["party"], context=books.context)
        found |= {row["party"] for row in lines}
    return found


def _accounts(client: TrytonClient, books: Books, parties: list[int], now: datetime) -> list[dict[str, Any]]:
    domain = [["id", "in", parties], _ANY]
    rows = reading(
        client, "model.party.party.search_read", domain, 0, None, [["id", "ASC"]], _PARTY_FIELDS, context=books.context
    )
    lines: dict[int, list[dict[str, Any]]] = {}
    condition = [*_receivable(books), ["party", "in", parties]]
    for line in paged(client, _LINE, condition, _LINE_FIELDS, context=books.context):
        lines.setdefault(line["party"], []).append(line)
    hold = HOLD_CATEGORY.format(company=books.entity.company)
    return [_account(books, row, lines.get(row["id"], []), hold, now.date()) for row in rows]


def _account(
    books: Books, party: dict[str, Any], lines: list[dict[str, Any]], hold: str, today: date
) -> dict[str, Any]:
    unpaid = [line for line in lines if line["reconciliation"] is None]
    late = [line for line in unpaid if line["maturity_date"] is None or line["maturity_date"] < today]
    moments = [party["last_modified_at"], *(line["last_modified_at"] for line in lines)]
    moments += [_midnight_after(line["maturity_date"]) for line in late if line["maturity_date"]]
    limit = party["credit_limit_amount"]
    native = str(party["id"])
    return {
        "account": account_native(books.entity.code, native),
        "customer": native,
        "company": books.entity.company,
        "customer_number": party["code"],
        "legal_name": party["name"] or None,
        "tax_classification": (party["customer_tax_rule."] or {}).get("name"),
        "payment_terms": (party["customer_payment_term."] or {}).get("name"),
        "currency": books.currency,
        "credit_limit": None if limit is None else str(limit),
        "flagged": _flag(any(c["rec_name"] == hold for c in party["categories."] or ())),
        "balance": str(_sum(unpaid)),
        "overdue": str(_sum(late)),
        "active": _flag(party["active"]),
        "modified": max(moments),
    }


def _receivable(books: Books) -> list[Any]:
    return [["party", "!=", None], ["account.type.receivable", "=", True], ["move.company", "=", books.company]]


def _sum(lines: Iterable[dict[str, Any]]) -> Decimal:
    return sum((line["debit"] - line["credit"] for line in lines), _NOTHING)


def _inside(selection: Selection, at: datetime) -> bool:
    return (selection.since is None or at >= selection.since) and (selection.until is None or at < selection.until)


def _midnight_after(day: date) -> datetime:
    """When a line due on `day` is overdue: the next midnight, UTC."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def _flag(value: bool) -> str:
    return "true" if value else "false"
