"""What a price list of an ERP must be like before sales may quote from it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category
from accord.quality.rule import Rule
from accord.routing import LEGAL_ENTITIES

_TRADED = {entity.code: entity.trades_in | {entity.currency} for entity in LEGAL_ENTITIES}


def currency_is_traded(table: pa.Table) -> pa.Array:
    """The legal entity trades in the list's currency; an unknown entity is another rule's finding."""
    rows = zip(table["legal_entity"].to_pylist(), table["currency"].to_pylist(), strict=True)
    return pa.array([currency in _TRADED[code] if code in _TRADED and currency else None for code, currency in rows])


CANONICAL_RULES = (
    Rule(
        name="currency.traded",
        title="the legal entity trades in the currency of its price list",
        finding="the legal entity does not trade in the currency of the price list",
        consequence="Orders at these prices could not be booked or invoiced.",
        category=Category.CURRENCY_MISMATCH,
        needs=("legal_entity", "currency"),
        holds=currency_is_traded,
    ),
    Rule(
        name="validity.order",
        title="a price list begins before it ends",
        finding="the price list ends before it begins",
        consequence="It would never hold: nobody could quote from it.",
        category=Category.PRICE_IN_DOUBT,
        needs=("valid_from", "valid_until"),
        holds=lambda table: pc.less_equal(table["valid_from"], table["valid_until"]),
    ),
)
