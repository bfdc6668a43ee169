"""Customer accounts: a party in the books of each company it buys from or ever owed something, by what changed when.

It buys from a company when it has the relation BUYS to the company's own party. Where that has ended the account is gone, but
for what is in the books: then it stays, inactive. An account changes with its party (relations are written through it), with the
party's receivable lines, and on the day an open line falls due or a relation begins or ends. The companies' own parties are no
customers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

import pyarrow as pa

from accord.objects.definition import BusinessObject
from accord.ports import Check, Selection, Sink
from accord.systems import erp_account, erp_rows
from accord.systems.erp import SourceHandler
from accord.systems.erp_account import account_native, split_native
from accord.systems.tryton.books import Books, books_of
from accord.systems.tryton.buyers import RELATION, Buying, buyers, buyers_changed
from accord.systems.tryton.client import TrytonClient
from accord.systems.tryton.context import Context
from accord.systems.tryton.customer.mapping import BUYS
from accord.systems.tryton.customer.relations import relation_type
from accord.systems.tryton.reading import ANY, paged, reading, slices, window_of
from accord.systems.tryton.receivables import (
    LINE,
    changed,
    fell_due,
    midnight_after,
    receivable,
)

HOLD_CATEGORY = "Credit hold / {company}"

_AT_ONCE = 500  # parties whose accounts are read together
_FINANCE = ("credit_limit_amount", "customer_tax_rule", "customer_payment_term")
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
_PLACES = {
    "customer": "party.party.id",
    "legal_entity": "company.company.party.code",
    "customer_number": "party.party.code",
    "legal_name": "party.party.name",
    "tax_classification": "party.party.customer_tax_rule.name",
    "payment_terms": "party.party.customer_payment_term.name",
    "currency": "company.company.currency.code",
    "credit_limit": "party.party.credit_limit_amount",
    "credit_hold": f"party.category {HOLD_CATEGORY}, or the balance is above the limit",
    "balance": "account.move.line (receivable, open)",
    "overdue": "account.move.line (receivable, open, past its maturity)",
    **erp_account.DERIVED_PLACES,
    "active": f"party.party.active, and party.relation.all ({BUYS}) has not ended",
}


class CustomerAccounts(SourceHandler[Context]):
    """Reads them."""

    not_read = erp_account.NOT_READ
    places = _PLACES
    needs: ClassVar = {"party.party": ("read",), LINE: ("read",), RELATION: ("read",)}

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        """By Tryton's clock."""
        client = self._context.client
        books, companies = books_of(client, self._context.name)
        buys = relation_type(client, BUYS)
        read_at = client.clock
        chosen = [(one, sorted(_selected(client, one, buys, selection, read_at) - companies)) for one in books]
        sink.expect(sum(len(parties) for _, parties in chosen))
        for one, parties in chosen:
            for some in slices(parties, _AT_ONCE):
                rows = _accounts(client, one, some, buyers(client, one, buys, some, read_at.date()), read_at)
                # whoever asks for an account is told that it is gone, though nothing tells that it was ever there
                rows = [row for row in rows if row["known"] or selection.natives is not None]
                erp_rows.write(sink, definition, self.not_read, rows, selection)
        return read_at

    def derive(self, table: pa.Table) -> pa.Table:
        return erp_account.derive(self._context.name, table)

    def checks(self) -> Iterator[Check]:
        """Whether the financial fields are there, and whose they are."""
        fields = self._context.client.call("model.party.party.fields_get", list(_FINANCE))
        for name in _FINANCE:
            subject = f"{self._context.name}: party.party.{name}"
            if name not in fields:
                yield Check(subject=subject, ok=False, found="is not there", cure="Install the module it belongs to.")
            else:
                yield Check(subject=subject, ok=True, found="read only" if fields[name].get("readonly") else "readable")


def _selected(client: TrytonClient, books: Books, buys: int, selection: Selection, now: datetime) -> set[int]:
    """The parties whose account in `books` may have changed."""
    if selection.natives is not None:
        pairs = (split_native(native) for native in selection.natives)
        return {int(party) for entity, party in pairs if entity == books.entity.code and party.isdecimal()}
    window = window_of(selection)
    found = {row["id"] for row in paged(client, "party.party", [*window, ANY], ["id"])}
    if window:
        found |= {row["party"] for row in changed(client, books, selection, ["party"])}
        found |= {row["party"] for row in fell_due(client, books, selection, now, ["party"])}
        found |= buyers_changed(client, books, buys, selection, now)
    return found


def _accounts(
    client: TrytonClient, books: Books, parties: list[int], buying: Mapping[int, Buying], now: datetime
) -> list[dict[str, Any]]:
    domain = [["id", "in", parties], ANY]
    rows = reading(
        client, "model.party.party.search_read", domain, 0, None, [["id", "ASC"]], _PARTY_FIELDS, context=books.context
    )
    lines: dict[int, list[dict[str, Any]]] = {}
    condition = [*receivable(books), ["party", "in", parties]]
    for line in paged(client, LINE, condition, _LINE_FIELDS, context=books.context):
        lines.setdefault(line["party"], []).append(line)
    hold = HOLD_CATEGORY.format(company=books.entity.company)
    return [_account(books, row, lines.get(row["id"], []), buying.get(row["id"]), hold, now.date()) for row in rows]


def _account(
    books: Books,
    party: dict[str, Any],
    lines: list[dict[str, Any]],
    buying: Buying | None,
    hold: str,
    today: date,
) -> dict[str, Any]:
    unpaid = [line for line in lines if line["reconciliation"] is None]
    late = [line for line in unpaid if line["maturity_date"] is None or line["maturity_date"] < today]
    moments = [party["last_modified_at"], *(line["last_modified_at"] for line in lines)]
    moments += [midnight_after(line["maturity_date"]) for line in late if line["maturity_date"]]
    moments += buying.moments if buying else ()
    native = str(party["id"])
    return {
        "known": bool(buying or lines),
        "native": account_native(books.entity.code, native),
        "modified": max(moments),
        "gone": not (lines or (buying and buying.now)),
        "customer": native,
        "legal_entity": books.entity.code,
        "customer_number": party["code"],
        "legal_name": party["name"] or None,
        "tax_classification": (party["customer_tax_rule."] or {}).get("name"),
        "payment_terms": (party["customer_payment_term."] or {}).get("name"),
        "currency": books.currency,
        "credit_limit": party["credit_limit_amount"],
        "credit_hold": any(c["rec_name"] == hold for c in party["categories."] or ()),
        "balance": _sum(unpaid),
        "overdue": _sum(late),
        "active": party["active"] and (buying is None or buying.now),
    }


def _sum(lines: Iterable[dict[str, Any]]) -> Decimal:
    return sum((line["debit"] - line["credit"] for line in lines), _NOTHING)
