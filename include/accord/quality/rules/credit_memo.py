"""What a credit memo must be like before sales may see it."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category, Queue
from accord.quality import billing
from accord.quality.rule import Rule
from accord.quality.sums import as_total


def credits_something(table: pa.Table) -> pa.Array:
    """More than nothing."""
    return pc.greater(as_total(table, "total"), pa.scalar(Decimal(0)))


CANONICAL_RULES = (
    *billing.RULES,
    Rule(
        name="total.positive",
        title="a credit memo credits something",
        finding="the amount of the credit memo is not positive",
        consequence="A credit shown with the wrong sign reads as a second invoice.",
        category=Category.INVALID_VALUE,
        needs=("total",),
        holds=credits_something,
        owner=Queue.FINANCE,
    ),
)
