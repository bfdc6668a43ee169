"""Questions about columns that rules of several objects ask. Each answers for every row at once."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from accord.quality.rule import REPEATED


def all_within(column: pa.ChunkedArray, values: tuple[str, ...]) -> pa.Array:
    """For each list of `column`, whether every element is one of `values`; null where there is no list."""
    lists = column.combine_chunks()
    foreign = pc.invert(pc.is_in(pc.list_flatten(lists), value_set=pa.array(values, pa.string())))
    rows = pc.unique(pc.filter(pc.list_parent_indices(lists), foreign))
    held = pc.invert(pc.is_in(pa.array(range(len(lists)), rows.type), value_set=rows))
    return pc.if_else(pc.is_valid(lists), held, None)


def versions_differ(table: pa.Table) -> pa.Array:
    """For each row, whether no other row has its key and version; only rows whose key is repeated are looked at."""
    repeated = table[REPEATED].combine_chunks()
    if not repeated.true_count:
        return pa.repeat(True, len(table))
    rows = pc.indices_nonzero(repeated)
    keys = pc.dictionary_encode(table["key"].combine_chunks().take(rows)).indices
    differ = pairs_differ(keys, table["version"].combine_chunks().take(rows).cast(pa.int64()))
    return pc.fill_null(differ.take(pc.index_in(pa.array(range(len(table)), rows.type), value_set=rows)), True)


def pairs_differ(left: pa.ChunkedArray | pa.Array, right: pa.ChunkedArray | pa.Array) -> pa.Array:
    """For each place, whether no other place has the same pair (`left` are whole numbers)."""
    import pandas as pd

    codes = pc.dictionary_encode(right, null_encoding="encode")
    codes = codes.combine_chunks() if isinstance(codes, pa.ChunkedArray) else codes
    pairs = pc.add(pc.multiply(left.cast(pa.int64()), len(codes.dictionary)), codes.indices.cast(pa.int64()))
    return pa.array(~pd.Series(pairs.to_numpy(zero_copy_only=False)).duplicated(keep=False).to_numpy())
