"""How what changed is divided: by memory, and into more parts where the target asks for few records at a time."""

from __future__ import annotations

import pytest

from accord.pipeline import compare as comparing
from accord.pipeline.compare import compare
from accord.pipeline.extract import extract
from accord.pipeline.runs import RunKind, open_run
from accord.pipeline.transform import transform
from tests.world import CUSTOMERS, World


def rows_of_chunks(world: World) -> list[int]:
    """Six customers, compared."""
    for number in range(6):
        world.customer(f"{number:03d}", entities=("NL01",))
    world.tick()
    accord = world.accord(chunk_rows=100)
    run = open_run(accord, CUSTOMERS, engine_run="divided", kind=RunKind.SCHEDULED, interval=world.interval())
    chunks = compare(accord, run, transform(accord, run, extract(accord, run)))
    return [chunk["rows"] for chunk in chunks if chunk["target"] == "tryton"]


def test_one_chunk_where_memory_allows(world: World) -> None:
    assert rows_of_chunks(world) == [6]


def test_a_target_that_takes_long_gets_small_chunks(world: World) -> None:
    world.tryton.share = 2
    assert rows_of_chunks(world) == [2, 2, 2]


def test_but_not_so_many_that_they_cost_more_than_they_save(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "MOST_CHUNKS", 2)
    world.tryton.share = 1
    assert rows_of_chunks(world) == [3, 3]
