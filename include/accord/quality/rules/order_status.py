"""What an ERP's answer to an order must be like before sales may see it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category, Queue
from accord.quality.rule import Rule, Severity


def reason_is_given(table: pa.Table) -> pa.Array:
    """What stopped says why."""
    stopped = pc.is_in(table["status"], value_set=pa.array(["On Hold", "Rejected"]))
    return pc.or_(pc.invert(stopped), pc.is_valid(table["reason"]))


def tax_is_part_of_total(table: pa.Table) -> pa.Array:
    """Tax is not more than the total, in the direction of the total."""
    return pc.less_equal(pc.abs(table["tax"]), pc.abs(table["total"]))


def not_promised_before_booked(table: pa.Table) -> pa.Array:
    """Nothing is promised for a day before it was booked."""
    return pc.greater_equal(table["promised_date"], table["booked_date"])


def nothing_negative(table: pa.Table) -> pa.Array:
    """No quantity is negative."""
    zero = pa.scalar(0)
    counted = [pc.greater_equal(table[name], zero) for name in ("shipped", "back_ordered", "invoiced")]
    return pc.and_kleene(pc.and_kleene(counted[0], counted[1]), counted[2])


CANONICAL_RULES = (
    Rule(
        name="reason.given",
        title="an order that is stopped says why",
        finding="the order is on hold or rejected, and nobody says why",
        consequence="Sales could not tell the customer what to do.",
        category=Category.MISSING_VALUE,
        needs=("status", "reason"),
        holds=reason_is_given,
        owner=Queue.INTEGRATION,
    ),
    Rule(
        name="tax.part_of_total",
        title="the tax is part of the total",
        finding="the tax is more than the total",
        consequence="The customer would be told a wrong amount.",
        category=Category.INVALID_VALUE,
        needs=("tax", "total"),
        holds=tax_is_part_of_total,
        owner=Queue.FINANCE,
    ),
    Rule(
        name="promised_date.possible",
        title="nothing is promised for a day before it was booked",
        finding="the promised date is before the booking date",
        consequence="Sales would promise a day in the past.",
        category=Category.INVALID_VALUE,
        severity=Severity.WARNING,  # the ERP promises what it is told; sales had better see the rest
        needs=("promised_date", "booked_date"),
        holds=not_promised_before_booked,
        owner=Queue.FINANCE,
    ),
    Rule(
        name="lines.quantities",
        part="lines",
        title="no quantity is negative",
        finding="a quantity is negative",
        consequence="Sales would see more, or less, delivered than was.",
        category=Category.INVALID_VALUE,
        needs=("shipped", "back_ordered", "invoiced"),
        holds=nothing_negative,
        owner=Queue.FINANCE,
    ),
)
