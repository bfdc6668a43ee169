"""The sink of an extraction: what comes in any order, on its way to chunks with all rows of a root in one of them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

import numpy as np
import pandas as pd
import pyarrow as pa

from accord.batch import Chunk, Staging
from accord.pipeline.spilled import Spilled


class Buckets:
    """Spreads roots over chunks by a hash of their id, so that nothing needs to arrive in order and memory is bounded by a page
    and a chunk. Adds `_root` and `_released` to every row."""

    def __init__(self, staging: Staging, folder: str, chunk_rows: int) -> None:
        self._staging, self._folder, self._chunk_rows = staging, folder, chunk_rows
        self._buckets = 0
        self._spilled = Spilled()
        self.released = False
        self.named = False  # records are read by their ids: those that come are remembered
        self.named_roots: set[str] = set()
        self.rows: dict[tuple[str, bool], int] = {}

    def expect(self, roots: int) -> None:
        """Choose the number of chunks; only the first call counts."""
        if not self._buckets:
            # a little room, as hashing spreads unevenly
            self._buckets = max(1, -(-roots * 10 // (self._chunk_rows * 9)))

    def write(self, part: str, rows: pa.Table, root: str, beside: pa.Array | None = None) -> None:
        """Add rows of `part`, rooted by column `root`, to the chunks of these roots, or of those they go `beside`."""
        self.expect(0)
        roots = rows[root].cast(pa.string())
        places = roots if beside is None else beside
        rows = rows.append_column("_root", roots).append_column(
            "_released", pa.chunked_array([pa.repeat(self.released, rows.num_rows)], pa.bool_())
        )
        self.rows[part, self.released] = self.rows.get((part, self.released), 0) + rows.num_rows
        if self.named:
            self.named_roots.update(roots.unique().to_pylist())
        if self._buckets == 1 or not rows.num_rows:
            self._spilled.put(0, part, rows)
            return
        numbers = pd.util.hash_array(np.asarray(places.to_pylist(), dtype=object)) % self._buckets
        order = np.argsort(numbers, kind="stable")
        rows, (buckets, begins) = rows.take(pa.array(order)), np.unique(numbers[order], return_index=True)
        for bucket, begin, end in zip(buckets, begins, [*begins[1:], len(order)], strict=True):
            self._spilled.put(int(bucket), part, rows.slice(begin, end - begin))

    def close(self, parts: Mapping[str, Mapping[str, pa.DataType]]) -> tuple[Chunk, ...]:
        """Write the chunks. A part (of `parts`: part → column → type) a chunk has no rows of is an empty file, so that every
        chunk has every part."""
        with closing(self._spilled) as spilled:
            for part, columns in parts.items():
                nothing = {**columns, "_root": pa.string(), "_released": pa.bool_()}
                spilled.schemas.setdefault(part, pa.schema(list(nothing.items())))
            return tuple(
                Chunk(
                    number=bucket,
                    parts={
                        part: self._staging.write(
                            f"{self._folder}/{bucket:05d}-{part}.parquet", spilled.take(bucket, part)
                        )
                        for part in spilled.schemas
                    },
                )
                for bucket in spilled.buckets
            )
