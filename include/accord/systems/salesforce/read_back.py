"""What Salesforce now holds for records that were sent, parts included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import BusinessObject, ChoiceSet, Constituent, Field, Reference
from accord.records import INSTANT, conform, part_type
from accord.systems.collapsing import flat
from accord.systems.nesting import nested
from accord.systems.salesforce.client import LONGEST_URL, Client
from accord.systems.salesforce.mapping import ChildWriting, Writing, staged_type
from accord.systems.salesforce.references import canonical_ids, key_paths
from accord.systems.salesforce.rest_query import rest_pages
from accord.systems.salesforce.soql import Select, by_lists, one_of

_ROOM = 1_000  # bytes of the longest URL left for host and path
_FEW = 50  # values of a second field that are worth a condition

Columns = Mapping[str, pa.DataType]


def read_back(client: Client, name: str, definition: BusinessObject, writing: Writing, wanted: pa.Table) -> pa.Table:
    """Canonical rows, with `native`, of those `wanted` (key, native) that are there: by Id where known, else by key."""
    pairs = list(zip(wanted["key"].to_pylist(), wanted["native"].to_pylist(), strict=True))
    by_id = {native: key for key, native in pairs if native}
    by_key = {key: key for key, native in pairs if not native}
    tables = [_read(client, definition, writing, "Id", by_id)]
    if writing.external_id:
        tables.append(_read(client, definition, writing, writing.external_id, by_key))
    return _canonical(client, name, definition, writing, pa.concat_tables(tables))


def natives_by_key(client: Client, writing: Writing, keys: Sequence[str]) -> dict[str, str]:
    """key → Id of the records whose external id is one of `keys`."""
    if not writing.external_id:
        return {}
    columns = {"Id": pa.string(), writing.external_id: pa.string()}
    found: dict[str, str] = {}
    for table in _pages(client, writing.sobject, columns, writing.external_id, keys):
        found |= dict(zip(table[writing.external_id].to_pylist(), table["Id"].to_pylist(), strict=True))
    return {key: found[key] for key in keys if key in found}


def natives_by_identity(
    client: Client, definition: BusinessObject, writing: Writing, changes: pa.Table
) -> dict[str, str]:
    """key → Id of the records that agree with `changes` in the fields of the mapping's identity, all of them filled."""
    places = [writing.fields[name] for name in writing.identity]
    names = [f"{n}__native" if isinstance(definition.field(n).type, Reference) else n for n in writing.identity]
    rows = zip(changes["key"].to_pylist(), *(changes[name].to_pylist() for name in names), strict=True)
    wanted = {tuple(values): key for key, *values in rows if all(values)}
    select = Select(sobject=writing.sobject, columns=("Id", *places))
    for at, place in enumerate(places[1:], start=1):
        told = {identity[at] for identity in wanted}
        if len(told) <= _FEW:
            select = select.also(one_of(place, sorted(told)))
    found: dict[str, str] = {}
    for listed in by_lists(select, places[0], sorted({i[0] for i in wanted}), limit=LONGEST_URL - _ROOM):
        for table in rest_pages(client, listed, dict.fromkeys(select.columns, pa.string()), deleted=False):
            for id_, *values in zip(*(table[column].to_pylist() for column in select.columns), strict=True):
                if key := wanted.get(tuple(values)):
                    found[key] = id_
    return found


def own_columns(child: ChildWriting) -> dict[str, pa.DataType]:
    """What tells a part's record: its Id, its owner and its external id."""
    external = {child.external_id: pa.string()} if child.external_id else {}
    return {"Id": pa.string(), child.parent: pa.string()} | external


def parts_of_roots(client: Client, child: ChildWriting, columns: Columns, owners: Sequence[str]) -> Iterable[pa.Table]:
    """The parts' records of the roots whose Ids, or keys, are `owners`."""
    return _pages(client, child.sobject, columns, child.parent, owners)


def _read(client: Client, definition: BusinessObject, writing: Writing, column: str, keys: dict[str, str]) -> pa.Table:
    """Rows whose `column` is one of `keys`, with the canonical `key` of each."""
    fields = [(definition.field(name), place) for name, place in writing.fields.items()]
    columns = {"Id": pa.string()}
    columns |= {c: pa.bool_() if isinstance(value, bool) else pa.string() for c, value in writing.gone.items()}
    columns |= {place: staged_type(field.type) for field, place in fields} | key_paths(fields)
    if writing.external_id:
        columns[writing.external_id] = pa.string()
    tables = []
    for table in _pages(client, writing.sobject, columns, column, keys):
        # an external id is compared without regard to case, unless it is declared case-sensitive
        matched = pa.array([keys.get(value) for value in table[column].to_pylist()], pa.string())
        tables.append(table.append_column("key", matched).filter(pc.is_valid(matched)))
    empty = pa.schema([*columns.items(), ("key", pa.string())]).empty_table()
    return pa.concat_tables([empty, *tables])


def _pages(client: Client, sobject: str, columns: Columns, column: str, values: Iterable[str]) -> Iterable[pa.Table]:
    select = Select(sobject=sobject, columns=tuple(columns))
    for listed in by_lists(select, column, list(values), limit=LONGEST_URL - _ROOM):
        yield from rest_pages(client, listed, columns, deleted=False)


def _canonical(client: Client, name: str, definition: BusinessObject, writing: Writing, rows: pa.Table) -> pa.Table:
    columns = {"key": flat(rows["key"]), "gone": looks_gone(writing, rows)}
    for field_name, place in writing.fields.items():
        columns[field_name] = _value(name, definition.field(field_name), place, rows)
    for child in writing.children:
        columns[child.constituent] = _parts(client, name, definition.constituent(child.constituent), child, rows)
    table = conform(definition, pa.table(columns))
    for stamp in ("version", "read_at"):
        table = table.set_column(table.column_names.index(stamp), stamp, pa.nulls(len(rows), INSTANT))
    return table.append_column("native", rows["Id"])


def _value(name: str, field: Field, place: str, rows: pa.Table) -> pa.Array:
    match field.type:
        case Reference():
            return canonical_ids(name, field.type, place, rows)
        case ChoiceSet():  # Salesforce tells them in the order of its picklist
            coded = flat(rows[place]).dictionary_encode()
            sets = [sorted(text.split(";")) for text in coded.dictionary.to_pylist()]
            return pa.array(sets, pa.list_(pa.string())).take(coded.indices)
        case _:
            return flat(rows[place])


def _parts(client: Client, name: str, constituent: Constituent, child: ChildWriting, roots: pa.Table) -> pa.Array:
    """The parts of each of `roots`, in the order of their keys."""
    owners = dict(
        zip((roots["key"] if child.by_key else roots["Id"]).to_pylist(), roots["key"].to_pylist(), strict=True)
    )
    fields = [(f, child.fields[f.name]) for f in constituent.fields if f.name in child.fields]
    columns = own_columns(child) | {place: staged_type(f.type) for f, place in fields} | key_paths(fields)
    empty = pa.schema(list(columns.items())).empty_table()
    rows = pa.concat_tables([empty, *parts_of_roots(client, child, columns, list(owners))])
    of = [owners.get(owner) for owner in rows[child.parent].to_pylist()]
    if child.external_id:
        told = rows[child.external_id].to_pylist()
        keys = [text and text.removeprefix(f"{key}#") for key, text in zip(of, told, strict=True)]
    else:
        keys = [f"{name}:{id_}" for id_ in rows["Id"].to_pylist()]
    parts = {"_root": pa.array(of, pa.string()), constituent.key: pa.array(keys, pa.string())}
    for field in constituent.fields:
        if field.name in child.fields and field.name != constituent.key:
            parts[field.name] = _value(name, field, child.fields[field.name], rows)
        elif field.name != constituent.key:
            parts[field.name] = pa.nulls(len(rows), part_type(constituent).value_type.field(field.name).type)
    table = pa.table(parts).filter(pc.is_valid(parts[constituent.key]))  # without our key it is somebody's own
    table = table.sort_by([("_root", "ascending"), (constituent.key, "ascending")])
    return nested(flat(roots["key"]), table, part_type(constituent), root="_root")


def looks_gone(writing: Writing, rows: pa.Table) -> pa.Array:
    """Whether the record looks as one that is gone."""
    gone = pa.array([bool(writing.gone)] * len(rows), pa.bool_())
    for place, value in writing.gone.items():
        column = flat(rows[place])
        same = pc.is_null(column) if value is None else pc.fill_null(pc.equal(column, value), False)
        gone = pc.and_(gone, same)
    return gone
