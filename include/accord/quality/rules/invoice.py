"""What an invoice must be like before sales may see it."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category, Queue
from accord.quality import billing
from accord.quality.rule import Rule
from accord.quality.sums import as_total


def overdue_is_open(table: pa.Table) -> pa.Array:
    """What is overdue is not paid."""
    left = pc.greater(as_total(table, "open_balance"), pa.scalar(Decimal(0)))
    return pc.or_(pc.invert(table["overdue"].combine_chunks()), left)


CANONICAL_RULES = (
    *billing.RULES,
    Rule(
        name="overdue.fits_open_balance",
        title="an overdue invoice has an open balance",
        finding="the invoice is overdue and nothing of it is open",
        consequence="A customer in good standing would be taken for a late payer.",
        category=Category.INVALID_VALUE,
        needs=("overdue", "open_balance"),
        holds=overdue_is_open,
        owner=Queue.FINANCE,
    ),
)
