"""Which legal entity keeps its books in which ERP: declared data.

Moving an entity is a change here (its new `system` and `company`, the old ones in `formerly`) plus `accord migrate`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """An ERP that kept a legal entity's books before, and the company code there. It finishes the orders it had begun to
    fulfil, and its documents are read for as long as it is declared."""

    system: str
    company: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalEntity:
    """A company of the group. `currency` ISO 4217, `country` ISO 3166-1 alpha-2, `system` the ERP that keeps its books,
    `company` the company code there, `trades_in` the currencies it agrees with customers, `formerly` the ERPs that kept
    its books before."""

    code: str
    name: str
    currency: str
    country: str
    system: str
    company: str
    trades_in: frozenset[str]
    formerly: tuple[Former, ...] = ()


LEGAL_ENTITIES = (
    LegalEntity(
        code="NL01",
        name="Meridian Instruments B.V.",
        currency="EUR",
        country="NL",
        system="tryton",
        company="NL01",
        trades_in=frozenset({"CHF", "CZK", "DKK", "EUR", "GBP", "NOK", "PLN", "SEK", "USD"}),
    ),
    LegalEntity(
        code="GB01",
        name="Meridian Instruments Ltd.",
        currency="GBP",
        country="GB",
        system="tryton",
        company="GB01",
        trades_in=frozenset({"EUR", "GBP"}),
    ),
    LegalEntity(
        code="US01",
        name="Meridian Instruments Inc.",
        currency="USD",
        country="US",
        system="legacy",
        company="US01",
        trades_in=frozenset({"AUD", "CAD", "JPY", "SGD", "USD"}),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Who sells to a customer in one of `countries` (None: anywhere), when all that is ordered is of `families` (None: of any)."""

    entity: str
    countries: frozenset[str] | None = None
    families: frozenset[str] | None = None


AMERICAS_AND_PACIFIC = frozenset("AR AU BR CA CL CO JP MX NZ PE SG US".split())
BRITISH_ISLES = frozenset({"GB", "GG", "IE", "IM", "JE"})

# Looked at in this order; one whose legal entity does not sell to the customer is passed over. Subscriptions are billed by one
# legal entity for the whole of Europe.
ROUTES = (
    Route(entity="US01", countries=AMERICAS_AND_PACIFIC),
    Route(entity="NL01", families=frozenset({"Subscriptions"})),
    Route(entity="GB01", countries=BRITISH_ISLES),
    Route(entity="NL01"),
)


def route(buys_from: Iterable[str] | None, country: str | None, families: Iterable[str | None]) -> str | None:
    """The legal entity that sells to a customer, by ROUTES; None when none of those it buys from does.

    Args:
        buys_from: legal entities of the customer. When it is a single one, that one sells.
        country: the customer's, ISO 3166-1 alpha-2. Unknown, only routes for any country apply.
        families: the product lines of what is ordered.
    """
    allowed, ordered = set(buys_from or ()), set(families)
    if len(allowed) == 1:
        return allowed.pop()
    for one in ROUTES:
        there = one.countries is None or country in one.countries
        if one.entity in allowed and there and (one.families is None or ordered <= one.families):
            return one.entity
    return None


def erps() -> tuple[str, ...]:
    """Every ERP that keeps the books of a legal entity, or kept them."""
    former = (one.system for entity in LEGAL_ENTITIES for one in entity.formerly)
    return tuple(dict.fromkeys((*(entity.system for entity in LEGAL_ENTITIES), *former)))


def books() -> dict[str, tuple[str, ...]]:
    """Legal entity → the ERPs that have books of it: first the one that keeps them, then those that kept them before."""
    return {entity.code: (entity.system, *(one.system for one in entity.formerly)) for entity in LEGAL_ENTITIES}


def entities_of(system: str) -> tuple[LegalEntity, ...]:
    """The legal entities whose books `system` keeps: what is new goes there."""
    return tuple(entity for entity in LEGAL_ENTITIES if entity.system == system)


def entities_in(system: str) -> tuple[LegalEntity, ...]:
    """The legal entities that have books in `system`, now or formerly, as they are called there: what is there is read."""
    former = (
        replace(entity, system=one.system, company=one.company)
        for entity in LEGAL_ENTITIES
        for one in entity.formerly
        if one.system == system
    )
    return (*entities_of(system), *former)


def legal_entity(code: str) -> LegalEntity:
    """The legal entity called `code`. Raises KeyError naming the known ones."""
    for entity in LEGAL_ENTITIES:
        if entity.code == code:
            return entity
    raise KeyError(f"unknown legal entity {code!r}; known: {', '.join(e.code for e in LEGAL_ENTITIES)}")
