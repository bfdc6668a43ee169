"""What a shipment must be like before sales may see it."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category, Queue
from accord.quality.rule import Rule, Severity
from accord.quality.sums import as_total, part_counts
from accord.systems.collapsing import flat


def moves_something(table: pa.Table) -> pa.Array:
    """A shipment that was not cancelled has a line."""
    return pc.or_(pc.greater(part_counts(table, "lines"), 0), pc.equal(flat(table["status"]), "Cancelled"))


def quantity_is_positive(table: pa.Table) -> pa.Array:
    """More than nothing: a return has its own kind, not a minus."""
    return pc.greater(as_total(table, "quantity"), pa.scalar(Decimal(0)))


def delivered_has_left(table: pa.Table) -> pa.Array:
    """What has arrived has left on some day."""
    return pc.or_(pc.not_equal(flat(table["status"]), "Delivered"), pc.is_valid(flat(table["shipped_date"])))


def not_shipped_has_no_date(table: pa.Table) -> pa.Array:
    """What has not left has no day on which it did."""
    waits = pc.is_in(flat(table["status"]), value_set=pa.array(["Planned", "Picking"]))
    return pc.invert(pc.and_(waits, pc.is_valid(flat(table["shipped_date"]))))


CANONICAL_RULES = (
    Rule(
        name="lines.required",
        title="a shipment moves something",
        finding="the shipment has no line",
        consequence="Sales would announce a delivery of nothing.",
        category=Category.MISSING_VALUE,
        needs=("lines", "status"),
        holds=moves_something,
        owner=Queue.INTEGRATION,
    ),
    Rule(
        name="lines.quantity.positive",
        part="lines",
        title="a quantity is more than nothing",
        finding="a quantity is not positive",
        consequence="What is shipped and what comes back would be mixed up.",
        category=Category.INVALID_VALUE,
        needs=("quantity",),
        holds=quantity_is_positive,
        owner=Queue.INTEGRATION,
    ),
    Rule(
        name="shipped_date.of_delivered",
        title="what was delivered has left on some day",
        finding="the shipment was delivered and has no shipping date",
        consequence="Nobody can say how long the customer waited.",
        category=Category.DATES,
        needs=("status", "shipped_date"),
        holds=delivered_has_left,
        severity=Severity.WARNING,
        owner=Queue.INTEGRATION,
    ),
    Rule(
        name="shipped_date.of_waiting",
        title="what has not left has no shipping date",
        finding="the shipment waits and has a shipping date",
        consequence="The customer would be told that goods are on their way that are not.",
        category=Category.DATES,
        needs=("status", "shipped_date"),
        holds=not_shipped_has_no_date,
        owner=Queue.INTEGRATION,
    ),
)
