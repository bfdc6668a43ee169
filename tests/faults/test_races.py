"""Runs at the same time: only the claim stands between them, as the target here would take anything twice."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from dataclasses import replace
from functools import partial

import pytest

from accord.batch import StagedFile
from accord.errors import InDoubt
from accord.flows import flow
from accord.objects import ORDER
from accord.pipeline.compare import ChunkToLoad
from accord.pipeline.load import ChunkLoad
from tests.faults.side_by_side import PATIENCE, Process, beside
from tests.faults.watching import LEASE, REQUEST, Place, Watch, WatchedTarget, watched_target
from tests.oracle import complaints
from tests.world import MINUTE, World, counts

pytestmark = pytest.mark.usefixtures("open_gates")

CLAIM = "load.ChunkLoad._once"
ORDERS = replace(flow("order__salesforce_to_erp"), status=None)
ALL = 6


@pytest.fixture
def target(world: World) -> WatchedTarget:
    target = watched_target(world)
    target.request_size = 2
    target.enforces_key = False
    for n in range(ALL):
        world.customer(f"{n}")
    world.tick(MINUTE)
    return target


def test_two_runs_of_one_window(world: World, target: WatchedTarget) -> None:
    runs = [Process(world, name).prepare() for name in ("a", "b")]
    for loading in [beside(run.load) for run in runs]:
        loading.result(PATIENCE)
    assert complaints(world) == []
    assert len(target.writes) == ALL
    told = [counts(run.settle(), "tryton") for run in runs]
    assert sum(t.get("applied", 0) for t in told) == ALL
    assert sum(t.get("unchanged", 0) for t in told) == ALL


def test_eight_loads_of_one_chunk(world: World, target: WatchedTarget) -> None:
    first = Process(world, "a").prepare()
    gate = threading.Barrier(8)
    others = [Process(world, "a") for _ in range(7)]  # the same run: a task that was started eight times
    for other in others:
        other.chunks = first.chunks

    def load(process: Process) -> dict[str, int]:
        gate.wait(PATIENCE)
        return process.load()

    results = [loading.result(PATIENCE) for loading in [beside(partial(load, p)) for p in (first, *others)]]
    assert complaints(world) == []
    assert len(target.writes) == ALL
    assert all(counted.get("applied", 0) == ALL for counted in results)
    assert counts(first.settle(), "tryton") == {"applied": ALL}


def test_one_open_dispatch_per_chunk(world: World, target: WatchedTarget) -> None:
    """A second try of a task that is at work sends nothing and counts nothing."""
    sending, seen = threading.Event(), threading.Event()

    def hold() -> None:
        sending.set()
        assert seen.wait(PATIENCE)

    first = Process(world, "a", Watch(meanwhile={Place(REQUEST, "before"): hold})).prepare()
    loading = beside(first.load)
    assert sending.wait(PATIENCE)
    other = Process(world, "a")
    chunk = first.chunks[0]
    again = ChunkLoad(other.accord, ChunkToLoad(**chunk))._once(
        other.accord.staging.read(StagedFile(**chunk["file"])), give_up=False
    )
    seen.set()
    loading.result(PATIENCE)
    other.accord.close()
    assert again is None
    assert counts(first.settle(), "tryton") == {"applied": ALL}


def test_a_claim_that_took_longer_than_the_lease(world: World, target: WatchedTarget) -> None:
    """The hub counts the lease from when the dispatch was written, so the sender must: it was taken over before it sent."""
    others: list[Process] = []

    def take_over() -> None:
        others.append(Process(world, "b").prepare())
        others[0].load()

    slow = Watch(
        meanwhile={
            Place(CLAIM, "before"): lambda: time.sleep(LEASE.total_seconds()),
            Place(CLAIM, "after"): take_over,
        }
    )
    process = Process(world, "a", slow).prepare()
    with pytest.raises(InDoubt):
        process.load()
    process.accord.close()
    assert len(target.writes) == ALL
    assert complaints(world) == []
    assert counts(others[0].settle(), "tryton") == {"applied": ALL}


def test_older_loads_after_newer(world: World, target: WatchedTarget) -> None:
    older = Process(world, "older").prepare()
    world.change("3", phone="+31 20 1")
    world.tick(MINUTE)
    newer = Process(world, "newer").prepare()
    newer.load()
    older.load()
    assert complaints(world) == []
    assert counts(newer.settle(), "tryton") == {"applied": ALL}
    assert counts(older.settle(), "tryton") == {"superseded": 1, "unchanged": ALL - 1}


def test_newer_waits_for_what_is_being_sent(world: World, target: WatchedTarget) -> None:
    seen = threading.Event()
    older = Process(world, "older", Watch(meanwhile={Place(REQUEST, "before"): lambda: seen.wait(PATIENCE)})).prepare()
    world.change("0", phone="+31 20 1")
    world.tick(MINUTE)
    # the newer run has asked for its claims, and was refused what the older one is sending
    newer = Process(world, "newer", Watch(meanwhile={Place(CLAIM, "after"): seen.set})).prepare()
    sending = beside(older.load)
    newer.load()
    sending.result(PATIENCE)
    assert complaints(world) == []
    assert older.settle()["error"] is None
    assert newer.settle()["error"] is None


@pytest.mark.parametrize("more_to_send", [True, False])
def test_a_sender_that_wakes_too_late(world: World, target: WatchedTarget, more_to_send: bool) -> None:
    target.request_size = 1 if more_to_send else ALL
    asleep, taken_over = threading.Event(), threading.Event()

    def sleep() -> None:
        asleep.set()
        assert taken_over.wait(PATIENCE)

    zombie = Process(world, "zombie", Watch(meanwhile={Place(REQUEST, "after"): sleep})).prepare()
    loading = beside(zombie.load)
    assert asleep.wait(PATIENCE)
    other = Process(world, "other").prepare()
    other.load()
    taken_over.set()
    if more_to_send:  # the next request is not made
        with pytest.raises(InDoubt):
            loading.result(PATIENCE)
    else:  # what it would record is recorded already
        loading.result(PATIENCE)
        assert zombie.settle()["error"] is None
    assert len(target.writes) == ALL
    assert complaints(world) == []
    assert world.exceptions() == []
    assert other.settle()["error"] is None


@pytest.fixture
def order(world: World) -> str:
    """An order of a customer both ERPs have; sales has said who sells it."""
    customer = world.customer("1", entities=("NL01", "US01"))
    world.run()
    values = {"customer": customer, "legal_entity": "NL01", "currency": "EUR", "status": "Activated", "total": "10.00"}
    return world.source.put(ORDER, "O1", at=world.tick(MINUTE), number="O1", **values)


def where(world: World, key: str) -> list[str]:
    """The ERPs in which an order lives."""
    erps = {"tryton": world.tryton, "legacy": world.legacy}
    return [name for name, erp in erps.items() for record in erp.held(ORDER, key) if not record["gone"]]


@pytest.mark.parametrize("first", ["older", "newer", "sending", "claiming"])
def test_an_order_given_to_another_legal_entity_while_runs_are_under_way(world: World, order: str, first: str) -> None:
    """Two runs have seen it in no ERP, and each is to create it in another one: at no time are there two."""
    target = watched_target(world)
    world.tick(MINUTE)
    older = Process(world, "older", flow=ORDERS).prepare()
    world.source.touch(ORDER, "O1", at=world.tick(), legal_entity="US01", currency="USD")
    world.tick(MINUTE)
    newer = Process(world, "newer", flow=ORDERS).prepare("legacy")
    places: list[list[str]] = []

    def look() -> None:
        places.append(where(world, order))

    world.legacy.on_request = target.on_request = look
    if first in ("sending", "claiming"):  # the one comes by in the middle of the other
        loading: list[Future[dict[str, int]]] = []

        def come_by() -> None:
            loading.append(beside(newer.load))
            while not loading[0].done() and not world.rows("SELECT FROM pg_locks WHERE NOT granted"):
                pass

        older.watch.meanwhile[Place(REQUEST if first == "sending" else CLAIM, "before")] = come_by
        older.load()
        loading[0].result(PATIENCE)
    else:
        for run in (older, newer) if first == "older" else (newer, older):
            run.load()
    look()
    assert max(map(len, places)) == 1, f"in two ERPs at a time: {places}"
    newer.chunks = newer.compare("tryton")
    newer.load()
    for run in (older, newer):
        run.settle()
    for _ in range(3):
        world.tick(9 * MINUTE)
        world.run(ORDERS)
    assert where(world, order) == ["legacy"]
    assert world.exceptions() == []
    assert complaints(world) == []
