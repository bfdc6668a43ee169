"""A process that dies anywhere: whatever comes next, nothing is lost, nothing is double, and everything is accounted for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from accord.flows import Flow
from accord.objects import CUSTOMER_STATUS
from accord.pipeline import flow_run
from tests.faults.watching import REQUEST, Killed, Place, Watch, WatchedAccord, WatchedTarget, watched_target
from tests.oracle import complaints
from tests.world import CUSTOMERS, World

FLOW: Flow = replace(CUSTOMERS, name="customer__to_tryton", targets=("tryton",))
CUSTOMERS_THERE = 6  # two chunks of at most four rows, sent in requests of two

# place → how often a run passes it, and where it is worth dying
PASSES = {
    "runs.open_run": (1,),
    "extract._remember": (1,),
    "gate.gate": (1, 2),  # as extracted, before the write
    "transform.transform": (1,),
    "connection.Hub.stream": (1,),
    "compare.Comparison._attempt": (1, 2),  # the customers, their statuses
    "compare.Comparison._carry_out": (1, 2),
    "load.ChunkLoad._once": (1, 2, 3),  # two chunks of customers, the first of statuses
    REQUEST: (1, 2),
    "load.ChunkLoad._record": (1, 2, 3),
    "acknowledge._statuses": (1,),
    "settle.settle": (1,),
}
PLACES = [Place(name, when, n) for name, passes in PASSES.items() for n in passes for when in ("before", "after")]
SAME, FRESH = "the same run", "a fresh run"
# while something is claimed or sent, both ways to go on; elsewhere they differ in nothing but the name
CASES = [
    (place, again)
    for place in PLACES
    for again in (SAME, FRESH)
    if place.name.startswith("load.") or place.name == REQUEST or (again == SAME) == (place.when == "before")
]


@pytest.fixture
def target(world: World) -> WatchedTarget:
    target = watched_target(world)
    target.request_size = 2
    for n in range(CUSTOMERS_THERE):
        world.customer(f"{n}", parent=f"salesforce:{n - 1}" if n == 1 else None)
    return target


def die(world: World, target: WatchedTarget, place: Place, engine_run: str) -> None:
    watch = Watch(end_at=place)
    target.watch = watch
    accord = WatchedAccord(world, watch)
    try:
        with pytest.raises(Killed):
            world.run(FLOW, engine_run=engine_run, accord=accord)
    finally:
        target.watch = Watch()
        accord.close()


def run(world: World, engine_run: str) -> dict[str, Any]:
    accord = WatchedAccord(world, Watch())
    try:
        return world.run(FLOW, engine_run=engine_run, accord=accord)
    finally:
        accord.close()


def settled_well(world: World) -> None:
    """Nothing lost, nothing double, nothing open, and a further run has nothing to do."""
    assert complaints(world) == []
    assert world.exceptions() == []
    assert world.rows("SELECT id FROM dispatch WHERE closed IS NULL") == []
    assert world.rows("SELECT key FROM link WHERE dispatch IS NOT NULL") == []
    keys = [f"salesforce:{n}" for n in range(CUSTOMERS_THERE)]
    assert [world.status(key) for key in keys] == [("Synced", None)] * CUSTOMERS_THERE
    told = [write.key for write in world.salesforce.writes if write.object == CUSTOMER_STATUS.name]
    assert sorted(told) == keys
    before = world.writes()
    run(world, "one more")
    assert world.writes() == before
    assert world.watermark(FLOW) == world.clock


def test_the_places_are_all_there_are(world: World, target: WatchedTarget) -> None:
    watch = target.watch = Watch()
    world.run(FLOW, accord=WatchedAccord(world, watch))
    assert watch.writing | {REQUEST} == set(PASSES)
    for name, passes in PASSES.items():
        assert watch.passed[name, "before"] >= max(passes)


@pytest.mark.parametrize(("place", "again"), CASES, ids=str)
def test_killed(world: World, target: WatchedTarget, place: Place, again: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not place.name.startswith("gate."):
        monkeypatch.setattr(flow_run, "gate", lambda *_: {})
    die(world, target, place, "first")
    assert world.watermark(FLOW) == (world.clock if place == Place("settle.settle", "after") else None)

    summary = run(world, "first" if again == SAME else "second")
    assert summary["error"] is None
    assert summary["extracted"] == CUSTOMERS_THERE
    settled_well(world)


@pytest.mark.usefixtures("open_gates")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", ["dispatches.take_over", "recover.recover_now"])
@pytest.mark.parametrize("sent", ["before", "after"])
def test_killed_again_while_recovering(world: World, target: WatchedTarget, sent: str, name: str, when: str) -> None:
    die(world, target, Place(REQUEST, sent), "first")
    die(world, target, Place(name, when), "second")
    run(world, "third")
    settled_well(world)
