"""`accord doctor` for Tryton: login, rights, companies, and what each object's handler asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from accord.errors import AccordError
from accord.ports import Check
from accord.routing import entities_in
from accord.systems.erp import Handler, all_needs
from accord.systems.tryton.client import TrytonClient


def check_tryton(client: TrytonClient, system: str, handlers: Iterable[Handler[Any]]) -> Iterator[Check]:
    """One line for each thing the adapter and its handlers rely on."""
    try:
        client.call("model.res.user.get_preferences", True)
        yield Check(subject=f"{system}: login", ok=True, found="accepted")
        handlers = list(handlers)
        yield from _rights(client, system, all_needs(handlers))
        yield from _companies(client, system)
        for handler in handlers:
            yield from handler.checks()
    except AccordError as error:
        yield Check(
            subject=f"{system}: connection", ok=False, found=type(error).__name__, cure=error.cure or str(error)
        )


def _rights(client: TrytonClient, system: str, needs: Mapping[str, tuple[str, ...]]) -> Iterator[Check]:
    access: dict[str, dict[str, Any]] = client.call("model.ir.model.access.get_access", list(needs))
    for model, rights in needs.items():
        lacking = [right for right in rights if not access.get(model, {}).get(right, True)]
        found = f"no right to {', '.join(lacking)}" if lacking else ", ".join(rights)
        cure = "Give it to the integration user's group." if lacking else ""
        yield Check(subject=f"{system}: {model}", ok=not lacking, found=found, cure=cure)


def _companies(client: TrytonClient, system: str) -> Iterator[Check]:
    fields = ["party.code", "currency.code"]
    rows = client.call("model.company.company.search_read", [], 0, None, None, fields)
    known = {row["party."]["code"]: (row["id"], row["currency."]["code"]) for row in rows}
    allowed = client.context.get("companies", [])
    for entity in entities_in(system):
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
