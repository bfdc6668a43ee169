"""What an ERP tells of a contract must be like before sales may see it: its figures are what its own lines make, by one definition."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category, Queue
from accord.quality.rule import Rule
from accord.quality.sums import TOTALS, as_total, part_sums
from accord.recurring import arr, value

_FIGURES = ("quantity", "unit_price", "billing_period", "start_date", "end_date")
Lines = Sequence[Mapping[str, Any]]


def arr_is_that_of_the_lines(table: pa.Table) -> pa.Array:
    """To the cent, on the day the figures are of."""
    made = _figures(table, "as_of", arr)
    return pc.equal(as_total(table, "arr"), made)


def renewal_is_that_of_the_lines(table: pa.Table) -> pa.Array:
    """What there is to renew is the ARR of the day before the renewal."""
    made = _figures(table, "renewal_date", lambda lines, day: arr(lines, day - timedelta(days=1)))
    return pc.equal(as_total(table, "renewal_value"), made)


def schedule_is_the_value(table: pa.Table) -> pa.Array:
    """The instalments are what the lines come to over their term, to the cent."""
    made = _figures(table, "as_of", lambda lines, _: value(lines))
    return pc.equal(part_sums(table, "schedule", "amount"), made)


def billed_before_the_next(table: pa.Table) -> pa.Array:
    """Whatever is invoiced begins before what is invoiced next."""
    days = zip(table["next_invoice_date"].to_pylist(), table["schedule"].to_pylist(), strict=True)
    return pa.array(
        [
            None if following is None else all(one["date"] < following for one in parts or () if one["invoiced"])
            for following, parts in days
        ],
        pa.bool_(),
    )


def _figures(table: pa.Table, day: str, figure: Callable[[Lines, Any], Decimal]) -> pa.Array:
    """What the lines of each record come to; null where something of them is missing, which is another rule's finding."""
    days = zip(table[day].to_pylist(), table["lines"].to_pylist(), strict=True)
    return pa.array(
        [
            figure(lines or (), on)
            if on is not None and all(one[name] is not None for one in lines or () for name in _FIGURES)
            else None
            for on, lines in days
        ],
        TOTALS,
    )


CANONICAL_RULES = (
    Rule(
        name="arr.of_lines",
        title="the ARR is that of the lines",
        finding="the ARR is not what the lines that run come to in twelve months",
        consequence="Leadership would report, and sales renew, another figure than finance bills.",
        category=Category.AMOUNTS,
        needs=("arr", "as_of", "lines"),
        holds=arr_is_that_of_the_lines,
    ),
    Rule(
        name="renewal_value.of_lines",
        title="what there is to renew is the ARR of the last day",
        finding="the renewal's value is not what the lines of the last day come to in twelve months",
        consequence="Sales would negotiate the renewal from a wrong figure.",
        category=Category.AMOUNTS,
        needs=("renewal_value", "renewal_date", "lines"),
        holds=renewal_is_that_of_the_lines,
    ),
    Rule(
        name="schedule.makes_value",
        title="the billing schedule adds up to the contract's value over its term",
        finding="the billing schedule does not add up to what the lines come to over their term",
        consequence="The customer would be billed more, or less, than was agreed.",
        category=Category.AMOUNTS,
        needs=("schedule", "lines", "as_of"),
        holds=schedule_is_the_value,
    ),
    Rule(
        name="next_invoice_date.after_invoiced",
        title="what is invoiced next comes after what is invoiced",
        finding="an instalment is invoiced that begins after the next invoice",
        consequence="The customer would be billed twice for the same period.",
        category=Category.DATES,
        needs=("next_invoice_date", "schedule"),
        holds=billed_before_the_next,
        owner=Queue.FINANCE,
    ),
)
