"""What ERPs have in common that keep the lines of an order."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from accord.systems.nesting import nested


def live_lines(lines: pa.ListArray, not_kept: Iterable[str]) -> pa.ListArray:
    """The lines that are not cancelled, with null in the fields `not_kept`; an order without any has null."""
    parts, nothing = pc.list_flatten(lines), set(not_kept)
    columns = {
        field.name: pa.nulls(len(parts), field.type) if field.name in nothing else pc.struct_field(parts, field.name)
        for field in lines.type.value_type
    }
    wanted = pc.invert(pc.fill_null(pc.struct_field(parts, "cancelled"), False))
    live = pa.table({"order": pc.list_parent_indices(lines), **columns}).filter(wanted)
    return nested(pa.array(range(len(lines)), pa.int64()), live, lines.type, root="order")


def earliest(lines: pa.ListArray) -> pa.Array:
    """Each order's earliest requested date of a line, null where no line has one."""
    days = pc.struct_field(pc.list_flatten(lines), "requested_date")
    found = pa.table({"row": pc.list_parent_indices(lines), "day": days}).group_by("row").aggregate([("day", "min")])
    rows = found["row"].combine_chunks()
    place = pc.index_in(pa.array(range(len(lines)), rows.type), value_set=rows)
    return found["day_min"].combine_chunks().take(place)
