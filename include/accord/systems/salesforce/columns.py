"""Salesforce's rows as Arrow tables of declared types, whichever interface they came through.

Both interfaces are brought to text first (what REST's JSON and Bulk's CSV say is the same) and then to the types.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

_BLOCK = 8 << 20  # a value must lie within one block; the longest text field has 131,072 characters
_EXACT = pa.decimal128(38, 18)


def from_records(records: list[dict[str, Any]], columns: Mapping[str, pa.DataType]) -> pa.Table:
    """Rows of a REST answer (parsed with Decimal for numbers). `Parent.Field` is the field of the record referred to."""
    return typed({c: pa.array([_text(_at(r, c)) for r in records], pa.string()) for c in columns}, columns)


def from_csv(body: bytes, columns: Mapping[str, pa.DataType]) -> pa.Table:
    """Rows of a result file with a header line; empty is null. Columns not asked for are left out."""
    if not body.strip():
        return typed({c: pa.array([], pa.string()) for c in columns}, columns)
    table = csv.read_csv(
        io.BytesIO(body),
        read_options=csv.ReadOptions(use_threads=False, block_size=_BLOCK),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()),
            include_columns=list(columns),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    ).combine_chunks()
    return typed({c: _flat(table[c]) for c in columns}, columns)


def typed(texts: Mapping[str, pa.Array], columns: Mapping[str, pa.DataType]) -> pa.Table:
    """Text columns as the types `columns` says."""
    return pa.table([convert(texts[c], kind) for c, kind in columns.items()], schema=pa.schema(list(columns.items())))


def convert(text: pa.Array, kind: pa.DataType) -> pa.Array:
    """One text column as `kind`. Raises pyarrow.ArrowInvalid when Salesforce wrote something else."""
    if pa.types.is_boolean(kind):
        return pc.equal(text, "true")
    if pa.types.is_decimal(kind):
        return pc.round(text.cast(_EXACT), ndigits=kind.scale, round_mode="half_towards_infinity").cast(kind)
    if pa.types.is_integer(kind):
        return pc.round(text.cast(_EXACT)).cast(kind)  # Salesforce writes whole numbers as 3 or 3.0
    return text.cast(kind)


def _at(record: dict[str, Any], path: str) -> Any:
    *steps, last = path.split(".")
    for step in steps:
        record = record.get(step) or {}
    return record.get(last)


def _text(value: Any) -> str | None:
    match value:
        case None | "":
            return None
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case _:
            return str(value)


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
