"""The sink of an extraction: all rows of one root in one chunk, in whatever order they come."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from accord.batch import Staging
from accord.pipeline.buckets import Buckets

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


def test_what_is_set_aside_comes_back_as_it_was(tmp_path: Path) -> None:
    """Of every kind of column, in the order it came, as one piece: as many descriptions of columns as pages take memory."""
    staging = Staging(f"file://{tmp_path}")
    count = 90
    rows = pa.table(
        {
            "Id": [f"{n:03d}" for n in range(count)],
            "Amount": pa.array([None if n % 7 == 0 else Decimal(n) / 4 for n in range(count)], pa.decimal128(18, 2)),
            "At": pa.array([datetime(2026, 3, 2, 8, n % 60, tzinfo=UTC) for n in range(count)], pa.timestamp("us", "UTC")),
            "Lines": [[{"sku": f"s{n}", "quantity": n}] * (n % 3) if n % 5 else None for n in range(count)],
            "Open": [None if n % 4 == 0 else n % 2 == 0 for n in range(count)],
            "Name": [None, "", "Ω, \"quoted\"\n"] * (count // 3),
        }
    )  # fmt: skip
    sink = Buckets(staging, "b", 20)
    sink.expect(count)
    for at in range(0, count, 11):
        sink.write("Account", rows.slice(at, 11), "Id")
    sink.write("Account", rows.slice(0, 0), "Id")
    chunks = sink.close({})
    files = [chunk.parts["Account"] for chunk in chunks]
    assert [len(list(staging.pages(file))) for file in files] == [1] * len(files)
    tables = [staging.read(file).select(rows.column_names) for file in files]
    assert all(table["Id"].to_pylist() == sorted(table["Id"].to_pylist()) for table in tables)
    assert pa.concat_tables(tables).sort_by("Id").equals(rows.combine_chunks())
