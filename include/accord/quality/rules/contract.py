"""What a contract must be like before it may be posted in an ERP. A failing one is held as an exception; nothing of it is posted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category
from accord.quality.rule import Rule
from accord.quality.selling import EACH, PAYMENT_TERMS, buys_there, has_lines, of_the_same_erp, traded
from accord.recurring import LAST_COMMON_DAY, whole_periods

Line = Mapping[str, Any]
_DATES = ("start_date", "end_date")


def ends_after_start(table: pa.Table) -> pa.Array:
    """It lasts more than a day."""
    return pc.greater(table["end_date"], table["start_date"])


def within_term(table: pa.Table) -> pa.Array:
    """Every line lies within the contract; missing dates are another rule's finding."""
    terms = zip(table["start_date"].to_pylist(), table["end_date"].to_pylist(), strict=True)
    return pa.array(
        [
            None
            if start is None or end is None
            else all(
                start <= one["start_date"] and one["end_date"] <= end for one in lines or () if _filled(one, *_DATES)
            )
            for (start, end), lines in zip(terms, table["lines"].to_pylist(), strict=True)
        ],
        pa.bool_(),
    )


def ramp_is_gapless(table: pa.Table) -> pa.Array:
    """The steps of a ramp are numbered from 1, and each begins the day after the one before it ended."""
    return pa.array([all(map(_gapless, _ramps(lines or ()))) for lines in table["lines"].to_pylist()], pa.bool_())


def line_lasts(table: pa.Table) -> pa.Array:
    """It does not end before it begins."""
    return pc.greater_equal(table["end_date"], table["start_date"])


def line_is_whole(table: pa.Table) -> pa.Array:
    """Its last billing period ends with it."""
    return _each(table, lambda one: whole_periods(one) if one["start_date"] <= one["end_date"] else None)


def line_begins_on_a_common_day(table: pa.Table) -> pa.Array:
    """Every month has the day."""
    return pc.less_equal(pc.day(table["start_date"]), LAST_COMMON_DAY)


def positive(table: pa.Table) -> pa.Array:
    """Something is subscribed to."""
    return pc.greater(table["quantity"], pa.scalar(0))


def not_negative(table: pa.Table) -> pa.Array:
    """Nobody is paid for subscribing."""
    return pc.greater_equal(table["unit_price"], pa.scalar(0))


def _each(table: pa.Table, holds: Callable[[Line], bool | None]) -> pa.Array:
    names = ("billing_period", *_DATES)
    rows = table.select(list(names)).to_pylist()
    return pa.array([holds(row) if _filled(row, *names) else None for row in rows], pa.bool_())


def _ramps(lines: Sequence[Line]) -> list[list[Line]]:
    """The lines of each product that are steps of a ramp."""
    found: dict[str | None, list[Line]] = {}
    for line in lines:
        if line["ramp_step"] is not None and _filled(line, *_DATES):
            found.setdefault(line["product"], []).append(line)
    return list(found.values())


def _gapless(steps: list[Line]) -> bool:
    steps = sorted(steps, key=lambda one: (one["ramp_step"], one["start_date"]))
    numbered = [one["ramp_step"] for one in steps] == list(range(1, len(steps) + 1))
    return numbered and all(two["start_date"] == one["end_date"] + timedelta(days=1) for one, two in pairwise(steps))


def _filled(line: Line, *names: str) -> bool:
    return all(line[name] is not None for name in names)


CANONICAL_RULES = (
    Rule(
        name="legal_entity.required",
        title="a legal entity is party to the contract",
        finding="no legal entity is named, and no route leads to one",
        consequence="Nobody knows which company bills, with which taxes, in which ERP: the contract waits.",
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
        consequence="The legal entity's books do not have the customer: no terms and tax class are agreed.",
        category=Category.NOT_SOLD_TO,
        needs=("legal_entity", "customer_entities"),
        holds=buys_there,
        threshold=EACH,
    ),
    Rule(
        name="currency.traded",
        title="the legal entity trades in the contract's currency",
        finding="the legal entity does not trade in the contract's currency",
        consequence="The ERP could not bill what sales promised.",
        category=Category.CURRENCY_MISMATCH,
        needs=("legal_entity", "currency"),
        holds=traded,
        threshold=EACH,
    ),
    Rule(
        name="lines.present",
        title="something is subscribed to",
        finding="the contract has no lines",
        consequence="There is nothing to bill, and nothing to renew.",
        category=Category.MISSING_VALUE,
        needs=("lines",),
        holds=has_lines,
        threshold=EACH,
    ),
    Rule(
        name="lines.product.erp",
        title="the ERP of the legal entity has every product",
        finding="a product is kept by another ERP than the legal entity's",
        consequence="The ERP that keeps the contract could not bill the product.",
        category=Category.OTHER_ERP,
        needs=("legal_entity", "lines"),
        holds=of_the_same_erp,
        threshold=EACH,
    ),
    Rule(
        name="end_date.after_start",
        title="the contract ends after it starts",
        finding="the contract ends before it starts",
        consequence="Nothing would be billed, and the renewal would be due before the contract began.",
        category=Category.INVALID_VALUE,
        needs=_DATES,
        holds=ends_after_start,
        path="end_date",
        threshold=EACH,
    ),
    Rule(
        name="lines.within_term",
        title="every line lies within the contract's term",
        finding="a line begins before its contract or ends after it",
        consequence="The customer would be billed for what no contract covers, and the renewal would forget it.",
        category=Category.INVALID_VALUE,
        needs=(*_DATES, "lines"),
        holds=within_term,
        threshold=EACH,
    ),
    Rule(
        name="lines.ramp.gapless",
        title="the steps of a ramp follow one another without gaps or overlaps",
        finding="the steps of a ramp leave a gap, overlap, or are not numbered from 1",
        consequence="The customer would be billed nothing, or twice, in between, and the ARR would be wrong.",
        category=Category.INVALID_VALUE,
        needs=("lines",),
        holds=ramp_is_gapless,
        threshold=EACH,
    ),
    Rule(
        name="lines.dates",
        part="lines",
        title="a line does not end before it begins",
        finding="a line ends before it begins",
        consequence="It would never be billed.",
        category=Category.INVALID_VALUE,
        needs=_DATES,
        holds=line_lasts,
        path="lines.end_date",
        threshold=EACH,
    ),
    Rule(
        name="lines.whole_periods",
        part="lines",
        title="a line lasts whole billing periods",
        finding="a line ends within a billing period",
        consequence="The ERP bills whole periods in advance: the customer would pay for days after the line's end.",
        category=Category.INVALID_VALUE,
        needs=("billing_period", *_DATES),
        holds=line_is_whole,
        path="lines.end_date",
        threshold=EACH,
    ),
    Rule(
        name="lines.start_date.common",
        part="lines",
        title=f"a line begins on a day of the month up to the {LAST_COMMON_DAY}th",
        finding=f"a line begins after the {LAST_COMMON_DAY}th of a month",
        consequence="Not every month has the day: an ERP would bill on another, or leave the month out.",
        category=Category.INVALID_VALUE,
        needs=("start_date",),
        holds=line_begins_on_a_common_day,
        path="lines.start_date",
        threshold=EACH,
    ),
    Rule(
        name="lines.quantity.positive",
        part="lines",
        title="quantities are positive",
        finding="a line subscribes to nothing, or less",
        consequence="It would lower what is billed and the ARR.",
        category=Category.INVALID_VALUE,
        needs=("quantity",),
        holds=positive,
        path="lines.quantity",
        threshold=EACH,
    ),
    Rule(
        name="lines.unit_price.not_negative",
        part="lines",
        title="prices are not negative",
        finding="a line has a negative price",
        consequence="It would lower what is billed and the ARR; a rebate is agreed as a credit note.",
        category=Category.INVALID_VALUE,
        needs=("unit_price",),
        holds=not_negative,
        path="lines.unit_price",
        threshold=EACH,
    ),
    Rule(
        name="payment_terms.known",
        title="the terms of payment are known",
        finding="the terms of payment are none that finance knows",
        consequence="Every invoice of the contract would fall due on another day than agreed.",
        category=Category.TERMS_UNKNOWN,
        needs=("payment_terms",),
        arguments={"column": "payment_terms", "value_set": list(PAYMENT_TERMS)},
        path="payment_terms",
        threshold=EACH,
    ),
)
