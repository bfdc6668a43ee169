"""What Salesforce now holds for records that were sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import BusinessObject, ChoiceSet, Reference
from accord.records import INSTANT, conform
from accord.systems.collapsing import flat
from accord.systems.salesforce.client import LONGEST_URL, Client
from accord.systems.salesforce.mapping import Writing, staged_type
from accord.systems.salesforce.rest_query import rest_pages
from accord.systems.salesforce.soql import Select, by_lists

_ROOM = 1_000  # bytes of the longest URL left for host and path


def read_back(client: Client, name: str, definition: BusinessObject, writing: Writing, wanted: pa.Table) -> pa.Table:
    """Canonical rows, with `native`, of those `wanted` (key, native) that are there: by Id where known, else by key."""
    pairs = list(zip(wanted["key"].to_pylist(), wanted["native"].to_pylist(), strict=True))
    by_id = {native: key for key, native in pairs if native}
    by_key = {key: key for key, native in pairs if not native}
    tables = [_read(client, definition, writing, "Id", by_id)]
    if writing.external_id:
        tables.append(_read(client, definition, writing, writing.external_id, by_key))
    return _canonical(name, definition, writing, pa.concat_tables(tables))


def natives_by_key(client: Client, writing: Writing, keys: Sequence[str]) -> dict[str, str]:
    """key → Id of the records whose external id is one of `keys`."""
    if not writing.external_id:
        return {}
    columns = {"Id": pa.string(), writing.external_id: pa.string()}
    found: dict[str, str] = {}
    for table in _pages(client, writing, columns, writing.external_id, keys):
        found |= dict(zip(table[writing.external_id].to_pylist(), table["Id"].to_pylist(), strict=True))
    return {key: found[key] for key in keys if key in found}


def _read(client: Client, definition: BusinessObject, writing: Writing, column: str, keys: dict[str, str]) -> pa.Table:
    """Rows whose `column` is one of `keys`, with the canonical `key` of each."""
    columns = {"Id": pa.string()}
    columns |= {place: staged_type(definition.field(name).type) for name, place in writing.fields.items()}
    if writing.external_id:
        columns[writing.external_id] = pa.string()
    tables = []
    for table in _pages(client, writing, columns, column, keys):
        # an external id is compared without regard to case, unless it is declared case-sensitive
        matched = pa.array([keys.get(value) for value in table[column].to_pylist()], pa.string())
        tables.append(table.append_column("key", matched).filter(pc.is_valid(matched)))
    empty = pa.schema([*columns.items(), ("key", pa.string())]).empty_table()
    return pa.concat_tables([empty, *tables])


def _pages(
    client: Client, writing: Writing, columns: dict[str, pa.DataType], column: str, values: Iterable[str]
) -> Iterable[pa.Table]:
    select = Select(sobject=writing.sobject, columns=tuple(columns))
    for listed in by_lists(select, column, list(values), limit=LONGEST_URL - _ROOM):
        yield from rest_pages(client, listed, columns, deleted=False)


def _canonical(name: str, definition: BusinessObject, writing: Writing, rows: pa.Table) -> pa.Table:
    columns = {"key": flat(rows["key"]), "gone": _gone(writing, rows)}
    for field_name, place in writing.fields.items():
        column = flat(rows[place])
        match definition.field(field_name).type:
            case Reference():
                column = pc.binary_join_element_wise(name, column, ":")
            case ChoiceSet():
                column = pc.split_pattern(column, ";")
            case _:
                pass
        columns[field_name] = column
    table = conform(definition, pa.table(columns))
    for stamp in ("version", "read_at"):
        table = table.set_column(table.column_names.index(stamp), stamp, pa.nulls(len(rows), INSTANT))
    return table.append_column("native", rows["Id"])


def _gone(writing: Writing, rows: pa.Table) -> pa.Array:
    """Whether the record looks as one that is gone."""
    gone = pa.array([bool(writing.gone)] * len(rows), pa.bool_())
    for place, value in writing.gone.items():
        column = flat(rows[place])
        same = pc.is_null(column) if value is None else pc.fill_null(pc.equal(column, value), False)
        gone = pc.and_(gone, same)
    return gone
