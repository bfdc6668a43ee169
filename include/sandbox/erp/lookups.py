"""Finding records in the ERP by what people call them."""

from __future__ import annotations

from typing import Any

from sandbox.erp.rpc import Client


class NothingToDo(Exception):
    """The order, shipment or invoice is not there, or not in a state in which this can be done."""


def rows(
    client: Client, model: str, domain: list[Any], fields: list[str], company: int | None = None
) -> list[dict[str, Any]]:
    """What meets the domain, oldest first, seen from a company if one is given."""
    context = {"company": company} if company else None
    found: list[dict[str, Any]] = client.call(
        f"model.{model}.search_read", domain, 0, None, [("id", "ASC")], fields, context=context
    )
    return found


def only(
    client: Client, model: str, domain: list[Any], fields: list[str], company: int | None = None
) -> dict[str, Any]:
    """The first that meets the domain. Raises NothingToDo when none does."""
    found = rows(client, model, domain, fields, company)
    if not found:
        raise NothingToDo(f"there is no {model} with {domain}")
    return found[0]


def in_company_of(client: Client, record: dict[str, Any], method: str, ids: list[int]) -> Any:
    """Call in the name of the record's company."""
    return client.call(f"model.{method}", ids, context={"company": record["company"]})
