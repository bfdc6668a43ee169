"""What became of the records of a dispatch, in the columns the hub settles it with."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from accord.images import IMAGE, images
from accord.objects.definition import BusinessObject, Owner
from accord.ports import Target

IMAGED = (*IMAGE.names, "was_plain", "was_personal")

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
        ("created", pa.bool_()),
        ("plain", pa.string()),  # what the target was told, as JSON (accord.images)
        ("personal", pa.string()),
        ("number", pa.string()),
        ("refs", pa.string()),
        ("was_plain", pa.string()),  # what it held before, where that was read
        ("was_personal", pa.string()),
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
        "created": pc.is_null(rows["native"]),
    }
    for name in IMAGED:
        columns[name] = rows[f"_{name}"] if f"_{name}" in rows.column_names else pa.nulls(len(keys), pa.string())
    return pa.table([columns[name] for name in OUTCOMES.names], schema=OUTCOMES)


def pictured(definition: BusinessObject, target: Target, rows: pa.Table, before: pa.Table | None = None) -> pa.Table:
    """`rows` of changes with what `target` is told of each, as `outcomes` hands it on; `before`: what the target held of some of
    them (as `read_back` gives it)."""
    side = Owner.ERP if target.side is Owner.SALESFORCE else Owner.SALESFORCE
    keeps = target.keeps(definition)
    told = images(definition, target.collapse(definition, rows), side, keeps)
    for name in IMAGE.names:
        rows = rows.append_column(f"_{name}", told[name])
    if before is not None and before.num_rows:
        held = images(definition, before, side, keeps)
        place = pc.index_in(rows["key"], value_set=before["key"].combine_chunks())
        for name in ("plain", "personal"):
            rows = rows.append_column(f"_was_{name}", held[name].take(place))
    return rows


def seeds(definition: BusinessObject) -> list[str]:
    """The fields that are sent only when a record is created."""
    return [f.name for f in definition.fields if f.seeded_by is not None]
