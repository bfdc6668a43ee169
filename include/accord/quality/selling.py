"""What an order and a contract have in common before an ERP may see them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from accord.quality.rule import Threshold
from accord.routing import LEGAL_ENTITIES, books
from accord.systems.collapsing import flat

# terms of payment finance knows in every legal entity
PAYMENT_TERMS = ("Immediate", "NET14", "NET30", "NET60")
# Each is wrong by itself, not as one of many: a bad day for many of them does not hold back the good ones
EACH = Threshold(share=1.0)


def has_lines(table: pa.Table) -> pa.Array:
    """There is a line."""
    return pc.greater(pc.fill_null(pc.list_value_length(table["lines"]), 0), 0)


def traded(table: pa.Table) -> pa.Array:
    """The legal entity trades in the order's currency; an unknown entity is another rule's finding."""
    pairs = pa.array([f"{one.code}/{currency}" for one in LEGAL_ENTITIES for currency in one.trades_in])
    asked = pc.binary_join_element_wise(table["legal_entity"], table["currency"], "/")
    return pc.if_else(pc.is_valid(asked), pc.is_in(asked, value_set=pairs), None)


def buys_there(table: pa.Table) -> pa.Array:
    """The customer buys from the legal entity, as far as sales said whom it buys from."""
    pairs = zip(table["legal_entity"].to_pylist(), table["customer_entities"].to_pylist(), strict=True)
    return pa.array([code in entities if code and entities else None for code, entities in pairs], pa.bool_())


def of_the_same_erp(table: pa.Table) -> pa.Array:
    """Every product is kept by the ERP of the legal entity, or by one that kept its books before and whose products are known
    there: the ERP that keeps a product is in its canonical id."""
    lists = flat(table["lines"])
    owners = pc.list_parent_indices(lists)
    products = pc.struct_field(pc.list_flatten(lists), "product")
    kept = pc.list_element(pc.split_pattern(products, ":", max_splits=1), 0)
    pairs = pc.binary_join_element_wise(flat(table["legal_entity"]).take(owners), kept, "/")
    own = pa.array([f"{code}/{erp}" for code, erps in books().items() for erp in erps])
    rows = pc.unique(owners.filter(pc.and_(pc.is_valid(pairs), pc.invert(pc.is_in(pairs, value_set=own)))))
    return pc.invert(pc.is_in(pa.array(range(len(lists)), owners.type), value_set=rows))
