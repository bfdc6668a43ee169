"""What a record comes to, where no field says it but its parts do: counted for completeness and reconciled like any amount."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa

from accord.objects.definition import BusinessObject, Worth

AMOUNT = pa.decimal128(30, 2)


def worths(definition: BusinessObject, table: pa.Table) -> pa.Array:
    """The worth of every row of `table`; 0 where the definition declares none."""
    worth = definition.worth
    if worth is None:
        return pa.array([Decimal(0)] * table.num_rows, AMOUNT)
    return pa.array([_of(worth, parts) for parts in table[worth.parts].to_pylist()], AMOUNT)


def worth_of(definition: BusinessObject, row: Mapping[str, Any]) -> Decimal:
    """The worth of one record; 0 where the definition declares none."""
    return _of(definition.worth, row[definition.worth.parts]) if definition.worth else Decimal(0)


def _of(worth: Worth, parts: list[dict[str, Any]] | None) -> Decimal:
    """Parts that lack something count for nothing: the gate holds their record."""
    return worth.of(part for part in parts or () if all(part[name] is not None for name in worth.needs))
