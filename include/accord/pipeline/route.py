"""Where records belong: by their legal entities, and by the declared routes (accord.routing) where they name none."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import BusinessObject
from accord.routing import entities_of, erps, route
from accord.systems.collapsing import flat


def belongs(definition: BusinessObject, table: pa.Table, system: str) -> pa.Array:
    """Per record, whether it belongs into `system`: by its legal entities, where they decide and the system is an ERP."""
    by = definition.routed_by
    if by is None or system not in erps():
        return pa.array([True] * table.num_rows, pa.bool_())
    codes, own = flat(table[by]), pa.array([entity.code for entity in entities_of(system)], pa.string())
    if not pa.types.is_list(codes.type):
        return pc.is_in(codes, value_set=own)
    rows = pc.list_parent_indices(codes).filter(pc.is_in(pc.list_flatten(codes), value_set=own))
    return pc.is_in(pa.array(range(len(codes)), pa.int64()), value_set=pc.unique(rows).cast(pa.int64()))


def routed(definition: BusinessObject, table: pa.Table) -> pa.Table:
    """`table` with the field `routed_by` filled in where it is null and a route applies; the gate holds what stays without."""
    by, routing = definition.routed_by, definition.routing
    if by is None or routing is None:
        return table
    missing = pc.is_null(table[by])
    if not pc.any(missing).as_py():
        return table
    codes = table[by].to_pylist()
    chosen = table.select([routing.entities, routing.country, routing.lines]).to_pylist()
    for place, row in enumerate(chosen):
        if codes[place] is None:
            families = [line[routing.family] for line in row[routing.lines] or ()]
            codes[place] = route(row[routing.entities], row[routing.country], families)
    return table.set_column(table.column_names.index(by), by, pa.array(codes, flat(table[by]).type))
