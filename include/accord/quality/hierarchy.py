"""Loops in a hierarchy, found without walking it record by record."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def outside_loops(keys: pa.ChunkedArray, parents: pa.ChunkedArray) -> pa.Array:
    """For each record, whether it is no member of a loop (a record that is its own parent is a loop of one).

    Args:
        keys: unique ids.
        parents: the id of each record's parent, or null; a parent that is not among `keys` ends the way up.

    Everybody jumps to the parent, then twice as far, and so on; once the jump is longer than there are records, those somebody
    lands on are exactly the members of loops.
    """
    import numpy as np

    count = len(keys)
    ids = pc.unique(keys)  # keeps the order, so a position here is a row there
    up = pc.fill_null(pc.index_in(parents, value_set=ids), -1)
    jump = np.append(up.to_numpy().astype(np.int64), -1)  # the last place stands for "above nobody": -1 indexes it
    length = 1
    while length < count and (jump >= 0).any():
        jump = jump[jump]
        length *= 2
    inside = np.zeros(count + 1, dtype=bool)
    inside[jump] = True  # those above nobody land on the last place
    return pa.array(~inside[:count])
