"""Parties of the sandbox's ERP as its own people make them."""

from __future__ import annotations

from typing import Any

from sandbox.erp.finance import BUYS
from sandbox.erp.rpc import Client


def buys_from(client: Client, *entities: str) -> list[Any]:
    """The value of `relations` that makes a new party a customer of these legal entities."""
    (kind,) = client.call("model.party.relation.type.search", [["name", "=", BUYS]])
    companies = client.call("model.party.party.search", [["code", "in", entities]])
    assert len(companies) == len(entities)
    return [["create", [{"to": company, "type": kind} for company in companies]]]
