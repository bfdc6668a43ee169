"""What is sent for a group of records: Salesforce's columns, as exact JSON or as CSV."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from accord.objects.definition import BusinessObject, ChoiceSet, Flag, Reference
from accord.systems.collapsing import flat
from accord.systems.salesforce.mapping import Writing

NULL = "#N/A"  # how Bulk API 2.0 writes null: an empty cell leaves the field as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Records that go the same way: `by` names the field that identifies them (`Id`, or the external id, which creates
    those that are not there), `ids` its values. Rows of `columns` and `ids` stand in the order of `keys`.

    `kept` are columns that stay as they are when null; the others are cleared.
    """

    sobject: str
    by: str
    keys: list[str]
    ids: pa.Array
    columns: pa.Table
    kept: frozenset[str]

    def __len__(self) -> int:
        return len(self.keys)

    def part(self, first: int, size: int) -> Group:
        """`size` rows from `first`."""
        keys, ids = self.keys[first : first + size], self.ids.slice(first, size)
        return replace(self, keys=keys, ids=ids, columns=self.columns.slice(first, size))

    def where(self, mask: pa.Array) -> Group:
        """The rows `mask` says."""
        keys = [key for key, wanted in zip(self.keys, mask.to_pylist(), strict=True) if wanted]
        return replace(self, keys=keys, ids=self.ids.filter(mask), columns=self.columns.filter(mask))

    def values(self, at: int) -> list[Any]:
        """What is sent for one record."""
        return [self.columns[name][at].as_py() for name in self.columns.column_names]


def columns_of(
    definition: BusinessObject, writing: Writing, changes: pa.Table, names: Iterable[str]
) -> tuple[pa.Table, frozenset[str]]:
    """Salesforce's columns for the canonical fields `names` of `changes`, and those that stay as they are when null:
    a required field is never cleared, its absence is a gate's business."""
    columns: dict[str, pa.Array] = {}
    kept = set()
    for name in sorted(names):
        field, column = definition.field(name), writing.fields[name]
        if field.required:
            kept.add(column)
        match field.type:
            case Reference():
                columns[column] = flat(changes[f"{name}__native"])
            case ChoiceSet():
                columns[column] = pc.binary_join(flat(changes[name]), ";")
            case Flag():
                columns[column] = pc.fill_null(flat(changes[name]), False)  # a checkbox can't be null
            case _:
                columns[column] = flat(changes[name])
    return pa.table(columns), frozenset(kept)


def gone_columns(writing: Writing, rows: int) -> pa.Table:
    """What every record that is gone looks like."""
    return pa.table(
        {
            column: pa.nulls(rows, pa.string()) if value is None else pa.array([value] * rows, pa.bool_())
            for column, value in writing.gone.items()
        }
    )


def as_json(group: Group) -> bytes:
    """The body of a collections call. Decimals are written digit by digit: a float would round large amounts."""
    by = "id" if group.by == "Id" else group.by
    attributes = f'"attributes":{{"type":{json.dumps(group.sobject)}}}'
    records = []
    for id_, row in zip(group.ids.to_pylist(), group.columns.to_pylist(), strict=True):
        pairs = [f"{json.dumps(by)}:{json.dumps(id_)}"]
        pairs += [f"{json.dumps(c)}:{_json(v)}" for c, v in row.items() if v is not None or c not in group.kept]
        records.append("{" + ",".join([attributes, *pairs]) + "}")
    return ('{"allOrNone":false,"records":[' + ",".join(records) + "]}").encode()


def _json(value: Any) -> str:
    return format(value, "f") if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False, default=str)


def unspeakable(group: Group) -> pa.Array:
    """Which records hold, as a text, what a CSV file takes for null: they can only go as JSON."""
    found = pa.array([False] * len(group), pa.bool_())
    for name in group.columns.column_names:
        column = flat(group.columns[name])
        if pa.types.is_string(column.type):
            found = pc.or_(found, pc.fill_null(pc.equal(column, NULL), False))
    return found


def as_csv(group: Group, limit: int) -> Iterator[tuple[Group, bytes]]:
    """The group as CSV files of at most `limit` bytes, each with the part of the group it holds."""
    columns = {group.by: group.ids}
    for name in group.columns.column_names:
        texts = flat(group.columns[name]).cast(pa.string())
        columns[name] = pc.fill_null(texts, "" if name in group.kept else NULL)
    sink = io.BytesIO()
    csv.write_csv(pa.table(columns), sink)
    body = sink.getvalue()
    if len(body) <= limit or len(group) == 1:
        yield group, body
        return
    half = len(group) // 2
    yield from as_csv(group.part(0, half), limit)
    yield from as_csv(group.part(half, len(group) - half), limit)
