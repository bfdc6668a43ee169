"""`accord doctor` for Tryton: login, rights, fields, relation type, companies, and who owns the financial fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from accord.errors import AccordError
from accord.ports import Check
from accord.routing import entities_of
from accord.systems.tryton.client import TrytonClient
from accord.systems.tryton.mapping import RELATION

_NEEDED = {
    "party.party": ("read", "write", "create"),
    "party.address": ("read", "write", "create"),
    "party.contact_mechanism": ("read", "write", "create"),
    "party.identifier": ("read", "write", "create"),
    "account.move.line": ("read",),
    "country.country": ("read",),
    "country.subdivision": ("read",),
}
_FINANCE = ("credit_limit_amount", "customer_tax_rule", "customer_payment_term")


def check_tryton(client: TrytonClient, system: str) -> Iterator[Check]:
    """One line for each thing the adapter relies on."""
    try:
        client.call("model.res.user.get_preferences", True)
        yield Check(subject=f"{system}: login", ok=True, found="accepted")
        yield from _rights(client, system)
        yield _relation(client, system)
        yield from _companies(client, system)
        yield from _ownership(client, system)
    except AccordError as error:
        yield Check(
            subject=f"{system}: connection", ok=False, found=type(error).__name__, cure=error.cure or str(error)
        )


def _rights(client: TrytonClient, system: str) -> Iterator[Check]:
    access: dict[str, dict[str, Any]] = client.call("model.ir.model.access.get_access", list(_NEEDED))
    for model, rights in _NEEDED.items():
        lacking = [right for right in rights if not access.get(model, {}).get(right, True)]
        found = f"no right to {', '.join(lacking)}" if lacking else ", ".join(rights)
        cure = "Give it to the integration user's group." if lacking else ""
        yield Check(subject=f"{system}: {model}", ok=not lacking, found=found, cure=cure)


def _relation(client: TrytonClient, system: str) -> Check:
    subject = f"{system}: relation {RELATION!r}"
    found = client.call("model.party.relation.type.search_read", [["name", "=", RELATION]], 0, None, None, ["reverse"])
    if len(found) == 1 and found[0]["reverse"]:
        return Check(subject=subject, ok=True, found="set up with its reverse")
    return Check(
        subject=subject, ok=False, found="not set up", cure="Create it, with its reverse, in the party configuration."
    )


def _companies(client: TrytonClient, system: str) -> Iterator[Check]:
    fields = ["party.code", "currency.code"]
    rows = client.call("model.company.company.search_read", [], 0, None, None, fields)
    known = {row["party."]["code"]: (row["id"], row["currency."]["code"]) for row in rows}
    allowed = client.context.get("companies", [])
    for entity in entities_of(system):
        subject = f"{system}: company {entity.company}"
        identity, currency = known.get(entity.company, (None, None))
        if identity is None:
            yield Check(subject=subject, ok=False, found="is not there", cure="Create it, or correct the routing.")
        elif identity not in allowed:
            yield Check(subject=subject, ok=False, found="not open to the user", cure="Add it to the user's companies.")
        elif currency != entity.currency:
            found = f"keeps its books in {currency}, not {entity.currency}"
            yield Check(subject=subject, ok=False, found=found, cure="Correct the routing's currency.")
        else:
            yield Check(subject=subject, ok=True, found=f"legal entity {entity.code}, {currency}")


def _ownership(client: TrytonClient, system: str) -> Iterator[Check]:
    fields = client.call("model.party.party.fields_get", list(_FINANCE))
    for name in _FINANCE:
        subject = f"{system}: party.party.{name}"
        if name not in fields:
            yield Check(subject=subject, ok=False, found="is not there", cure="Install the module it belongs to.")
        else:
            yield Check(subject=subject, ok=True, found="read only" if fields[name].get("readonly") else "readable")
