"""What a customer must be like before an ERP may have it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category
from accord.matching import normalized_name
from accord.quality.hierarchy import outside_loops
from accord.quality.registrations import could_be_issued
from accord.quality.rule import Rule, Scope
from accord.routing import LEGAL_ENTITIES


def buys_from_somebody(table: pa.Table) -> pa.Array:
    """At least one legal entity."""
    return pc.greater(pc.fill_null(pc.list_value_length(table["legal_entities"]), 0), 0)


def currency_fits(table: pa.Table) -> pa.Array:
    """Every legal entity of the customer trades in its currency. A code no entity has is another rule's finding."""
    trades_in = {entity.code: entity.trades_in for entity in LEGAL_ENTITIES}
    joined = pc.binary_join_element_wise(
        table["currency"], pc.binary_join(table["legal_entities"].combine_chunks(), ";"), "|"
    )
    coded = pc.dictionary_encode(joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined)
    fits = [
        all(currency in trades_in[entity] for entity in entities.split(";") if entity in trades_in)
        for currency, entities in (text.split("|", 1) for text in coded.dictionary.to_pylist())
    ]
    return pa.array(fits, pa.bool_()).take(coded.indices)


def name_says_something(table: pa.Table) -> pa.Array:
    """A name with a letter or digit of some script. Those without any are looked at as the search for duplicates does."""
    names = table["name"].combine_chunks()
    says = pc.match_substring_regex(names, r"[\p{L}\p{N}]")
    doubtful = pc.unique(names.filter(pc.equal(says, False)))
    saved = [name for name in doubtful.to_pylist() if normalized_name(name)]
    return pc.or_(says, pc.is_in(names, value_set=pa.array(saved, pa.string()))) if saved else says


def ship_to_is_somewhere(table: pa.Table) -> pa.Array:
    """A ship-to address names its country."""
    return pc.or_(pc.not_equal(table["role"], "ship_to"), pc.is_valid(table["country"]))


CANONICAL_RULES = (
    Rule(
        name="legal_entities.required",
        title="the customer buys from at least one legal entity",
        finding="no legal entity is chosen",
        consequence="No ERP is responsible for the customer: it exists nowhere but in sales.",
        category=Category.NO_LEGAL_ENTITY,
        needs=("legal_entities",),
        holds=buys_from_somebody,
        path="legal_entities",
    ),
    Rule(
        name="currency.fits",
        title="each legal entity trades in the customer's currency",
        finding="a legal entity of the customer does not trade in its currency",
        consequence="Orders could not be booked or invoiced in the currency sales promised.",
        category=Category.CURRENCY_MISMATCH,
        needs=("currency", "legal_entities"),
        holds=currency_fits,
    ),
    Rule(
        name="tax_registration.valid",
        title="the tax registration is one its country could have issued",
        finding="the tax registration is not one its country could have issued",
        consequence="Invoices would carry a wrong tax number: the customer can't deduct the tax, and we may owe it.",
        category=Category.INVALID_VALUE,
        needs=("country", "tax_registration"),
        holds=lambda table: could_be_issued(table["country"], table["tax_registration"]),
    ),
    Rule(
        name="name.filled",
        title="the name has a letter or a digit",
        finding="the name has neither letter nor digit",
        consequence="Nobody could tell the customer from another, and no duplicate would be found.",
        category=Category.MISSING_VALUE,
        needs=("name",),
        holds=name_says_something,
        path="name",
    ),
    Rule(
        name="addresses.ship_to.country",
        part="addresses",
        title="a ship-to address names its country",
        finding="the ship-to address has no country",
        consequence="Freight, tax and export control of a delivery can't be decided.",
        category=Category.MISSING_VALUE,
        needs=("role", "country"),
        holds=ship_to_is_somewhere,
        path="addresses.country",
    ),
    Rule(
        name="parent.loop",
        title="no customer is above itself",
        finding="the account is above itself in the hierarchy",
        consequence="None of the accounts of the loop can be created before the others, and no total over the group is right.",
        category=Category.HIERARCHY_LOOP,
        needs=("key", "parent"),
        holds=lambda table: outside_loops(table["key"], table["parent"]),
        scope=Scope.BATCH,
        among="parent",
    ),
)
