"""A batch at rest: Parquet files in staging and the manifest that speaks for them.

Files have attempt-unique names, so a retried task never reads half of another attempt; the manifest is authoritative.
Tasks hand on the manifest's path, never rows.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from accord.errors import Stop

RECORDS = "records"  # the only part of a canonical chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedFile:
    """One Parquet file: its path in staging, number of rows and checksum (BLAKE2b, 16 bytes, hex)."""

    path: str
    rows: int
    checksum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Files that belong together: all constituents of the same roots are in the same chunk."""

    number: int
    parts: Mapping[str, StagedFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a batch consists of. `stage` is source, canonical or changes; instants are ISO 8601 in UTC."""

    batch: str
    flow: str
    object: str
    stage: str
    chunks: tuple[Chunk, ...]
    read_at: str
    counts: Mapping[str, int] = field(default_factory=dict)
    path: str = ""

    @property
    def rows(self) -> int:
        """Rows over all chunks and parts."""
        return sum(f.rows for chunk in self.chunks for f in chunk.parts.values())


class Staging:
    """Where batches rest: any fsspec URL, local disk by default. Local folders are readable by their owner only."""

    def __init__(self, url: str, **options: Any) -> None:
        self._fs, self._root = fsspec.core.url_to_fs(url, **options)
        self._local = self._fs.protocol in ("file", ("file", "local"), "local")

    def new_batch(self, flow: str, run: int, stage: str) -> str:
        """A folder name nobody else uses."""
        return f"{flow}/{run}/{stage}-{uuid.uuid4().hex[:12]}"

    def write(self, path: str, table: pa.Table) -> StagedFile:
        """Write `table` to `path` (below the root) and return its description."""
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        return self._put(path, sink.getvalue().to_pybytes(), table.num_rows)

    def read(self, file: StagedFile) -> pa.Table:
        """The rows of `file`. Raises Stop when the file is missing or not what the manifest says."""
        return pq.read_table(pa.BufferReader(self._get(file)))

    def pages(self, file: StagedFile) -> Iterator[pa.Table]:
        """The rows of `file` in the pieces it was written in, one in memory at a time. Raises as `read` does."""
        staged = pq.ParquetFile(pa.BufferReader(self._get(file)))
        for number in range(staged.num_row_groups):
            yield staged.read_row_group(number)

    def open_writer(self, path: str, schema: pa.Schema) -> StagedWriter:
        """A writer for a file that grows; close it to get its description."""
        file = self._fs.open(self._full(path), "wb")
        return StagedWriter(self, path, file, pq.ParquetWriter(file, schema, compression="zstd"))

    def describe(self, path: str, rows: int) -> StagedFile:
        """The description of a file already written."""
        digest = blake2b(digest_size=16)
        with self._fs.open(self._full(path), "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return StagedFile(path=path, rows=rows, checksum=digest.hexdigest())

    def write_manifest(self, manifest: Manifest) -> Manifest:
        """Store `manifest` beside its files and return it with its path."""
        path = f"{manifest.batch}/manifest.json"
        body = asdict(manifest) | {"path": path}
        self._put(path, json.dumps(body, sort_keys=True).encode(), 0)
        return read_manifest(body)

    def manifest(self, path: str) -> Manifest:
        """The manifest stored at `path`. Raises Stop when it is gone."""
        try:
            with self._fs.open(f"{self._root}/{path}", "rb") as file:
                return read_manifest(json.load(file))
        except FileNotFoundError:
            raise Stop(
                f"The staged batch {path} is gone.",
                cure="Run the flow again from its first task; staged files are short-lived.",
            ) from None

    def probe(self) -> None:
        """Write, read and delete a small file. Raises OSError when that does not work."""
        path = f"probe-{uuid.uuid4().hex[:12]}"
        self._put(path, b"probe", 0)
        with self._fs.open(f"{self._root}/{path}", "rb") as file:
            if file.read() != b"probe":
                raise OSError("what was read is not what was written")
        self._fs.rm(f"{self._root}/{path}")

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders right below `prefix`; [] when there is none."""
        full = f"{self._root}/{prefix}"
        return (
            [path.rstrip("/").rsplit("/", 1)[-1] for path in self._fs.ls(full, detail=False)]
            if self._fs.exists(full)
            else []
        )

    def remove(self, prefix: str) -> None:
        """Delete everything below `prefix`; nothing happens when there is nothing."""
        full = f"{self._root}/{prefix}"
        if self._fs.exists(full):
            self._fs.rm(full, recursive=True)

    def _full(self, path: str) -> str:
        full = f"{self._root}/{path}"
        folder = full.rsplit("/", 1)[0]
        if self._local:
            os.makedirs(folder, mode=0o700, exist_ok=True)
        else:
            self._fs.makedirs(folder, exist_ok=True)
        return full

    def _put(self, path: str, body: bytes, rows: int) -> StagedFile:
        full = self._full(path)
        with self._fs.open(full, "wb") as file:
            file.write(body)
        return StagedFile(path=path, rows=rows, checksum=blake2b(body, digest_size=16).hexdigest())

    def _get(self, file: StagedFile) -> bytes:
        try:
            with self._fs.open(f"{self._root}/{file.path}", "rb") as handle:
                body: bytes = handle.read()
        except FileNotFoundError:
            raise Stop(
                f"The staged file {file.path} is gone.",
                cure="Run the flow again from its first task; staged files are short-lived.",
            ) from None
        if blake2b(body, digest_size=16).hexdigest() != file.checksum:
            raise Stop(
                f"The staged file {file.path} is not what its manifest says.",
                cure="Run the flow again from its first task.",
            )
        return body


class StagedWriter:
    """Appends tables of one schema to one Parquet file."""

    def __init__(self, staging: Staging, path: str, file: Any, writer: pq.ParquetWriter) -> None:
        self._staging, self._path, self._file, self._writer, self._rows = staging, path, file, writer, 0

    def append(self, table: pa.Table) -> None:
        """Add the rows of `table`."""
        self._writer.write_table(table)
        self._rows += table.num_rows

    def close(self) -> StagedFile:
        """Finish the file and describe it."""
        self._writer.close()
        self._file.close()
        return self._staging.describe(self._path, self._rows)


def read_manifest(body: Mapping[str, Any]) -> Manifest:
    """A manifest from its JSON form."""
    chunks = tuple(
        Chunk(number=c["number"], parts={name: StagedFile(**f) for name, f in c["parts"].items()})
        for c in body["chunks"]
    )
    return Manifest(**{**body, "chunks": chunks})
