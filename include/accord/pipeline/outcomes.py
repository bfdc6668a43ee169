"""What became of the records of a dispatch, in the columns the hub settles it with."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

OUTCOMES = pa.schema(
    [
        ("key", pa.string()),
        ("native", pa.string()),  # the target's own id, where it was told
        ("outcome", pa.string()),
        ("gone", pa.bool_()),
        ("merged_into", pa.string()),
        ("deleted", pa.bool_()),
        ("left_out", pa.string()),
        ("state", pa.string()),
        ("currency", pa.string()),
        ("amount", pa.decimal128(30, 2)),
    ]
)


def outcomes(rows: pa.Table, outcome: str, natives: Mapping[str, str] | None = None) -> pa.Table:
    """Rows of changes as OUTCOMES of one kind; `natives`: key → the target's own id."""
    keys = rows["key"].to_pylist()
    columns = {
        "key": rows["key"],
        "native": pa.array([(natives or {}).get(key) for key in keys], pa.string()),
        "outcome": pa.array([outcome] * len(keys), pa.string()),
        "gone": rows["gone"],
        "merged_into": rows["merged_into"],
        "deleted": rows["_deleted"],
        "left_out": rows["_left_out"] if "_left_out" in rows.column_names else pa.nulls(len(keys), pa.string()),
        "state": rows["_state"] if "_state" in rows.column_names else pa.nulls(len(keys), pa.string()),
        "currency": rows["_currency"],
        "amount": rows["_amount"],
    }
    return pa.table([columns[name] for name in OUTCOMES.names], schema=OUTCOMES)
