"""Parts of records between two shapes: a `list<struct>` column, as canonical tables have it, and a table of their own."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from accord.systems.collapsing import flat, offsets


def unnested(roots: pa.Table, column: str, *, root: str = "key") -> pa.Table:
    """One row per part of `roots[column]`, with the root's value of `root` in a column of that name."""
    lists = flat(roots[column])
    owners = flat(roots[root]).take(pc.list_parent_indices(lists))
    parts = pc.list_flatten(lists)
    names = [field.name for field in lists.type.value_type]
    return pa.table([owners, *(pc.struct_field(parts, name) for name in names)], names=[root, *names])


def nested(roots: pa.Array, parts: pa.Table, kind: pa.ListType, *, root: str, empty: bool = False) -> pa.ListArray:
    """The parts of each of `roots` (in their order, in the parts' order) as a list; where there are none, null or an `empty` one.

    Args:
        roots: the distinct identities the lists are for.
        parts: rows whose column `root` is one of these identities (others are left out) and that have a column for each
            field of the struct in `kind`.
    """
    import numpy

    places = pc.index_in(flat(parts[root]), value_set=roots)
    known = pc.is_valid(places)
    parts, places = parts.filter(known), places.filter(known)
    order = pc.sort_indices(
        pa.table({"place": places, "row": pa.array(range(len(places)), pa.int64())}),
        sort_keys=[("place", "ascending"), ("row", "ascending")],
    )
    fields = list(kind.value_type)
    children = [flat(parts[field.name].cast(field.type)).take(order) for field in fields]
    lengths = numpy.bincount(places.to_numpy(zero_copy_only=False).astype("int64"), minlength=len(roots))
    begins = numpy.concatenate([[0], numpy.cumsum(lengths)]).astype("int32")
    structs = pa.StructArray.from_arrays(children, fields=fields)
    mask = None if empty else pa.array(lengths == 0)
    return pa.ListArray.from_arrays(pa.array(begins), structs, type=kind, mask=mask)


def with_part_column(lists: pa.ListArray, name: str, values: pa.Array) -> pa.ListArray:
    """`lists` of structs whose field `name` is `values` (one per part, in order), added where there is none."""
    parts = pc.list_flatten(lists)
    columns = {f.name: pc.struct_field(parts, f.name) for f in lists.type.value_type} | {name: values}
    structs = pa.StructArray.from_arrays(list(columns.values()), names=list(columns))
    return pa.ListArray.from_arrays(offsets(lists), structs, mask=pc.is_null(lists))


def without_part_columns(lists: pa.ListArray, names: Iterable[str]) -> pa.ListArray:
    """`lists` of structs with null in the fields `names`."""
    for name in names:
        kind = lists.type.value_type.field(name).type
        lists = with_part_column(lists, name, pa.nulls(len(pc.list_flatten(lists)), kind))
    return lists
