"""What an order must be like before it may be posted in an ERP: the policy of the group.

A failing order is held as an exception; nothing of it is posted.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category
from accord.quality.rule import Rule
from accord.quality.selling import EACH, PAYMENT_TERMS, buys_there, has_lines, of_the_same_erp, traded
from accord.systems.collapsing import flat

# per cent below the list at which sales may sell without asking; quantity breaks of the lists stay within it
DISCOUNT_LIMIT = Decimal(25)
# of each line, in the order's currency: Salesforce rounds every line's total
ROUNDING = Decimal("0.01")


def ships_somewhere(table: pa.Table) -> pa.Array:
    """There is a ship-to address in a country."""
    return _any_part(table["addresses"], lambda p: pc.and_(pc.equal(p["role"], "ship_to"), pc.is_valid(p["country"])))


def adds_up(table: pa.Table) -> pa.Array:
    """The total is the sum of the lines, each rounded; cancelled ones count, as Salesforce adds them up."""
    totals = table["total"].to_pylist()
    sums = []
    for lines in table["lines"].to_pylist():
        known = [(line["quantity"], line["unit_price"]) for line in lines or ()]
        whole = all(quantity is not None and price is not None for quantity, price in known)
        sums.append((sum(q * p for q, p in known), len(known)) if whole else None)
    return pa.array(
        [
            None if total is None or one is None else abs(total - one[0]) <= ROUNDING * max(one[1], 1)
            for total, one in zip(totals, sums, strict=True)
        ],
        pa.bool_(),
    )


def not_before(table: pa.Table) -> pa.Array:
    """What is wanted is not wanted before it was ordered."""
    return pc.greater_equal(table["requested_date"], table["order_date"])


def positive(table: pa.Table) -> pa.Array:
    """Something is ordered."""
    return pc.or_(table["cancelled"], pc.greater(table["quantity"], pa.scalar(0)))


def at_the_lists_price(table: pa.Table) -> pa.Array:
    """The list says what it said when the price was quoted, or the price agreed is still within the limit of it."""
    quoted, now = table["list_price"], table["current_price"]
    same = pc.or_kleene(pc.is_null(quoted), pc.equal(quoted, now))
    return pc.if_else(pc.is_valid(now), pc.or_kleene(same, _within_limit(table)), None)


def discount_is_allowed(table: pa.Table) -> pa.Array:
    """The price agreed is not further below the list than sales may go; a list that changed is another rule's finding."""
    changed = pc.not_equal(table["list_price"], table["current_price"])
    allowed = _lowest(table, pc.coalesce(table["current_price"], table["list_price"]))
    return pc.if_else(pc.fill_null(changed, False), None, pc.less_equal(allowed, _price(table)))


def _within_limit(table: pa.Table) -> pa.Array:
    now = table["current_price"]
    price = _price(table)
    return pc.and_(pc.less_equal(_lowest(table, now), price), pc.less_equal(price, now.cast(price.type)))


def _price(table: pa.Table) -> pa.ChunkedArray:
    return table["unit_price"].cast(pa.decimal128(30, 8))


def _lowest(table: pa.Table, listed: pa.ChunkedArray) -> pa.ChunkedArray:
    share = pa.scalar((Decimal(100) - DISCOUNT_LIMIT) / Decimal(100), pa.decimal128(6, 4))
    return pc.multiply(listed, share).cast(pa.decimal128(30, 8))


def _any_part(column: pa.ChunkedArray, holds: Callable[[dict[str, pa.Array]], pa.Array]) -> pa.Array:
    """Per row, whether some part of the list `holds` (a function from the parts' columns to booleans)."""
    lists = flat(column)
    parts = pc.list_flatten(lists)
    columns = {field.name: pc.struct_field(parts, field.name) for field in lists.type.value_type}
    owners = pc.list_parent_indices(lists)
    rows = pc.unique(owners.filter(pc.fill_null(holds(columns), False)))
    return pc.is_in(pa.array(range(len(lists)), owners.type), value_set=rows)


CANONICAL_RULES = (
    Rule(
        name="legal_entity.required",
        title="a legal entity sells",
        finding="no legal entity is named, and no route leads to one",
        consequence="Nobody knows which company sells, with which taxes, in which ERP: the order waits.",
        category=Category.NO_LEGAL_ENTITY,
        needs=("legal_entity",),
        holds=lambda table: pc.is_valid(table["legal_entity"]),
        path="legal_entity",
        threshold=EACH,
    ),
    Rule(
        name="customer.buys_there",
        title="the customer buys from the legal entity",
        finding="the customer does not buy from the legal entity",
        consequence="The legal entity's books do not have the customer: no credit limit, terms and tax class are agreed.",
        category=Category.NOT_SOLD_TO,
        needs=("legal_entity", "customer_entities"),
        holds=buys_there,
        threshold=EACH,
    ),
    Rule(
        name="currency.traded",
        title="the legal entity trades in the order's currency",
        finding="the legal entity does not trade in the order's currency",
        consequence="The ERP could not invoice what sales promised.",
        category=Category.CURRENCY_MISMATCH,
        needs=("legal_entity", "currency"),
        holds=traded,
        threshold=EACH,
    ),
    Rule(
        name="lines.present",
        title="something is ordered",
        finding="the order has no lines",
        consequence="There is nothing to deliver or to invoice.",
        category=Category.MISSING_VALUE,
        needs=("lines",),
        holds=has_lines,
        threshold=EACH,
    ),
    Rule(
        name="lines.quantity.positive",
        part="lines",
        title="quantities are positive",
        finding="a line orders nothing, or less",
        consequence="A negative order would be a return without its goods.",
        category=Category.INVALID_VALUE,
        needs=("quantity", "cancelled"),
        holds=positive,
        path="lines.quantity",
        threshold=EACH,
    ),
    Rule(
        name="lines.product.erp",
        title="the ERP of the legal entity has every product",
        finding="a product is kept by another ERP than the legal entity's",
        consequence="The ERP that books the order can neither deliver nor invoice the product.",
        category=Category.OTHER_ERP,
        needs=("legal_entity", "lines"),
        holds=of_the_same_erp,
        threshold=EACH,
    ),
    Rule(
        name="lines.price.list",
        part="lines",
        title="the list still has the price that was quoted",
        finding="the list's price changed since it was quoted, and the price agreed is not within the limit of it",
        consequence="The customer would be invoiced at a price that finance no longer stands behind.",
        category=Category.PRICE_DIFFERS,
        needs=("list_price", "current_price", "unit_price"),
        holds=at_the_lists_price,
        threshold=EACH,
    ),
    Rule(
        name="lines.discount.limit",
        part="lines",
        title=f"discounts stay within {DISCOUNT_LIMIT} %",
        finding=f"a line is more than {DISCOUNT_LIMIT} % below the list",
        consequence="The order needs somebody's approval before it is accepted.",
        category=Category.DISCOUNT,
        needs=("list_price", "current_price", "unit_price"),
        holds=discount_is_allowed,
        threshold=EACH,
        approvable=True,
    ),
    Rule(
        name="total.sum",
        title="the total is the sum of the lines",
        finding="the total is not the sum of the lines",
        consequence="The customer would be invoiced another amount than sales agreed.",
        category=Category.TOTAL_DIFFERS,
        needs=("total", "lines"),
        holds=adds_up,
        threshold=EACH,
    ),
    Rule(
        name="requested_date.possible",
        title="nothing is wanted before it was ordered",
        finding="the requested date is before the order date",
        consequence="The ERP would refuse the order, or promise a day in the past.",
        category=Category.INVALID_VALUE,
        needs=("order_date", "requested_date"),
        holds=not_before,
        path="requested_date",
        threshold=EACH,
    ),
    Rule(
        name="addresses.ship_to",
        title="the order says where to ship",
        finding="the order has no ship-to address, or one without its country",
        consequence="Freight, tax and export control of the delivery can't be decided.",
        category=Category.MISSING_VALUE,
        needs=("addresses",),
        holds=ships_somewhere,
        threshold=EACH,
    ),
    Rule(
        name="payment_terms.known",
        title="the terms of payment are known",
        finding="the terms of payment are none that finance knows",
        consequence="The invoice would fall due on another day than agreed.",
        category=Category.TERMS_UNKNOWN,
        needs=("payment_terms",),
        arguments={"column": "payment_terms", "value_set": list(PAYMENT_TERMS)},
        path="payment_terms",
        threshold=EACH,
    ),
)
