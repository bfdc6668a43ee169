"""One object read from several Salesforce objects: each row as its reading says, and which record carries on which.

Sales may ask for the same thing twice: an Opportunity reaches its committed stage, and an Order is made of it. Both are told, each
with what the pipeline needs to see that they are one request (accord.pipeline.identify).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import BusinessObject
from accord.records import CARRIED_ON, CARRIED_PARTS, CARRIES_ON, INSTANT
from accord.systems.collapsing import flat
from accord.systems.converting import prefixed
from accord.systems.salesforce.canonical import to_canonical
from accord.systems.salesforce.mapping import STAMP, Reading

Row = dict[str, Any]


def requests(
    name: str,
    definition: BusinessObject,
    readings: Sequence[Reading],
    staged: Mapping[str, pa.Table],
    read_at: datetime,
) -> pa.Table:
    """The staged chunk as a canonical table with `problems`, and with the columns accord.records declares for records that
    carry on others where there may be such."""
    tables = [
        to_canonical(name, definition, reading, staged, read_at) for reading in readings if reading.sobject in staged
    ]
    if len(readings) == 1:
        return tables[0]
    (reading, other) = readings
    found = {
        one.sobject: table for one, table in zip((r for r in readings if r.sobject in staged), tables, strict=True)
    }
    own, origins = found.get(reading.sobject), found.get(other.sobject)
    shown = []
    if own is not None:
        carries_on = prefixed(name, flat(staged[reading.sobject][reading.carries_on]))
        shown.append(_with(own, carries_on, _parts(definition, own, carries_on, origins), [None] * len(own)))
    if origins is not None:
        carried = _carried(name, reading, staged)
        newest = pa.array([carried.get(key, (None, False))[0] for key in origins["key"].to_pylist()], INSTANT)
        version = pc.max_element_wise(flat(origins["version"]).cast(pa.int64()), newest.cast(pa.int64())).cast(INSTANT)
        origins = origins.set_column(origins.column_names.index("version"), "version", version)
        live = [carried.get(key, (None, False))[1] for key in origins["key"].to_pylist()]
        shown.append(_with(origins, pa.nulls(len(origins), pa.string()), [[]] * len(origins), live))
    return pa.concat_tables(shown)


def _with(table: pa.Table, carries_on: pa.Array, parts: list[list[Row]], carried_on: Sequence[bool | None]) -> pa.Table:
    columns = ((CARRIES_ON, carries_on), (CARRIED_PARTS, parts), (CARRIED_ON, carried_on))
    for field, values in columns:
        table = table.append_column(field, values if isinstance(values, pa.Array) else pa.array(values, field.type))
    return table


def _carried(name: str, reading: Reading, staged: Mapping[str, pa.Table]) -> dict[str, tuple[datetime | None, bool]]:
    """Canonical id of a record that others carry on → (their newest stamp, whether one of them is there)."""
    found: dict[str, tuple[datetime | None, bool]] = {}
    if reading.sobject not in staged:
        return found
    rows = staged[reading.sobject].select([reading.carries_on, STAMP, "IsDeleted"]).to_pylist()
    for origin, stamp, deleted in ((row[reading.carries_on], row[STAMP], row["IsDeleted"]) for row in rows):
        if origin:
            newest, live = found.get(f"{name}:{origin}", (None, False))
            found[f"{name}:{origin}"] = (max(filter(None, (newest, stamp)), default=None), live or not deleted)
    return found


def _parts(
    definition: BusinessObject, own: pa.Table, carries_on: pa.Array, origins: pa.Table | None
) -> list[list[Row]]:
    """Per record, the parts that are parts of the record it carries on: of the same product, those of the same quantity and
    price first."""
    carried = definition.carried
    if carried is None or origins is None:
        return [[] for _ in range(len(own))]
    there = dict(zip(origins["key"].to_pylist(), origins[carried.parts].to_pylist(), strict=True))
    key = definition.constituent(carried.parts).key
    pairs = zip(own[carried.parts].to_pylist(), carries_on.to_pylist(), strict=True)
    return [
        _matched(parts or (), there.get(origin) or (), key, carried.told_by) if origin else []
        for parts, origin in pairs
    ]


def _matched(parts: Sequence[Row], others: Sequence[Row], key: str, told_by: Sequence[Sequence[str]]) -> list[Row]:
    left, rest, matched = list(parts), list(others), []
    for names in told_by:
        for part in list(left):
            same = next((o for o in rest if all(part[n] is not None and part[n] == o[n] for n in names)), None)
            if same is not None:
                matched.append({"part": part[key], "as": same[key]})
                left.remove(part)
                rest.remove(same)
    return matched
