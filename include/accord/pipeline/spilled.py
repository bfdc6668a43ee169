"""Rows on their way to the chunk they belong to, set aside outside memory."""

from __future__ import annotations

from collections import defaultdict
from tempfile import TemporaryFile

import pyarrow as pa


class Spilled:
    """Rows set aside on local disk, in a file without a name that nobody else can open and that no end of the process leaves.

    A Parquet file for each chunk, open until the end, would keep a description of every column of every page in memory: as many
    as chunks times pages, which is the square of the records.
    """

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._places: defaultdict[tuple[int, str], list[tuple[int, int, int]]] = defaultdict(list)
        # of the parts: those of the first rows that came, where nobody gave one
        self.schemas: dict[str, pa.Schema] = {}

    def put(self, bucket: int, part: str, rows: pa.Table) -> None:
        """Set rows of a part aside. Raises ValueError or pyarrow.ArrowInvalid when they don't fit the part's schema."""
        schema = self.schemas.setdefault(part, rows.schema)
        for batch in rows.cast(schema).combine_chunks().to_batches():
            body = batch.serialize()
            packed = pa.compress(body, codec="lz4", asbytes=True)
            self._places[bucket, part].append((self._file.tell(), len(packed), body.size))
            self._file.write(packed)

    def take(self, bucket: int, part: str) -> pa.Table:
        """All of these rows, in the order they came. Nothing is put any more."""
        batches, schema = [], self.schemas[part]
        for place, packed, size in self._places.pop((bucket, part), ()):
            self._file.seek(place)
            body = pa.decompress(self._file.read(packed), decompressed_size=size, codec="lz4")
            batches.append(pa.ipc.read_record_batch(body, schema))
        return pa.Table.from_batches(batches, schema)

    @property
    def buckets(self) -> list[int]:
        """The buckets that have rows."""
        return sorted({bucket for bucket, _ in self._places})

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
