"""What both sides add up to: every amount of an object, per currency, beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import BusinessObject, Money
from accord.pipeline.reconcile.sides import Pair
from accord.systems.collapsing import flat

Amounts = dict[str, dict[str, dict[str, Decimal]]]  # field → currency → source | target → sum

_SUM = pa.decimal128(38, 6)


def add_amounts(sums: Amounts, pair: Pair, table: pa.Table, *, side: str, beside: pa.Table | None = None) -> None:
    """Add the root's amounts in `table` to one side. A target may not keep the currency: then that of the row `beside` counts."""
    for field in pair.definition.fields:
        if not isinstance(field.type, Money) or field.name not in pair.names or not len(table):
            continue
        currency = flat(table[field.type.currency])
        if beside is not None:
            currency = pc.coalesce(currency, flat(beside[field.type.currency]))
        rows = pa.table({"currency": pc.fill_null(currency, ""), "amount": flat(table[field.name]).cast(_SUM)})
        for row in rows.group_by("currency").aggregate([("amount", "sum")]).to_pylist():
            if row["amount_sum"] is not None:
                sides = sums.setdefault(field.name, {}).setdefault(row["currency"], {})
                sides[side] = sides.get(side, Decimal(0)) + row["amount_sum"]


def as_kept(sums: Amounts) -> dict[str, dict[str, dict[str, str]]]:
    """The sums as text, both sides of each."""
    return {
        name: {
            currency: {side: f"{sides.get(side, Decimal(0)):f}" for side in ("source", "target")}
            for currency, sides in sorted(per.items())
        }
        for name, per in sums.items()
    }


def counted(definition: BusinessObject, row: Mapping[str, Any] | None, names: Sequence[str]) -> tuple[str, Decimal]:
    """(currency, amount) of one record: the sum of those of the definition's amounts that are `names`."""
    if row is None or not definition.amounts:
        return "", Decimal(0)
    amount = sum((Decimal(str(row[name])) for name in names if row[name] is not None), Decimal(0))
    return str(row[definition.money(definition.amounts[0]).currency] or ""), amount


def merge(sums: Amounts, more: Amounts) -> None:
    """Add `more` to `sums`."""
    for name, per in more.items():
        for currency, sides in per.items():
            into = sums.setdefault(name, {}).setdefault(currency, {})
            for side, amount in sides.items():
                into[side] = into.get(side, Decimal(0)) + amount
