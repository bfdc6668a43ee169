"""What the gate holds against the runs before: a sudden drop stops the batch, where there is something to compare with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accord.categories import Category
from accord.errors import GateStopped
from accord.pipeline.gate import _earlier_counts
from accord.pipeline.runs import Params, RunKind, open_run, read_run
from tests.world import CUSTOMERS, MINUTE, START, World

KEYS = Params(keys=("salesforce:1",))


def earlier(world: World, *counts: int, **columns: Any) -> None:
    """Runs of the schedule that read windows of so many records; the flow has a watermark."""
    open_run(world.accord(), CUSTOMERS, engine_run="first", kind=RunKind.MANUAL)
    world.rows("UPDATE flow SET watermark = %s RETURNING name", START)
    told = {
        "kind": "scheduled",
        "dry": False,
        "natives": None,
        "state": "succeeded",
        "win_from": START,
        "win_to": START + MINUTE,
    } | columns
    for count in counts:
        world.rows(
            """INSERT INTO run (flow, engine_run, kind, dry, natives, state, win_from, win_to, counts)
               VALUES (%s, gen_random_uuid()::text, %s, %s, %s, %s, %s, %s,
                       jsonb_build_object('extracted', %s::int, 'released', 2, 'superseded', 2))
               RETURNING id""",
            CUSTOMERS.name,
            *told.values(),
            count,
        )


def usual(
    world: World, *, kind: RunKind = RunKind.SCHEDULED, params: Params | None = None, most: int = 20
) -> list[int]:
    """What the gate of another run would hold its batch against."""
    accord = world.accord()
    run = open_run(accord, CUSTOMERS, engine_run="now", kind=kind, interval=(START, START + MINUTE), params=params)
    return _earlier_counts(accord.hub, read_run(accord.hub, run), most)


def test_a_sudden_drop_stops_the_batch_and_a_quiet_night_does_not(world: World) -> None:
    earlier(world, *[40] * 5)
    world.customer("1")
    assert world.run()["error"] is None, "fewer than 50 come and go by chance"

    earlier(world, *[200] * 20)
    written = world.writes()
    world.change("1", phone="+31 20 2")
    with pytest.raises(GateStopped, match=r"in earlier runs, which had 200 in the middle \(1 rows\)"):
        world.run()
    assert (world.watermark(), world.writes()) == (START, written)
    assert [row["category"] for row in world.exceptions()] == [Category.BATCH_REFUSED]


@pytest.mark.usefixtures("open_gates")
def test_what_the_runs_before_are(world: World) -> None:
    earlier(world, 7, 8)
    earlier(world, 100, win_from=None)
    earlier(world, 101, kind="manual")
    earlier(world, 102, kind="backfill")
    earlier(world, 103, dry=True)
    earlier(world, 104, natives="[1]")
    earlier(world, 105, state="failed")
    earlier(world, 106, win_to=START - timedelta(hours=1))
    earlier(world, 107, win_to=START - timedelta(days=1))
    earlier(world, 9, win_to=START - timedelta(days=7))
    assert usual(world) == [9, 8, 7], "newest first, in records that reach the gate"
    assert usual(world, most=1) == [9]


@pytest.mark.usefixtures("open_gates")
@pytest.mark.parametrize(
    ("kind", "params"),
    [(RunKind.MANUAL, None), (RunKind.BACKFILL, None), (RunKind.SCHEDULED, KEYS)],
    ids=["manual", "backfill", "keys"],
)
def test_whose_size_says_nothing(world: World, kind: RunKind, params: Params | None) -> None:
    earlier(world, 7, 8)
    assert usual(world, kind=kind, params=params) == []
