"""Rows set aside outside memory come back as they were."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pyarrow as pa
import pytest

from accord.pipeline.spilled import Spilled

ROWS = pa.table({"key": ["a", "b", "c"], "parts": [[{"n": 1}], [], None], "hash": [b"1", None, b"3"]})


@pytest.fixture
def spilled() -> Iterator[Spilled]:
    with closing(Spilled()) as found:
        yield found


def test_rows_come_back_by_bucket_and_part_in_the_order_they_came(spilled: Spilled) -> None:
    spilled.put(7, "records", ROWS.slice(1))
    spilled.put(0, "records", ROWS)
    spilled.put(7, "others", ROWS.select(["key"]))
    spilled.put(7, "records", pa.concat_tables([ROWS.slice(0, 1), ROWS.slice(2)]))  # in several pieces
    assert spilled.buckets == [0, 7]
    assert spilled.take(7, "records").to_pylist() == [*ROWS.slice(1).to_pylist(), *ROWS.take([0, 2]).to_pylist()]
    assert spilled.take(7, "others") == ROWS.select(["key"])
    assert spilled.take(0, "records") == ROWS


def test_a_bucket_without_rows_of_a_part_is_an_empty_table(spilled: Spilled) -> None:
    spilled.put(0, "records", ROWS)
    assert spilled.take(1, "records") == ROWS.slice(0, 0)


def test_what_comes_first_or_is_given_says_what_all_are(spilled: Spilled) -> None:
    spilled.schemas["others"] = pa.schema([("key", pa.large_string())])
    spilled.put(0, "others", ROWS.select(["key"]))
    assert spilled.take(0, "others").schema == spilled.schemas["others"]
    spilled.put(0, "records", ROWS)
    with pytest.raises(ValueError, match="field names"):
        spilled.put(0, "records", ROWS.select(["key"]))
