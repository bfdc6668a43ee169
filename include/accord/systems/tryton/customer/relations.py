"""Relations of a party: to the one above it, and to the companies it buys from.

Tryton's parties belong to no company: that a legal entity sells to a customer is a relation from the party to the company's own.
It is ended, not deleted: one that was there tells that the account in that company's books is gone, one that never was tells
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from accord.errors import SchemaDrift
from accord.systems.tryton.books import books_of
from accord.systems.tryton.client import TrytonClient
from accord.systems.tryton.customer.mapping import ABOVE, BUYS
from accord.systems.tryton.reading import reading

Operation = list[Any]  # ["create", [values…]] | ["write", [ids], values] | ["delete", [ids]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relations:
    """What is set up in one database: ids of relation types, and of the companies' parties by legal entity."""

    above: int
    buys: int
    companies: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A relation that holds: its id, the party it leads to, and since when."""

    id: int
    to: int
    since: date | None = None


def relations_of(client: TrytonClient, system: str) -> Relations:
    """Those of the ERP called `system`. Raises SchemaDrift when a type or a company is not set up."""
    books, _ = books_of(client, system)
    companies = {one.entity.code: one.party for one in books}
    return Relations(above=relation_type(client, ABOVE), buys=relation_type(client, BUYS), companies=companies)


def relation_type(client: TrytonClient, name: str) -> int:
    """The id of the type of that name. Raises SchemaDrift when it is not set up."""
    found = reading(client, "model.party.relation.type.search", [["name", "=", name]])
    if len(found) != 1:
        raise SchemaDrift(
            f"Tryton has no relation type {name!r}.", cure="Create it, with its reverse, in the party configuration."
        )
    return int(found[0])


def creations(relations: Relations, parent: int | None, buys_from: Iterable[int]) -> list[Operation]:
    """The operations that give a new party its relations."""
    made = [{"to": parent, "type": relations.above}] if parent is not None else []
    made += [{"to": company, "type": relations.buys} for company in sorted(buys_from)]
    return [["create", made]] if made else []


def changes(
    relations: Relations,
    held: tuple[Mapping[int, int], Iterable[Relation]],
    wanted: tuple[int | None, frozenset[int]],
    today: date,
) -> list[Operation]:
    """The operations that lead from the relations a party has to those it is to have; [] when they are the same.

    `held` is parent → id of the relation, and the relations to companies; `wanted` the parent and the companies.
    """
    (parents, buying), (parent, buys_from) = held, wanted
    stale = [identity for to, identity in parents.items() if to != parent]
    operations: list[Operation] = [["delete", stale]] if stale else []
    operations += [["write", [one.id], _ended(one, today)] for one in buying if one.to not in buys_from]
    missing = buys_from - {one.to for one in buying}
    return operations + creations(relations, parent if parent not in parents else None, missing)


def _ended(relation: Relation, today: date) -> dict[str, date]:
    """It held yesterday for the last time; Tryton wants no end before the beginning."""
    end = today - timedelta(days=1)
    return {"end_date": end} | ({"start_date": end} if relation.since and relation.since > end else {})
