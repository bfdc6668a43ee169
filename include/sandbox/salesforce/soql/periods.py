"""Date literals: ``LAST_N_DAYS:30`` and the like, as half-open ranges of days in UTC. Fiscal years are calendar years.

Source: SOQL and SOSL Reference, "Date Formats and Date Literals". Weeks start on Sunday, as in the en_US locale.
"""

from datetime import date, timedelta

_UNITS = ("day", "week", "month", "quarter", "year")


def _start(unit: str, day: date) -> date:
    if unit == "day":
        return day
    if unit == "week":
        return day - timedelta(days=(day.weekday() + 1) % 7)
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return day.replace(month=1, day=1)


def _add(unit: str, start: date, count: int) -> date:
    if unit in ("day", "week"):
        return start + timedelta(days=count * (7 if unit == "week" else 1))
    months = count * {"month": 1, "quarter": 3, "year": 12}[unit]
    total = start.year * 12 + start.month - 1 + months
    return date(total // 12, total % 12 + 1, 1)


def period(text: str, today: date) -> tuple[date, date] | None:
    """Return the first day of a date literal and the day after its last, or None if it is none.

    Raises:
        OverflowError, ValueError: The literal reaches beyond the calendar.
    """
    name, _, number = text.lower().replace("fiscal_", "").partition(":")
    count = int(number) if number else None
    if count is None:
        simple = {"yesterday": ("day", -1), "today": ("day", 0), "tomorrow": ("day", 1)}
        if name in simple:
            unit, by = simple[name]
            start = _add(unit, today, by)
            return start, start + timedelta(days=1)
        if name == "last_90_days":
            return today - timedelta(days=90), today + timedelta(days=1)
        if name == "next_90_days":
            return today + timedelta(days=1), today + timedelta(days=91)
        which, _, unit = name.partition("_")
        if unit in _UNITS[1:] and which in ("last", "this", "next"):
            start = _add(unit, _start(unit, today), {"last": -1, "this": 0, "next": 1}[which])
            return start, _add(unit, start, 1)
        return None
    for unit in _UNITS:
        here = _start(unit, today)
        if name == f"last_n_{unit}s":
            # The day form includes today; the others stop before the present unit.
            return _add(unit, here, -count), _add(unit, here, 1) if unit == "day" else here
        if name == f"next_n_{unit}s":
            first = _add(unit, here, 1)
            return first, _add(unit, first, count)
        if name == f"n_{unit}s_ago":
            first = _add(unit, here, -count)
            return first, _add(unit, first, 1)
    return None
