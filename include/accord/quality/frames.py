"""What the rules look at: the rows of a chunk, part by part, without those nobody will write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from accord.batch import RECORDS
from accord.objects.definition import Constituent
from accord.quality.rule import CANONICAL, REPEATED, ROOT, ROW, Suite

# What the pipeline may add to a canonical table.
PROBLEMS = "problems"  # conversions that failed, "field: reason"
UNRESOLVED = "unresolved"  # references no link knows, each with its path
OUT_OF_SCOPE = "out_of_scope"  # what it cannot be without is gone for good, or not known and not missed


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkView:
    """One chunk as a gate sees it: at the source stage the staged parts, each with its root's native id in `_root`; at the
    canonical stage the one part `records`, a canonical table with what the pipeline added to it."""

    number: int
    parts: Mapping[str, pa.Table]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Rows of one part, and the id of the record each belongs to."""

    rows: pa.Table
    keys: pa.Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """`every` row as it came, with `_repeated` (whether its key occurs again); `live` without deleted, superseded and
    out-of-scope records, constituents with `_row`, the place of their record; `excused`: field path → keys of the records in which
    that field could not be converted or waits for its record; `records` is how many records the chunk holds."""

    every: Mapping[str, Frame]
    live: Mapping[str, Frame]
    excused: Mapping[str, pa.Array]
    records: int


def frames_of(suite: Suite, view: ChunkView) -> Frames:
    """The frames of one chunk."""
    if suite.stage != CANONICAL:
        parts = {name: Frame(rows=rows, keys=one_array(rows[ROOT])) for name, rows in view.parts.items()}
        roots = pc.unique(pa.chunked_array([frame.keys.cast(pa.string()) for frame in parts.values()], pa.string()))
        return Frames(every=parts, live=parts, excused={}, records=len(roots))
    table = view.parts[RECORDS]
    if PROBLEMS not in table.column_names:  # a replayed record was converted long ago
        table = table.append_column(PROBLEMS, pa.nulls(len(table), pa.list_(pa.string())))
    repeated = repeats(one_array(table["key"]))
    current = newest(table) if repeated.true_count else table
    unwanted = pc.fill_null(current["gone"], False)
    if OUT_OF_SCOPE in current.column_names:
        unwanted = pc.or_(unwanted, pc.fill_null(current[OUT_OF_SCOPE], False))
    live = current.filter(pc.invert(unwanted)) if pc.any(unwanted).as_py() else current
    root = Frame(rows=live, keys=one_array(live["key"]))
    parts = {c.name: _flattened(c, root) for c in suite.object.constituents}
    return Frames(
        every={RECORDS: Frame(rows=table.append_column(REPEATED, repeated), keys=one_array(table["key"]))},
        live={RECORDS: root, **parts},
        excused=_unconverted(root) | _awaiting(root),
        records=len(current),
    )


def _awaiting(root: Frame) -> dict[str, pa.Array]:
    """Records whose references are known to the source and not yet to us: they wait for them, nothing is missing."""
    if UNRESOLVED not in root.rows.column_names:
        return {}
    lists = one_array(root.rows[UNRESOLVED])
    paths = pc.struct_field(pc.list_flatten(lists), "path")
    keys = root.keys.take(pc.list_parent_indices(lists))
    return {path: keys.filter(pc.equal(paths, path)) for path in pc.unique(paths).to_pylist()}


def repeats(keys: pa.Array) -> pa.BooleanArray:
    """For each of `keys`, whether it occurs more than once; null ones do not count."""
    if pc.count_distinct(keys).as_py() == len(keys) - keys.null_count:
        return pa.repeat(False, len(keys))
    counted = pc.value_counts(keys.drop_null())
    many = counted.field("values").filter(pc.greater(counted.field("counts"), 1))
    return pc.is_in(keys, value_set=many)


def newest(table: pa.Table) -> pa.Table:
    """The newest row of each key: the others are superseded and never written, so nobody should mend them."""
    order = pc.sort_indices(
        table.select(["key", "version", "read_at"]),
        sort_keys=[("key", "ascending"), ("version", "descending"), ("read_at", "descending")],
    )
    keys = one_array(table["key"]).take(order)
    first = pa.concat_arrays([pa.array([True]), pc.fill_null(pc.not_equal(keys[1:], keys[:-1]), True)])
    chosen = order.filter(first)
    return table.take(chosen.take(pc.sort_indices(chosen)))


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array, copied only where it has several chunks."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _flattened(constituent: Constituent, root: Frame) -> Frame:
    column = one_array(root.rows[constituent.name])
    parts = pc.list_flatten(column)
    owners = pc.list_parent_indices(column)
    keys = root.keys.take(owners)
    fields = {f.name: pc.struct_field(parts, f.name) for f in constituent.fields}
    return Frame(rows=pa.table({ROOT: keys, ROW: owners, **fields}), keys=keys)


def _unconverted(root: Frame) -> dict[str, pa.Array]:
    problems = one_array(root.rows[PROBLEMS])
    reasons = pc.list_flatten(problems)
    if len(reasons) == 0:
        return {}
    keys = root.keys.take(pc.list_parent_indices(problems))
    paths = pc.list_element(pc.split_pattern(reasons, ":", max_splits=1), 0)
    return {path: keys.filter(pc.equal(paths, path)) for path in pc.unique(paths.drop_null()).to_pylist()}
