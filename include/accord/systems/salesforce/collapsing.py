"""What Salesforce can't tell apart, made equal before it is hashed, sent or compared."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import BusinessObject, Constituent, Field, Flag, Instant, Money, Number
from accord.systems.collapsing import collapse_text, flat
from accord.systems.nesting import nested, unnested
from accord.systems.salesforce.mapping import ChildWriting, Writing

_ROOT = "_root"  # no field is called so


def collapsed(definition: BusinessObject, writing: Writing, table: pa.Table) -> pa.Table:
    """Text without blanks around it, empty as null; a box that is not there is not checked; instants to the second;
    decimals as exact as the field they go to. Of a part only what the mapping has a place for counts; a part that is a
    record of its own and says nothing is none."""
    table = collapse_text(definition, table)
    for field in definition.fields:
        table = _set(table, field.name, _exact(field, flat(table[field.name]), writing.decimals.get(field.name)))
    children = {child.constituent: child for child in writing.children}
    for constituent in definition.constituents:
        if child := children.get(constituent.name):
            table = _set(table, constituent.name, _parts(constituent, child, writing, table))
    return table


def says_something(constituent: Constituent, child: ChildWriting, parts: pa.Table) -> pa.Array:
    """Which of `parts` have any value in the fields the mapping has a place for."""
    found = pa.array([False] * len(parts), pa.bool_())
    for field in constituent.fields:
        if field.name in child.fields:
            column = flat(parts[field.name])
            filled = pc.fill_null(column, False) if isinstance(field.type, Flag) else pc.is_valid(column)
            found = pc.or_(found, filled)
    return found


def _parts(constituent: Constituent, child: ChildWriting, writing: Writing, table: pa.Table) -> pa.Array:
    kind = table.schema.field(constituent.name).type
    rows = pa.table({_ROOT: pa.array(range(len(table)), pa.int64()), constituent.name: flat(table[constituent.name])})
    parts = unnested(rows, constituent.name, root=_ROOT)
    for field in constituent.fields:
        column = flat(parts[field.name])
        if field.name in child.fields:
            column = _exact(field, column, writing.decimals.get(f"{constituent.name}.{field.name}"))
        elif field.name != constituent.key:
            column = pa.nulls(len(parts), column.type)
        parts = _set(parts, field.name, column)
    if child.external_id is None:
        parts = parts.filter(says_something(constituent, child, parts))
    return nested(flat(rows[_ROOT]), parts, kind, root=_ROOT)


def _exact(field: Field, column: pa.Array, decimals: int | None) -> pa.Array:
    match field.type:
        case Flag():
            return pc.fill_null(column, False)
        case Money() | Number() if decimals is not None:
            return pc.round(column, ndigits=decimals, round_mode="half_towards_infinity").cast(column.type)
        case Instant():
            return pc.floor_temporal(column, unit="second").cast(column.type)
        case _:
            return column


def _set(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)
