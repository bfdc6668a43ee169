"""Batches at rest."""

from __future__ import annotations

import stat
from pathlib import Path

import pyarrow as pa
import pytest

from accord.batch import Chunk, Manifest, StagedFile, Staging
from accord.errors import Stop

ROWS = pa.table({"id": ["1", "2"]})


@pytest.fixture
def staging(tmp_path: Path) -> Staging:
    return Staging(f"file://{tmp_path}/staging")


def test_what_is_written_is_read(staging: Staging) -> None:
    file = staging.write("flow/1/source-x/0.parquet", ROWS)
    assert file.rows == 2
    assert staging.read(file).equals(ROWS)


def test_a_file_that_grows(staging: Staging) -> None:
    writer = staging.open_writer("flow/1/source-x/0.parquet", ROWS.schema)
    writer.append(ROWS)
    writer.append(ROWS)
    file = writer.close()
    assert file.rows == 4
    assert staging.read(file).num_rows == 4
    assert [page.equals(ROWS) for page in staging.pages(file)] == [True, True]


def test_a_file_that_was_changed(staging: Staging, tmp_path: Path) -> None:
    file = staging.write("a/0.parquet", ROWS)
    path = tmp_path / "staging/a/0.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(Stop, match="not what its manifest says"):
        staging.read(file)


def test_a_file_and_a_manifest_that_are_gone(staging: Staging) -> None:
    file = staging.write("a/0.parquet", ROWS)
    staging.remove("a")
    staging.remove("a")
    with pytest.raises(Stop, match="is gone"):
        staging.read(file)
    with pytest.raises(Stop, match="is gone"):
        staging.manifest("a/manifest.json")


def test_a_manifest_comes_back_as_it_was(staging: Staging) -> None:
    file = StagedFile(path="a/0.parquet", rows=2, checksum="00")
    manifest = staging.write_manifest(
        Manifest(
            batch=staging.new_batch("flow", 1, "source"),
            flow="flow",
            object="customer",
            stage="source",
            chunks=(Chunk(number=0, parts={"Account": file, "Contact": file}),),
            read_at="2026-01-01T00:00:00+00:00",
            counts={"extracted": 2},
        )
    )
    assert staging.manifest(manifest.path) == manifest
    assert manifest.rows == 4


def test_no_two_batches_share_a_folder(staging: Staging) -> None:
    assert staging.new_batch("flow", 1, "source") != staging.new_batch("flow", 1, "source")


def test_local_folders_are_their_owners_own(staging: Staging, tmp_path: Path) -> None:
    staging.write("flow/1/x/0.parquet", ROWS)
    assert stat.S_IMODE((tmp_path / "staging/flow/1/x").stat().st_mode) == 0o700


def test_any_filesystem() -> None:
    staging = Staging("memory://accord-test")
    staging.probe()
    assert staging.read(staging.write("a/0.parquet", ROWS)).equals(ROWS)
    staging.remove("a")
