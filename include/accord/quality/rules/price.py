"""What a price of an ERP must be like before sales may quote it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from accord.categories import Category, Queue
from accord.quality.rule import Rule, Severity

Tiers = Sequence[Mapping[str, Any]]


def positive(column: str) -> Callable[[pa.Table], pa.Array]:
    """More than nothing."""
    return lambda table: pc.greater(table[column], pa.scalar(0))


def price_is_first_tier(table: pa.Table) -> pa.Array:
    """The price of one is that of the tier that holds for one, on the day of the reading; where there are tiers at all."""
    rows = zip(*(table[name].to_pylist() for name in ("unit_price", "tiers", "read_at")), strict=True)
    return pa.array([_base(tiers, read_at.date()) in (price, None) for price, tiers, read_at in rows], pa.bool_())


def _base(tiers: Tiers | None, day: date) -> Any:
    holding = [t for t in tiers or () if _begins(t) <= day <= _ends(t) and t["from_quantity"] <= 1]
    return max(holding, key=lambda tier: tier["from_quantity"])["unit_price"] if holding else None


def more_is_cheaper(table: pa.Table) -> pa.Array:
    """Nobody pays more for each because they take more of them."""
    return pa.array([all(b["unit_price"] <= a["unit_price"] for a, b in _steps(t)) for t in _of(table)], pa.bool_())


def one_price_at_a_time(table: pa.Table) -> pa.Array:
    """No two tiers of the same quantity hold on the same day."""
    return pa.array([all(_ends(a) < _begins(b) for a, b in _turns(tiers)) for tiers in _of(table)], pa.bool_())


def _of(table: pa.Table) -> list[list[Mapping[str, Any]]]:
    """Each record's tiers as far as they are complete: the rest is another rule's finding."""
    needed = ("from_quantity", "unit_price")
    return [[t for t in tiers or () if all(t[n] is not None for n in needed)] for tiers in table["tiers"].to_pylist()]


def _steps(tiers: Tiers) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Tiers of the same time, each with the next quantity's."""
    ordered = sorted(tiers, key=lambda tier: (_begins(tier), tier["from_quantity"]))
    return [(a, b) for a, b in pairwise(ordered) if _begins(a) == _begins(b)]


def _turns(tiers: Tiers) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Tiers of the same quantity, each with the next in time."""
    ordered = sorted(tiers, key=lambda tier: (tier["from_quantity"], _begins(tier)))
    return [(a, b) for a, b in pairwise(ordered) if a["from_quantity"] == b["from_quantity"]]


def _begins(tier: Mapping[str, Any]) -> date:
    return tier["valid_from"] or date.min


def _ends(tier: Mapping[str, Any]) -> date:
    return tier["valid_until"] or date.max


CANONICAL_RULES = (
    Rule(
        name="unit_price.positive",
        title="a price is more than nothing",
        finding="the price is zero or negative",
        consequence="Sales would give the product away.",
        category=Category.PRICE_IN_DOUBT,
        needs=("unit_price",),
        holds=positive("unit_price"),
        path="unit_price",
    ),
    Rule(
        name="tiers.unit_price.positive",
        part="tiers",
        title="the price from a quantity on is more than nothing",
        finding="the price from a quantity on is zero or negative",
        consequence="Sales would give the product away to whoever takes enough of it.",
        category=Category.PRICE_IN_DOUBT,
        needs=("unit_price",),
        holds=positive("unit_price"),
        path="tiers.unit_price",
    ),
    Rule(
        name="tiers.from_quantity.positive",
        part="tiers",
        title="a price holds from a quantity on",
        finding="a price holds from zero or a negative quantity on",
        consequence="Nobody could tell which price an order gets.",
        category=Category.PRICE_IN_DOUBT,
        needs=("from_quantity",),
        holds=positive("from_quantity"),
        path="tiers.from_quantity",
    ),
    Rule(
        name="tiers.validity",
        part="tiers",
        title="a price begins before it ends",
        finding="a price ends before it begins",
        consequence="It would never hold.",
        category=Category.PRICE_IN_DOUBT,
        needs=("valid_from", "valid_until"),
        holds=lambda table: pc.less_equal(table["valid_from"], table["valid_until"]),
    ),
    Rule(
        name="tiers.one_at_a_time",
        title="only one price holds for a quantity on a day",
        finding="two prices hold for the same quantity on the same day",
        consequence="The price quoted would not be the price invoiced.",
        category=Category.PRICE_IN_DOUBT,
        needs=("tiers",),
        holds=one_price_at_a_time,
    ),
    Rule(
        name="tiers.fit_unit_price",
        title="the price of one is what its tier says for today",
        finding="the price of one is not what its tier says for today",
        consequence="The price book and the price tiers would promise different prices.",
        category=Category.PRICE_IN_DOUBT,
        needs=("unit_price", "tiers", "read_at"),
        holds=price_is_first_tier,
        owner=Queue.INTEGRATION,
    ),
    Rule(
        name="tiers.cheaper",
        title="whoever takes more does not pay more for each",
        finding="a larger quantity costs more for each",
        consequence="Customers would order in small lots; a quantity break is probably mistyped.",
        category=Category.PRICE_IN_DOUBT,
        severity=Severity.WARNING,  # it may be meant, and is what the ERP invoices
        needs=("tiers",),
        holds=more_is_cheaper,
    ),
)
