"""What a subscription comes to: instalments, value over its term, annual recurring revenue. Defined once, for every system.

A line is billed in advance, in whole billing periods counted from its first day: quantity × price of one unit for one period,
rounded to the cent. Annual recurring revenue (ARR) on a day is the sum, over the lines whose first day has come and whose last
day has not passed, of what the line's periods come to in twelve months.

Lines are mappings with the canonical fields `quantity`, `unit_price`, `billing_period`, `start_date`, `end_date`.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

# billing period → months
PERIODS = {"Monthly": 1, "Quarterly": 3, "Yearly": 12}
# the last day of a month that every month has: a line that begins later would be billed on other days than it began
LAST_COMMON_DAY = 28
# how long before its end a contract is to be renewed
RENEWAL_NOTICE = timedelta(days=90)

CENT = Decimal("0.01")
YEAR = 12
Line = Mapping[str, Any]


def months_after(day: date, months: int) -> date:
    """The same day so many months later; the last of the month where that has no such day."""
    years, month = divmod(day.month - 1 + months, YEAR)
    year, month = day.year + years, month + 1
    return day.replace(year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1]))


def instalment(line: Line) -> Decimal:
    """What one billing period of a line comes to, in its contract's currency."""
    return (line["quantity"] * line["unit_price"]).quantize(CENT, ROUND_HALF_UP)  # type: ignore[no-any-return]


def period_starts(line: Line) -> Iterator[date]:
    """The first day of every billing period of a line: the days it is billed on."""
    length, number = PERIODS[line["billing_period"]], 0
    while (day := months_after(line["start_date"], number * length)) <= line["end_date"]:
        yield day
        number += 1


def whole_periods(line: Line) -> bool:
    """Whether the line's last billing period ends with the line."""
    length, number = PERIODS[line["billing_period"]], 0
    over = line["end_date"] + timedelta(days=1)
    while (day := months_after(line["start_date"], number * length)) < over:
        number += 1
    return number > 0 and day == over


def active(line: Line, day: date) -> bool:
    """Whether the line runs on that day."""
    return bool(line["start_date"] <= day <= line["end_date"])


def arr(lines: Iterable[Line], day: date) -> Decimal:
    """Annual recurring revenue of the lines on a day."""
    running = (line for line in lines if active(line, day))
    return sum((instalment(one) * (YEAR // PERIODS[one["billing_period"]]) for one in running), Decimal("0.00"))


def periods(line: Line) -> int:
    """How many billing periods of a line begin, however far away its last day is."""
    start, end = line["start_date"], line["end_date"]
    months = (end.year - start.year) * YEAR + end.month - start.month
    if months >= 0 and months_after(start, months) > end:
        months -= 1
    return months // PERIODS[line["billing_period"]] + 1 if months >= 0 else 0


def value(lines: Iterable[Line]) -> Decimal:
    """What the lines come to over their whole term."""
    return sum((instalment(one) * periods(one) for one in lines), Decimal("0.00"))


def schedule(lines: Iterable[Line]) -> dict[date, Decimal]:
    """Day → what is to be billed on it, in the order of the days."""
    found: dict[date, Decimal] = {}
    for line in lines:
        for day in period_starts(line):
            found[day] = found.get(day, Decimal("0.00")) + instalment(line)
    return dict(sorted(found.items()))


def status_on(day: date, start: date, end: date) -> str:
    """Where a contract that is in force stands on a day: see accord.objects.vocabulary.CONTRACT_STATES."""
    if day < start:
        return "Scheduled"
    return "Active" if day <= end else "Ended"


def up_for_renewal(day: date, end: date) -> bool:
    """Whether a contract with that last day is to be renewed now."""
    return end - RENEWAL_NOTICE <= day <= end
