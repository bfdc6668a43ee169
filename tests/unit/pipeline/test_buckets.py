"""The sink of an extraction: all rows of one root in one chunk, in whatever order they come."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from accord.batch import Staging
from accord.pipeline.extract import Buckets

PARTS = {"Account": {"Id": pa.string()}, "Contact": {"Id": pa.string(), "AccountId": pa.string()}}


def pages(rows: Sequence[tuple[str, ...]], names: list[str], size: int) -> list[pa.Table]:
    return [
        pa.table([pa.array(column, pa.string()) for column in zip(*rows[at : at + size], strict=True)], names=names)
        for at in range(0, len(rows), size)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_a_roots_rows_meet_in_one_chunk(tmp_path: Path, seed: int) -> None:
    order = random.Random(seed)  # noqa: S311  # any order will do
    staging = Staging(f"file://{tmp_path}")
    sink = Buckets(staging, "b", 20)
    roots = [(f"{n:03d}",) for n in range(100)]
    contacts = [(f"c{n}", f"{n % 100:03d}") for n in range(300)]
    todo = [("Account", page, "Id") for page in pages(roots, ["Id"], 7)]
    todo += [("Contact", page, "AccountId") for page in pages(contacts, ["Id", "AccountId"], 11)]
    order.shuffle(todo)
    sink.expect(100)
    for part, page, root in todo:
        sink.write(part, page, root)
    chunks = sink.close(PARTS)
    assert len(chunks) > 3
    seen: dict[str, int] = {}
    counted = 0
    for chunk in chunks:
        accounts = staging.read(chunk.parts["Account"])["Id"].to_pylist()
        owners = staging.read(chunk.parts["Contact"])
        assert set(owners["_root"].to_pylist()) <= set(accounts)
        assert not any(owners["_released"].to_pylist())
        assert len(accounts) <= 2 * 20
        counted += owners.num_rows
        seen |= {account: seen.get(account, 0) + 1 for account in accounts}
    assert counted == 300
    assert set(seen.values()) == {1}
    assert len(seen) == 100


def test_every_chunk_has_every_part(tmp_path: Path) -> None:
    staging = Staging(f"file://{tmp_path}")
    sink = Buckets(staging, "b", 20)
    sink.write("Account", pa.table({"Id": ["1"]}), "Id")
    (chunk,) = sink.close(PARTS)
    assert staging.read(chunk.parts["Contact"]).column_names == ["Id", "AccountId", "_root", "_released"]
    assert staging.read(chunk.parts["Contact"]).num_rows == 0


def test_nothing_came(tmp_path: Path) -> None:
    sink = Buckets(Staging(f"file://{tmp_path}"), "b", 20)
    sink.expect(0)
    assert sink.close(PARTS) == ()
