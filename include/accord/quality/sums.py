"""Adding up the parts of records."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from accord.systems.collapsing import flat

TOTALS = pa.decimal128(30, 6)  # room for Arrow to add two


def part_sums(table: pa.Table, constituent: str, field: str) -> pa.Array:
    """Per record the sum of a decimal field over its parts; 0 where there are none."""
    lists = flat(table[constituent])
    values = pc.struct_field(pc.list_flatten(lists), field).cast(TOTALS)
    rows = pa.table({"row": pc.list_parent_indices(lists), "value": values})
    sums = rows.group_by("row").aggregate([("value", "sum")])
    place = pc.index_in(pa.array(range(table.num_rows), pa.int64()), value_set=flat(sums["row"]))
    return pc.fill_null(flat(sums["value_sum"]).take(place).cast(TOTALS), 0)


def part_counts(table: pa.Table, constituent: str) -> pa.Array:
    """Per record the number of its parts."""
    return pc.fill_null(pc.list_value_length(flat(table[constituent])), 0)


def as_total(table: pa.Table, name: str) -> pa.Array:
    """A column of amounts, ready to be compared with sums."""
    return flat(table[name]).cast(TOTALS)
