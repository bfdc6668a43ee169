"""What a subscription comes to: worked examples, by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from accord.recurring import (
    RENEWAL_NOTICE,
    arr,
    instalment,
    months_after,
    period_starts,
    schedule,
    status_on,
    up_for_renewal,
    value,
    whole_periods,
)

FIRST, LAST = date(2026, 1, 15), date(2027, 1, 14)


def line(**changed: Any) -> dict[str, Any]:
    usual = {"quantity": Decimal(3), "unit_price": Decimal("9.9950"), "billing_period": "Monthly"}
    return usual | {"start_date": FIRST, "end_date": LAST} | changed


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2023, 12, 31), 2, date(2024, 2, 29)),
        (date(2026, 3, 15), -3, date(2025, 12, 15)),
        (date(2026, 11, 1), 14, date(2028, 1, 1)),
    ],
)
def test_months_after(day: date, months: int, then: date) -> None:
    assert months_after(day, months) == then


def test_a_year_of_months() -> None:
    """3 × 9.995 = 29.985, rounded half up to 29.99 per month, before it is added up."""
    assert instalment(line()) == Decimal("29.99")
    assert value([line()]) == Decimal("359.88")
    assert arr([line()], FIRST) == Decimal("359.88")
    starts = list(period_starts(line()))
    assert (len(starts), starts[0], starts[-1]) == (12, FIRST, date(2026, 12, 15))


@pytest.mark.parametrize(
    ("period", "yearly", "instalments"), [("Monthly", "359.88", 12), ("Quarterly", "119.96", 4), ("Yearly", "29.99", 1)]
)
def test_every_billing_period_counts_for_a_year(period: str, yearly: str, instalments: int) -> None:
    one = line(billing_period=period)
    assert (arr([one], FIRST), len(schedule([one]))) == (Decimal(yearly), instalments)
    assert whole_periods(one)


def test_arr_is_of_the_lines_that_run_on_the_day() -> None:
    first = line(end_date=date(2026, 7, 14), unit_price=Decimal(10))
    second = line(start_date=date(2026, 7, 15), unit_price=Decimal(20))
    both = [first, second]
    assert [
        arr(both, day)
        for day in (date(2026, 1, 14), FIRST, date(2026, 7, 14), date(2026, 7, 15), LAST, date(2027, 1, 15))
    ] == [Decimal(figure) for figure in (0, 360, 360, 720, 720, 0)]
    assert value(both) == Decimal(540)  # 6 × 30 and 6 × 60
    assert sum(schedule(both).values()) == value(both)


def test_a_line_that_never_ends_has_a_value() -> None:
    """9999-12-31 is how some say it."""
    assert value([line(start_date=date(9998, 12, 31), end_date=date(9999, 12, 31), unit_price=Decimal(1))]) == 13 * 3
    assert value([line(end_date=date(2026, 1, 14))]) == 0


def test_what_falls_on_one_day_is_one_instalment() -> None:
    parts = schedule([line(unit_price=Decimal(10)), line(unit_price=Decimal(100), billing_period="Quarterly")])
    assert [parts[day] for day in (FIRST, date(2026, 2, 15), date(2026, 4, 15))] == [330, 30, 330]
    assert len(parts) == 12


@pytest.mark.parametrize(
    ("period", "last", "whole"),
    [
        ("Monthly", date(2026, 2, 14), True),
        ("Monthly", date(2026, 2, 13), False),
        ("Monthly", date(2026, 1, 15), False),
        ("Quarterly", date(2026, 4, 14), True),
        ("Quarterly", date(2026, 2, 14), False),
        ("Yearly", LAST, True),
    ],
)
def test_whole_periods(period: str, last: date, whole: bool) -> None:
    assert whole_periods(line(billing_period=period, end_date=last)) is whole


def test_where_it_stands_and_when_it_is_to_be_renewed() -> None:
    days = (date(2026, 1, 14), FIRST, LAST, date(2027, 1, 15))
    assert [status_on(day, FIRST, LAST) for day in days] == ["Scheduled", "Active", "Active", "Ended"]
    notice = LAST - RENEWAL_NOTICE
    days = (date(2026, 10, 15), notice, LAST, date(2027, 1, 15))
    assert [up_for_renewal(day, LAST) for day in days] == [False, True, True, False]
