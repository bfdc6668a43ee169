"""Money that arrives on a company's bank account: one statement for what came together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.erp.lookups import NothingToDo, only, rows
from sandbox.erp.rpc import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One payment: the bank's number of it, the customer's code, the amount, and how much of it is for which invoice."""

    number: str
    customer: str
    amount: Decimal
    invoices: Mapping[str, Decimal]

    @property
    def unapplied(self) -> Decimal:
        """What is for no invoice."""
        return self.amount - sum(self.invoices.values(), Decimal(0))


def receive(finance: Client, receipts: Sequence[Receipt], *, entity: str, currency: str | None = None) -> int:
    """Book the receipts that are not booked yet, in one posted statement; how many that were.

    Args:
        entity: the code of the company whose bank it is.
        currency: of the bank account, which must be the invoices'; the company's own when not given.

    Raises:
        NothingToDo: a customer, the company or an invoice is not there.
    """
    company = only(finance, "company.company", [("party.code", "=", entity)], ["currency.code"])
    ours = [("company", "=", company["id"]), ("currency.code", "=", currency or company["currency."]["code"])]
    journal = only(finance, "account.statement.journal", ours, ["account"])
    booked = [("number", "in", [one.number for one in receipts]), ("statement.journal", "=", journal["id"])]
    known = {row["number"] for row in rows(finance, "account.statement.line", booked, ["number"])}
    fresh = [one for one in receipts if one.number not in known]
    if not fresh:
        return 0
    lines = _lines(finance, company["id"], fresh)
    head = {"name": fresh[0].number, "company": company["id"], "journal": journal["id"], "date": _today()}
    total = sum((one.amount for one in fresh), Decimal(0))
    context = {"company": company["id"]}
    statement = {**head, "total_amount": total, "lines": [("create", lines)]}
    made = finance.call("model.account.statement.create", [statement], context=context)
    for step in ("validate_statement", "post"):
        finance.call(f"model.account.statement.{step}", made, context=context)
    return len(fresh)


def _lines(finance: Client, company: int, receipts: Sequence[Receipt]) -> list[dict[str, Any]]:
    receivable = [("company", "=", company), ("type.receivable", "=", True), ("closed", "!=", True)]
    account = only(finance, "account.account", receivable, [])["id"]
    parties = _by(finance, "party.party", "code", [one.customer for one in receipts], [], [])
    mine = [("company", "=", company), ("type", "=", "out")]
    numbers = [number for one in receipts for number in one.invoices]
    invoices = _by(finance, "account.invoice", "number", numbers, mine, ["account"])
    lines = []
    for one in receipts:
        common = {"number": one.number, "date": _today(), "party": parties[one.customer]["id"], "account": account}
        for number, part in one.invoices.items():
            invoice = invoices[number]
            about = {"amount": part, "related_to": f"account.invoice,{invoice['id']}", "account": invoice["account"]}
            lines.append(common | about)
        if one.unapplied:
            lines.append(common | {"amount": one.unapplied})
    return lines


def _by(
    finance: Client, model: str, name: str, values: Sequence[str], domain: list[Any], fields: list[str]
) -> dict[str, dict[str, Any]]:
    """The records by what people call them. Raises NothingToDo naming those that are not there."""
    found = {row[name]: row for row in rows(finance, model, [(name, "in", list(values)), *domain], [name, *fields])}
    missing = set(values) - set(found)
    if missing:
        raise NothingToDo(f"there is no {model} with {name} {', '.join(sorted(missing))}")
    return found


def _today() -> dt.date:
    return dt.datetime.now(tz=dt.UTC).date()
