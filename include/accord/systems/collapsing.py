"""Making equal what most systems can't tell apart: blanks around text, empty text and null, an empty list and none."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import BusinessObject, Constituent

TextRule = Callable[[str, pa.Array], pa.Array]
"""(dotted path of the field, its text column) → the column the target can hold."""


def trimmed(_path: str, column: pa.Array) -> pa.Array:
    """Without blanks at both ends; empty text is null."""
    text = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def collapse_text(definition: BusinessObject, table: pa.Table, rule: TextRule = trimmed) -> pa.Table:
    """`table` with `rule` applied to every text column, constituents included; an empty list becomes null."""
    for field in definition.fields:
        position = table.column_names.index(field.name)
        column = flat(table[field.name])
        if pa.types.is_string(column.type):
            column = rule(field.name, column)
        elif pa.types.is_list(column.type):
            column = rebuilt(column, pc.list_flatten(column))
        table = table.set_column(position, field.name, column)
    for constituent in definition.constituents:
        position = table.column_names.index(constituent.name)
        table = table.set_column(position, constituent.name, _parts(constituent, flat(table[constituent.name]), rule))
    return table


def flat(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The column as one array."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def rebuilt(lists: pa.ListArray, values: pa.Array) -> pa.ListArray:
    """Lists of the same lengths as `lists` over `values`, their elements in order; empty ones are null."""
    empty = pc.equal(pc.fill_null(pc.list_value_length(lists), 0), 0)
    return pa.ListArray.from_arrays(offsets(lists), values, type=lists.type, mask=empty)


def offsets(lists: pa.ListArray) -> pa.Array:
    """Where each list begins among the flattened elements, and where the last ends."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    return pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths).cast(pa.int32())])


def _parts(constituent: Constituent, column: pa.ListArray, rule: TextRule) -> pa.ListArray:
    """The rule on the constituent's own fields; what the pipeline added to the parts stays as it is."""
    parts = pc.list_flatten(column)
    own = {field.name for field in constituent.fields}
    children = []
    for member in column.type.value_type:
        child = pc.struct_field(parts, member.name)
        if member.name in own and pa.types.is_string(child.type):
            child = rule(f"{constituent.name}.{member.name}", child)
        children.append(child)
    return rebuilt(column, pa.StructArray.from_arrays(children, fields=list(column.type.value_type)))
