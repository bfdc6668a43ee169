"""Finance's work in the ERP: terms, limits, tax rules, holds and open items, for every customer that is new to finance.

Everything follows from the customer's code, so that two sandboxes agree. A customer whose limit is set is done: a second
run changes nothing, and what a person changed since stays.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.erp.rpc import Client
from sandbox.erp.server import Erp

CALL = 100  # records per call
OPENING = "Opening balance "
BUYS = "is customer of"  # the relation from a customer to the company that sells to it
_TERMS = ("NET30", "NET30", "NET30", "NET14", "NET60", "Immediate")
_TERM_DAYS = {"NET30": 30, "NET14": 14, "NET60": 60, "Immediate": 0}
_LIMITS = ("0", "5000", "10000", "25000", "50000", "100000", "250000")
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What finance decides about one customer. Items are (days ago, amount), amounts in the company's currency."""

    term: str
    limit: Decimal
    hold: bool
    items: tuple[tuple[int, Decimal], ...]


def decide(code: str) -> Decision:
    """The decision about the customer ``code``: always the same."""
    dice = hashlib.sha256(code.encode()).digest()
    limit = Decimal(_LIMITS[dice[0] % len(_LIMITS)])
    ceiling = max(limit, Decimal(2000))
    items = tuple(
        (5 + dice[3 + number] % 110, (ceiling * (10 + dice[6 + number]) / 600).quantize(_CENT))
        for number in range(dice[1] % 4)  # a quarter of the customers owe nothing
    )
    return Decision(term=_TERMS[dice[2] % len(_TERMS)], limit=limit, hold=dice[9] % 20 == 0, items=items)


def finance(erp: Erp, today: dt.date | None = None) -> int:
    """Do finance's work in every legal entity of the ERP, for its customers.

    Args:
        today: the day items are dated back from; the current one (UTC) when not given.

    Returns:
        How many customer accounts were new to finance, over all legal entities.

    Raises:
        TrytonError: the ERP refused.
        requests.RequestException: the ERP can't be reached.
    """
    client = erp.client("finance")
    day = today or dt.datetime.now(tz=dt.UTC).date()
    companies = _all(client, "company.company", [], ["party", "party.code", "party.addresses.country.code"])
    own = [company["party."]["code"] for company in companies]
    return sum(_one_company(client, company, own, day) for company in companies)


def _one_company(client: Client, company: dict[str, Any], own: list[str], today: dt.date) -> int:
    client = client.within(company=company["id"])
    fields = ["code", "credit_limit_amount", "tax_identifier", "addresses.invoice", "addresses.country.code"]
    buys = ("relations", "where", [("type.name", "=", BUYS), ("to", "=", company["party"])])
    customers = _all(client, "party.party", [("code", "not in", own), buys], fields)
    fresh = [customer for customer in customers if customer["credit_limit_amount"] is None]
    _post_openings(client, customers, company, today)
    _set_conditions(client, fresh, company)  # last: a set limit says that the rest is done
    return len(fresh)


def _set_conditions(client: Client, customers: list[dict[str, Any]], company: dict[str, Any]) -> None:
    terms = _named(client, "account.invoice.payment_term", [])
    rules = _named(client, "account.tax.rule", [("company", "=", company["id"])])
    code = company["party."]["code"]
    hold = client.call(
        "model.party.category.search", [("name", "=", code), ("parent.name", "=", "Credit hold")], 0, 1, None
    )
    home = _country(company["party."]["addresses."], None)
    members = _all(client, "country.organization", [("code", "=", "EU")], ["members.country.code", "members.active"])
    union = {member["country."]["code"] for one in members for member in one["members."] if member["active"]}
    for start in range(0, len(customers), CALL):
        words: list[Any] = []
        for customer in customers[start : start + CALL]:
            decision = decide(customer["code"])
            values: dict[str, Any] = {
                "customer_payment_term": terms[decision.term],
                "credit_limit_amount": decision.limit,
                "customer_tax_rule": rules.get(_tax_rule(customer, home, union)) or rules["Export"],
            }
            if decision.hold:
                values["categories"] = [("add", hold)]
            words += [[customer["id"]], values]
        client.call("model.party.party.write", *words)


def _country(addresses: list[dict[str, Any]], otherwise: str | None) -> str | None:
    """Where the bill goes."""
    bills = [address for address in addresses if address.get("invoice")] or addresses
    return (bills[0]["country."] or {}).get("code", otherwise) if bills else otherwise


def _tax_rule(customer: dict[str, Any], home: str | None, union: set[str]) -> str:
    """By where the bill goes: at home, to a taxable person in the European Union, or out of it."""
    country = _country(customer["addresses."], home)
    if country == home or (home in union and country in union and not customer["tax_identifier"]):
        return "Domestic"
    return "EU reverse charge" if country in union else "Export"


def _post_openings(client: Client, customers: list[dict[str, Any]], company: dict[str, Any], today: dt.date) -> None:
    """One posted move per open item. A move is told by its description, so that an interrupted run leaves no second one."""
    ours = ("company", "=", company["id"])
    known = _all(client, "account.move", [ours, ("description", "like", f"{OPENING}%")], ["description", "state"])
    done = {move["description"] for move in known}
    receivable = _first(client, "account.account", [ours, ("type.receivable", "=", True)], [("code", "ASC")])
    equity = _first(client, "account.account", [ours, ("code", "=", "3.1.1")], None)
    journal = _first(client, "account.journal", [("type", "=", "general")], [("name", "ASC")])
    periods = _all(client, "account.period", [ours, ("type", "=", "standard")], ["start_date", "end_date"])
    moves = []
    for customer in customers:
        decision = decide(customer["code"])
        for number, (age, amount) in enumerate(decision.items, start=1):
            name = f"{OPENING}{customer['code']} {number}"
            if name in done or customer["credit_limit_amount"] is not None:
                continue
            day = today - dt.timedelta(days=age)
            period = next(p["id"] for p in periods if p["start_date"] <= day <= p["end_date"])
            due = day + dt.timedelta(days=_TERM_DAYS[decision.term])
            debit = {"account": receivable, "party": customer["id"], "maturity_date": due}
            lines = [
                debit | {"debit": amount, "credit": Decimal(0)},
                {"account": equity, "debit": Decimal(0), "credit": amount},
            ]
            head = {"period": period, "journal": journal, "date": day, "company": company["id"]}
            moves.append(head | {"description": name, "lines": [("create", lines)]})
    drafts = [move["id"] for move in known if move["state"] == "draft"]
    for start in range(0, len(moves), CALL):
        drafts += client.call("model.account.move.create", moves[start : start + CALL])
    for start in range(0, len(drafts), CALL):
        client.call("model.account.move.post", drafts[start : start + CALL])


def _all(client: Client, model: str, domain: list[Any], fields: list[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.call(f"model.{model}.search_read", domain, 0, None, [("id", "ASC")], fields)
    return rows


def _first(client: Client, model: str, domain: list[Any], order: list[Any] | None) -> int:
    return int(client.call(f"model.{model}.search", domain, 0, 1, order)[0])


def _named(client: Client, model: str, domain: list[Any]) -> dict[str, int]:
    return {row["name"]: row["id"] for row in _all(client, model, domain, ["name"])}
