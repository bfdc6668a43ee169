"""Canonical records as Arrow tables: their schema, derived from the definition, and the hash of what a source said.

Every canonical table has the columns of `SYSTEM_COLUMNS`, then one column per field, then one `list<struct>` column
per constituent.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from hashlib import blake2b

import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import (
    BusinessObject,
    ChoiceSet,
    Constituent,
    Day,
    FieldType,
    Flag,
    Instant,
    Money,
    Number,
    Whole,
)

INSTANT = pa.timestamp("us", tz="UTC")

SYSTEM_COLUMNS = pa.schema(
    [
        ("key", pa.string()),  # canonical id, <origin system>:<native id>
        ("version", INSTANT),  # greatest modification instant of the root and its constituents
        ("read_at", INSTANT),  # the instant the read began
        ("gone", pa.bool_()),  # deleted or merged away in the source
        ("merged_into", pa.string()),  # canonical id of the survivor of a merge
    ]
)

# What a source adds where one record may carry on another (an Order its Opportunity), so that both are one; see
# accord.pipeline.identify
CARRIES_ON = pa.field("carries_on", pa.string())  # canonical id of the record it carries on
CARRIED_ON = pa.field("carried_on", pa.bool_())  # another record carries it on
# its parts that are parts of the one it carries on: (their canonical ids, theirs there)
CARRIED_PARTS = pa.field("carried_parts", pa.list_(pa.struct([("part", pa.string()), ("as", pa.string())])))

# one row per record that was sent; `outcome` is an accord.errors.Recovery value
RESULTS = pa.schema(
    [
        ("key", pa.string()),
        ("native", pa.string()),  # the target's own id, where known
        ("outcome", pa.string()),
        ("category", pa.string()),  # an accord.categories.Category value; null when applied
        ("message", pa.string()),  # business words, no personal data
        ("answer", pa.string()),  # the system's own answer, without record values
        ("awaits", pa.string()),  # canonical id of the record it waits for, when held for a parent
    ]
)

NAMESPACE = uuid.UUID("5f0c2a58-7a11-5c0e-9d52-0f6a3a0a6f10")


def arrow_type(kind: FieldType) -> pa.DataType:
    """The Arrow type that holds a field of `kind`."""
    match kind:
        case Flag():
            return pa.bool_()
        case Money() | Number():
            return pa.decimal128(kind.digits, kind.scale)
        case Whole():
            return pa.int64()
        case Day():
            return pa.date32()
        case Instant():
            return INSTANT
        case ChoiceSet():
            return pa.list_(pa.string())
        case _:
            return pa.string()


def part_type(constituent: Constituent) -> pa.DataType:
    """`list<struct>` with one struct field per field of the constituent."""
    return pa.list_(pa.struct([(f.name, arrow_type(f.type)) for f in constituent.fields]))


def schema_of(definition: BusinessObject) -> pa.Schema:
    """The canonical schema of a business object."""
    columns = [(f.name, arrow_type(f.type)) for f in definition.fields]
    columns += [(c.name, part_type(c)) for c in definition.constituents]
    return pa.schema([*SYSTEM_COLUMNS, *(pa.field(name, kind) for name, kind in columns)])


def conform(definition: BusinessObject, table: pa.Table) -> pa.Table:
    """`table` with exactly the canonical columns, in order; absent ones become null (`gone` false). Extra ones are dropped.

    Raises pyarrow.ArrowInvalid when a value does not fit its type: transforms must hand over clean columns.
    """
    columns = []
    for field in schema_of(definition):
        if field.name in table.column_names:
            columns.append(table[field.name].cast(field.type))
        elif field.name == "gone":
            columns.append(pa.chunked_array([pa.repeat(False, table.num_rows)]))
        else:
            columns.append(pa.chunked_array([pa.nulls(table.num_rows, field.type)]))
    return pa.table(columns, schema=schema_of(definition))


def correlation_id(object_name: str, key: str, version: str) -> uuid.UUID:
    """The id that follows one version of one record through every system, log, exception and alert: derived, never stored twice."""
    return uuid.uuid5(NAMESPACE, f"{object_name}|{key}|{version}")


def content_hash(definition: BusinessObject, table: pa.Table, names: Iterable[str]) -> pa.Array:
    """One 16-byte digest per row of the non-null fields and constituents in `names`, as sorted name=length:value pairs, with `gone`.

    Equal content gives equal digests whatever the order of columns or of parts. A gone record's digest covers nothing else,
    so that a deleted record equals a deleted record.
    """
    texts = [_pair(name, text) for name, text in content_texts(definition, table, names).items()]
    # the "" keeps a row whose fields are all null: with only nulls to skip Arrow (26.0) leaves the whole row out
    joined = (
        pc.binary_join_element_wise("", *texts, "\x1e", null_handling="skip") if texts else pa.array([""] * len(table))
    )
    gone = table["gone"].combine_chunks() if isinstance(table["gone"], pa.ChunkedArray) else table["gone"]
    joined = pc.if_else(pc.fill_null(gone, False), pa.scalar("gone"), joined)
    digests = [blake2b(text, digest_size=16).digest() for text in joined.cast(pa.binary()).to_pylist()]
    return pa.array(digests, pa.binary(16))


def content_texts(definition: BusinessObject, table: pa.Table, names: Iterable[str]) -> dict[str, pa.Array]:
    """Each of the fields and constituents in `names`, sorted, as a column of text: equal for equal content, whatever the order of
    parts, and null where there is none."""
    parts = {constituent.name: constituent for constituent in definition.constituents}
    return {
        name: _parts_text(parts[name], table[name].combine_chunks()) if name in parts else _text(table[name])
        for name in sorted(names)
    }


def _pair(name: str, values: pa.Array) -> pa.Array:
    length = pc.cast(pc.binary_length(values), pa.string())
    return pc.binary_join_element_wise(name, "=", length, ":", values, "", null_handling="emit_null")


def _text(column: pa.Array) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_list(column.type):  # an empty set reads as null
        joined = pc.binary_join(column, "\x1f")
        return pc.if_else(pc.equal(pc.binary_length(joined), 0), pa.scalar(None, pa.string()), joined)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    return column.cast(pa.string())


def _parts_text(constituent: Constituent, column: pa.Array) -> pa.Array:
    """Each row's parts as one text, sorted by the part's key; an empty list reads as null."""
    parts = pc.list_flatten(column)
    parents = pc.list_parent_indices(column)
    if len(parts) == 0:
        return pa.nulls(len(column), pa.string())
    fields = [
        _pair(f.name, _text(pc.struct_field(parts, f.name))) for f in sorted(constituent.fields, key=lambda f: f.name)
    ]
    texts = pc.binary_join_element_wise("", *fields, "\x1d", null_handling="skip")  # "": see content_hash
    order = pc.sort_indices(
        pa.table({"row": parents, "key": pc.struct_field(parts, constituent.key), "text": texts}),
        sort_keys=[("row", "ascending"), ("key", "ascending"), ("text", "ascending")],
    )
    lengths = pc.fill_null(pc.list_value_length(column), 0)
    offsets = pa.array([0, *pc.cumulative_sum(lengths.cast(pa.int32())).to_pylist()], pa.int32())
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, texts.take(order)), "\x1c")
    return pc.if_else(pc.equal(lengths, 0), pa.scalar(None, pa.string()), joined)
