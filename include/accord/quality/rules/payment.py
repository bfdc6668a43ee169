"""What a payment must be like before sales may see it."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category, Queue
from accord.quality.billing import CURRENCY
from accord.quality.rule import Rule
from accord.quality.sums import TOTALS, as_total, part_sums
from accord.systems.collapsing import flat

_NOTHING = pa.scalar(Decimal(0), TOTALS)


def is_positive(table: pa.Table) -> pa.Array:
    """More than nothing."""
    return pc.greater(as_total(table, "amount"), _NOTHING)


def is_accounted_for(table: pa.Table) -> pa.Array:
    """What is applied and what is not make the amount, unless the money went back."""
    told = pc.add(part_sums(table, "applications", "amount"), as_total(table, "unapplied"))
    back = pc.equal(flat(table["status"]), "Reversed")
    return pc.or_(back, pc.equal(told.cast(TOTALS), as_total(table, "amount")))


def status_fits_unapplied(table: pa.Table) -> pa.Array:
    """Applied: nothing is left; Received: everything is; Partly Applied: something."""
    status, left, amount = flat(table["status"]), as_total(table, "unapplied"), as_total(table, "amount")
    nothing, everything = pc.equal(left, _NOTHING), pc.equal(left, amount)
    partly = pc.invert(pc.or_(nothing, everything))
    done = pc.is_in(status, value_set=pa.array(["Applied", "Reversed"]))
    return pc.if_else(done, nothing, pc.if_else(pc.equal(status, "Received"), everything, partly))


CANONICAL_RULES = (
    Rule(
        name="amount.positive",
        title="a payment is more than nothing",
        finding="the amount is not positive",
        consequence="Money that went out would be shown as money that came in.",
        category=Category.INVALID_VALUE,
        needs=("amount",),
        holds=is_positive,
        owner=Queue.FINANCE,
    ),
    Rule(
        name="amount.accounted_for",
        title="what is applied and what is not make the payment",
        finding="what is applied and what is not do not make the payment",
        consequence="Cash would be counted twice or get lost between payment and invoices.",
        category=Category.AMOUNTS,
        needs=("applications", "unapplied", "amount", "status"),
        holds=is_accounted_for,
    ),
    Rule(
        name="status.fits_unapplied",
        title="the status fits what is not applied",
        finding="the status contradicts what is not applied",
        consequence="Finance would look for unapplied cash where there is none, or overlook it.",
        category=Category.INVALID_VALUE,
        needs=("status", "unapplied", "amount"),
        holds=status_fits_unapplied,
        owner=Queue.FINANCE,
    ),
    Rule(
        name="applications.positive",
        part="applications",
        title="an application is more than nothing",
        finding="an amount applied is not positive",
        consequence="An invoice would look less paid than it is.",
        category=Category.INVALID_VALUE,
        needs=("amount",),
        holds=is_positive,
        owner=Queue.FINANCE,
    ),
    CURRENCY,
)
