"""From Salesforce's rows to canonical records, column by column."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import BusinessObject, Constituent, Field
from accord.records import INSTANT, arrow_type, conform, part_type
from accord.systems.collapsing import flat, trimmed
from accord.systems.converting import Converter, prefixed
from accord.systems.nesting import nested
from accord.systems.salesforce.mapping import STAMP, Child, Group, Reading, parts_of

_TEXT = pa.string()


def to_canonical(
    name: str,
    definition: BusinessObject,
    reading: Reading,
    staged: Mapping[str, pa.Table],
    read_at: datetime,
) -> pa.Table:
    """The staged chunk of the system `name` as a canonical table with the column `problems`; one row per root row."""
    roots = staged[reading.sobject]
    convert = Converter(name, len(roots))
    columns = {
        "key": prefixed(name, flat(roots["Id"])),
        "read_at": pa.array([read_at] * len(roots), INSTANT),
        "gone": pc.fill_null(flat(roots["IsDeleted"]), False),
    }
    if reading.master:
        columns["merged_into"] = prefixed(name, flat(roots[reading.master]))
    for field_name, column in reading.fields.items():
        field = definition.field(field_name)
        values = flat(roots[column])
        if field_name in reading.words:
            values = _meaning(reading.words[field_name], values)
        columns[field_name] = _converted(convert, field, values, field_name)
    for group in reading.groups:
        columns[group.constituent] = _grouped(convert, definition.constituent(group.constituent), group, roots)
    stamps = [flat(roots[STAMP])]
    types = parts_of(reading, definition)
    for child in reading.children:
        rows = staged.get(child.sobject)
        if rows is None:  # no root of the chunk has one
            rows = pa.schema(list(types[child.sobject].items())).empty_table()
        constituent = definition.constituent(child.constituent)
        columns[child.constituent], stamp = _children(name, convert, constituent, child, roots, rows)
        stamps.append(stamp)
    # Arrow compares no instants with a zone element by element, but their numbers
    columns["version"] = pc.max_element_wise(*(stamp.cast(pa.int64()) for stamp in stamps)).cast(INSTANT)
    return conform(definition, pa.table(columns)).append_column("problems", convert.problems())


def _meaning(words: Mapping[str, str], column: pa.Array) -> pa.Array:
    """What Salesforce's words mean; null stays null."""
    known = pc.index_in(column, value_set=pa.array(list(words), _TEXT))
    meant = pa.array(list(words.values()), _TEXT).take(known)
    return pc.if_else(pc.is_valid(column), pc.fill_null(meant, words[""]), column)


def _converted(convert: Converter, field: Field, column: pa.Array, path: str) -> pa.Array:
    """The column as the field's canonical type: text is converted, what is typed already is cast."""
    if pa.types.is_string(column.type):
        return convert.field(path, field.type, trimmed(path, column))
    return column.cast(arrow_type(field.type))


def _grouped(convert: Converter, constituent: Constituent, group: Group, roots: pa.Table) -> pa.Array:
    """Parts from groups of columns: a part exists when any of its columns is filled."""
    structs, present = [], []
    for key, places in group.parts.items():
        children = {constituent.key: pa.array([key] * len(roots), _TEXT)}
        for field in constituent.fields:
            if field.name != constituent.key:
                column = flat(roots[places[field.name]])
                children[field.name] = _converted(convert, field, column, f"{constituent.name}.{field.name}")
        filled = [pc.is_valid(trimmed("", flat(roots[column]))) for column in places.values()]
        present.append(np.logical_or.reduce([f.to_numpy(zero_copy_only=False) for f in filled]))
        structs.append(_struct(constituent, children))
    flags = np.column_stack(present)  # root × part
    rows, parts = np.nonzero(flags)
    values = pa.concat_arrays(structs).take(pa.array(parts * len(roots) + rows))
    return _list(constituent, flags.sum(axis=1), values)


def _children(
    name: str, convert: Converter, constituent: Constituent, child: Child, roots: pa.Table, rows: pa.Table
) -> tuple[pa.Array, pa.Array]:
    """Live parts of each root in the order of their ids, and the newest stamp of any part."""
    newest = rows.group_by(child.parent).aggregate([(STAMP, "max")])
    place = pc.index_in(roots["Id"].combine_chunks(), value_set=flat(newest[child.parent]))
    stamp = flat(newest[f"{STAMP}_max"]).take(place)

    rows = rows.sort_by([(child.parent, "ascending"), ("Id", "ascending"), (STAMP, "descending")])
    twice = np.zeros(len(rows), dtype=bool)  # the same part read in two pages: the newest counts
    if len(rows) > 1:
        pairs = pc.binary_join_element_wise(flat(rows[child.parent]), flat(rows["Id"]), "/")
        twice[1:] = pc.equal(pairs[1:], pairs[:-1]).to_numpy(zero_copy_only=False)
    live = rows.filter(pa.array(~twice)).filter(pc.invert(pc.field("IsDeleted")))

    check, children = Converter(name, len(live)), {}
    for field in constituent.fields:
        if field.name in child.always:
            children[field.name] = pa.array([child.always[field.name]] * len(live), pa.bool_())
            continue
        column = flat(live[child.fields[field.name]])
        if child.fields[field.name] == "Id":
            children[field.name] = prefixed(name, column)
        else:
            children[field.name] = _converted(check, field, column, f"{constituent.name}.{field.name}")
    if child.discounted:
        price, discount = child.discounted
        children[price] = _discounted(children[price], children[discount])
    ids = flat(roots["Id"])
    distinct = ids.unique()
    places, owners = pc.index_in(ids, value_set=distinct), flat(live[child.parent])
    convert.adopt(check, pc.index_in(owners, value_set=distinct), places)
    parts = pa.table({**children, child.parent: owners})
    return nested(distinct, parts, part_type(constituent), root=child.parent, empty=True).take(places), stamp


def _discounted(price: pa.Array, discount: pa.Array) -> pa.Array:
    """The price less the discount, as exact as the field."""
    left = pc.subtract(pa.scalar(Decimal(100)), pc.fill_null(discount, Decimal(0)))
    share = pc.divide(left.cast(pa.decimal128(7, 4)), pa.scalar(Decimal(100)))
    exact = pc.multiply(price.cast(pa.decimal128(20, 4)), share.cast(pa.decimal128(9, 6)))
    return pc.round(exact, ndigits=price.type.scale, round_mode="half_towards_infinity").cast(price.type)


def _struct(constituent: Constituent, children: Mapping[str, pa.Array]) -> pa.Array:
    kind = part_type(constituent).value_type
    return pa.StructArray.from_arrays([children[f.name] for f in constituent.fields], fields=list(kind))


def _list(constituent: Constituent, lengths: npt.NDArray[np.integer], values: pa.Array) -> pa.Array:
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values, type=part_type(constituent))
