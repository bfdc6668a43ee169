"""Values as people read them."""

from __future__ import annotations

from decimal import Decimal

from accord.metrics.definitions import METRICS, Unit
from accord.metrics.values import Value

_SPANS = ((86400, "d"), (3600, "h"), (60, "min"))


def shown(one: Value) -> str:
    """A value with its unit: `98.5 %`, `4.2 min`, `1,234.50 EUR`."""
    return in_unit(one.value, METRICS[one.name].unit, one.labels.get("currency", ""))


def in_unit(value: Decimal, unit: Unit, currency: str = "") -> str:
    """A number in its unit."""
    match unit:
        case Unit.RATIO:
            return f"{value * 100:.1f} %"
        case Unit.SECONDS:
            length, name = next(((n, name) for n, name in _SPANS if value >= n), (1, "s"))
            return f"{value / length:,.1f} {name}"
        case Unit.DAYS:
            return f"{value:,.1f} d"
        case Unit.MONEY:
            return f"{value:,.2f} {currency}".strip()
    return f"{value:,.0f}"
