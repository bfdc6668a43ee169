"""What is sent for a group of records: Salesforce's columns, as exact JSON or as CSV."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from accord.objects.definition import ChoiceSet, Field, Flag, Instant, Reference
from accord.systems.collapsing import flat

CREATED = ""  # `Group.by` of records that are created whatever is there
NULL = "#N/A"  # how Bulk API 2.0 writes null: an empty cell leaves the field as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Records that go the same way: `by` names the field that identifies them (`Id`, or the external id, which creates
    those that are not there), `ids` its values. Rows of `columns` and `ids` stand in the order of `keys`.

    `kept` are columns that stay as they are when null; the others are cleared. `deletes`: the records, named by Id, are
    deleted.
    """

    sobject: str
    by: str
    keys: list[str]
    ids: pa.Array
    columns: pa.Table
    kept: frozenset[str] = frozenset()
    deletes: bool = False

    def __len__(self) -> int:
        return len(self.keys)

    def part(self, first: int, size: int) -> Group:
        """`size` rows from `first`."""
        keys, ids = self.keys[first : first + size], self.ids.slice(first, size)
        return replace(self, keys=keys, ids=ids, columns=self.columns.slice(first, size))

    def where(self, mask: pa.Array) -> Group:
        """The rows `mask` says."""
        keys = [key for key, wanted in zip(self.keys, mask.to_pylist(), strict=True) if wanted]
        columns = self.columns.filter(mask) if self.columns.num_columns else self.columns
        return replace(self, keys=keys, ids=self.ids.filter(mask), columns=columns)

    def values(self, at: int) -> list[Any]:
        """What is sent for one record."""
        return [self.columns[name][at].as_py() for name in self.columns.column_names]


def columns_of(fields: Iterable[tuple[Field, str]], rows: pa.Table) -> tuple[pa.Table, frozenset[str]]:
    """Salesforce's columns for (canonical field, Salesforce field) pairs, and those that stay as they are when null: a
    required field is never cleared, its absence is a gate's business.

    `rows` has a column per field, for a reference one named `<field>__native` with the Id of the record.
    """
    columns: dict[str, pa.Array] = {}
    kept = set()
    for field, column in sorted(fields, key=lambda pair: pair[1]):
        if field.required:
            kept.add(column)
        match field.type:
            case Reference():
                columns[column] = flat(rows[f"{field.name}__native"])
            case ChoiceSet():
                columns[column] = pc.binary_join(flat(rows[field.name]), ";")
            case Flag():
                columns[column] = pc.fill_null(flat(rows[field.name]), False)  # a checkbox can't be null
            case Instant():  # SOAP API Developer Guide, "dateTime": ISO 8601, kept to the second
                seconds = flat(rows[field.name]).cast(pa.timestamp("s", tz="UTC"), safe=False)
                columns[column] = pc.strftime(seconds, format="%Y-%m-%dT%H:%M:%SZ")
            case _:
                columns[column] = flat(rows[field.name])
    return pa.table(columns), frozenset(kept)


def constants(values: Mapping[str, bool | str | None], rows: int) -> pa.Table:
    """Columns in which every row says the same."""
    kinds = {column: pa.bool_() if isinstance(value, bool) else pa.string() for column, value in values.items()}
    return pa.table({column: pa.array([value] * rows, kinds[column]) for column, value in values.items()})


def as_json(group: Group) -> bytes:
    """The body of a collections call. Decimals are written digit by digit: a float would round large amounts."""
    by = "id" if group.by == "Id" else group.by
    attributes = f'"attributes":{{"type":{json.dumps(group.sobject)}}}'
    records = []
    for id_, row in zip(group.ids.to_pylist(), group.columns.to_pylist(), strict=True):
        pairs = [] if by == CREATED else [f"{json.dumps(by)}:{json.dumps(id_)}"]
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
