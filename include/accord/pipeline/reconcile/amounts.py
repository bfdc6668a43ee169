"""What both sides add up to: every amount of an object, per currency, beside each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import BusinessObject, Money
from accord.pipeline.reconcile.sides import Pair
from accord.systems.collapsing import flat
from accord.worth import worth_of, worths

Amounts = dict[str, dict[str, dict[str, Decimal]]]  # field → currency → source | target → sum

_SUM = pa.decimal128(38, 6)


def add_amounts(sums: Amounts, pair: Pair, table: pa.Table, *, side: str, beside: pa.Table | None = None) -> None:
    """Add the root's amounts in `table`, and its worth, to one side. A target may not keep the currency: then that of the row `beside`
    counts."""
    if not len(table):
        return
    for name, currency_field, amounts in _amounts(pair, table):
        currency = flat(table[currency_field])
        if beside is not None:
            currency = pc.coalesce(currency, flat(beside[currency_field]))
        rows = pa.table({"currency": pc.fill_null(currency, ""), "amount": amounts.cast(_SUM)})
        for row in rows.group_by("currency").aggregate([("amount", "sum")]).to_pylist():
            if row["amount_sum"] is not None:
                sides = sums.setdefault(name, {}).setdefault(row["currency"], {})
                sides[side] = sides.get(side, Decimal(0)) + row["amount_sum"]


def _amounts(pair: Pair, table: pa.Table) -> Iterator[tuple[str, str, pa.Array]]:
    """(name, currency's field, values) of every amount that is compared."""
    for field in pair.definition.fields:
        if isinstance(field.type, Money) and field.name in pair.names:
            yield field.name, field.type.currency, flat(table[field.name])
    worth = pair.definition.worth
    if worth and worth.parts in pair.names:
        yield worth.name, worth.currency, worths(pair.definition, table)


def as_kept(sums: Amounts) -> dict[str, dict[str, dict[str, str]]]:
    """The sums as text, both sides of each."""
    return {
        name: {
            currency: {side: f"{sides.get(side, Decimal(0)):f}" for side in ("source", "target")}
            for currency, sides in sorted(per.items())
        }
        for name, per in sums.items()
    }


def counted(definition: BusinessObject, row: Mapping[str, Any] | None, names: Collection[str]) -> tuple[str, Decimal]:
    """(currency, amount) of one record: the sum of what counts for completeness and is kept in its fields and constituents `names`."""
    if row is None or not definition.currencies:
        return "", Decimal(0)
    kept = [Decimal(str(row[name])) for name in definition.amounts if name in names and row[name] is not None]
    if definition.worth and definition.worth.parts in names:
        kept.append(worth_of(definition, row))
    (currency,) = definition.currencies
    return str(row[currency] or ""), sum(kept, Decimal(0))


def merge(sums: Amounts, more: Amounts) -> None:
    """Add `more` to `sums`."""
    for name, per in more.items():
        for currency, sides in per.items():
            into = sums.setdefault(name, {}).setdefault(currency, {})
            for side, amount in sides.items():
                into[side] = into.get(side, Decimal(0)) + amount
