"""A longer run still holds what has changed meanwhile: whichever comes last, the newest is what stays, and what became of it
stays visible."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta

import pytest

from accord.categories import Category
from accord.errors import Unavailable
from accord.objects import CUSTOMER
from accord.pipeline.runs import Params, RunKind
from tests.fakes import Fault
from tests.faults.side_by_side import PATIENCE, TO_TRYTON, Process, beside
from tests.faults.watching import REQUEST, Place, Watch, WatchedTarget, watched_target
from tests.oracle import complaints
from tests.world import MINUTE, World, counts

CLAIM = "load.ChunkLoad._once"
HELD, SENDING = "the longer run holds it", "the longer run is sending it"
meeting = pytest.mark.parametrize("when", [HELD, SENDING])


@pytest.fixture
def target(world: World) -> WatchedTarget:
    target = watched_target(world)
    target.longest_request = 60 * MINUTE  # nobody takes over what is being sent
    return target


def overtake(world: World, when: str, edit: Callable[[], object]) -> tuple[dict[str, int], dict[str, int]]:
    """A longer run has read the records when `edit` happens and a newer run comes by: while the longer one sends, it finds the
    records claimed. Returns what became of the records in the longer run, and in the newer one."""
    newer: list[Process] = []
    loading: list[Future[dict[str, int]]] = []

    def come_by() -> None:
        edit()
        world.tick(MINUTE)
        asked = threading.Event()
        run = Process(world, "newer", Watch(meanwhile={Place(CLAIM, "after"): asked.set})).prepare()
        newer.append(run)
        if when == HELD:
            run.load()
        elif run.chunks:
            loading.append(beside(run.load))
            assert asked.wait(PATIENCE)

    world.tick(MINUTE)
    watch = Watch(meanwhile={Place(REQUEST, "before"): come_by} if when == SENDING else {})
    longer = Process(world, "longer", watch).prepare()
    if when == HELD:
        come_by()
    longer.load()
    for load in loading:
        load.result(PATIENCE)
    return counts(longer.settle(), "tryton"), counts(newer[0].settle(), "tryton")


def later(world: World, times: int = 2) -> dict[str, int]:
    """The schedule goes on; how the last run's records fared."""
    last: dict[str, int] = {}
    for _ in range(times):
        world.tick(9 * MINUTE)
        last = counts(world.run(TO_TRYTON), "tryton")
    return last


@pytest.mark.usefixtures("open_gates")
@meeting
def test_an_edit_that_is_undone(world: World, target: WatchedTarget, when: str) -> None:
    key = world.customer("1", phone="+31 20 1")
    world.run(TO_TRYTON)
    world.change("1", phone="+31 20 2")
    longer, newer = overtake(world, when, lambda: world.change("1", phone="+31 20 1"))
    assert complaints(world) == []
    assert (longer, newer) == (
        ({"superseded": 1}, {"unchanged": 1}) if when == HELD else ({"applied": 1}, {"applied": 1})
    )
    later(world)
    assert target.held(CUSTOMER, key)[0]["phone"] == "+31 20 1"
    assert complaints(world) == []


@pytest.mark.usefixtures("open_gates")
@meeting
def test_a_customer_that_is_deleted_before_it_was_created(world: World, target: WatchedTarget, when: str) -> None:
    key = world.customer("1")
    longer, newer = overtake(world, when, lambda: world.change("1", gone=True))
    assert complaints(world) == []
    assert (longer, newer) == (
        ({"superseded": 1}, {"excluded": 1}) if when == HELD else ({"applied": 1}, {"applied": 1})
    )
    later(world)
    assert [record["gone"] for record in target.held(CUSTOMER, key)] == ([] if when == HELD else [True])

    world.change("1", gone=False)  # restored from the recycle bin
    later(world, 1)
    assert [record["gone"] for record in target.held(CUSTOMER, key)] == [False]
    assert complaints(world) == []


@pytest.mark.usefixtures("open_gates")
def test_a_deletion_of_what_never_arrived(world: World, target: WatchedTarget) -> None:
    """Compared while somebody was about to create the record, sent when that had failed: there is nothing to delete, and
    nothing a restored record could change."""
    key = world.customer("1")
    world.tick(MINUTE)
    deleting: list[Process] = []

    def come_by() -> None:
        world.change("1", gone=True)
        world.tick(MINUTE)
        deleting.append(Process(world, "deleting").prepare())

    creating = Process(world, "creating", Watch(meanwhile={Place(REQUEST, "before"): come_by})).prepare()
    target.faults = [Fault.UNAVAILABLE]
    with pytest.raises(Unavailable):
        creating.load()
    creating.accord.close()
    deleting[0].load()
    assert counts(deleting[0].settle(), "tryton") == {"applied": 1}
    assert target.held(CUSTOMER, key) == []

    world.change("1", gone=False)
    assert later(world, 1) == {"applied": 1}
    assert complaints(world) == []
    assert world.exceptions() == []


@pytest.mark.usefixtures("open_gates")
def test_a_newer_version_that_is_refused_stays_visible(world: World, target: WatchedTarget) -> None:
    key = world.customer("1", phone="+31 20 1")

    def refused() -> None:
        world.change("1", phone="wrong")
        target.rejects = {key: Category.INVALID_VALUE}
        world.run(TO_TRYTON)
        target.rejects = {}

    longer, _ = overtake(world, HELD, refused)
    assert longer == {"applied": 1}
    assert [record["phone"] for record in target.held(CUSTOMER, key)] == ["+31 20 1"]
    assert [(e["key"], e["kind"]) for e in world.exceptions()] == [(key, "rejected")]
    everything = world.run(TO_TRYTON, kind=RunKind.MANUAL, params=Params(full_refresh=True))
    assert counts(everything, "tryton") == {"rejected": 1}

    world.change("1", phone="+31 20 2")
    assert later(world, 1) == {"applied": 1}
    assert world.exceptions() == []
    assert complaints(world) == []


def test_a_newer_version_in_quarantine_stays_visible(world: World) -> None:
    """Through the real gates."""
    key = world.customer("0", phone="+31 20 1")
    for n in range(1, 10):
        world.customer(str(n))
    world.tick(MINUTE)
    longer = Process(world, "longer").prepare()
    world.change("0", phone="+31 20 2", country="Atlantis")
    assert counts(world.run(TO_TRYTON), "tryton") == {"applied": 9, "quarantined": 1}
    longer.load()
    assert counts(longer.settle(), "tryton") == {"applied": 1, "unchanged": 9}
    assert [(e["key"], e["kind"]) for e in world.exceptions()] == [(key, "quarantined")]

    world.change("0", country="NL")
    assert later(world, 1)["applied"] == 1
    assert world.exceptions() == []
    assert complaints(world) == []


@pytest.mark.usefixtures("open_gates")
def test_a_version_that_goes_back(world: World) -> None:
    """The newest part of a root is taken away, and with it the root's version. A reading that came well after what was applied
    became visible is newer all the same; one that came within the overlap may be the older."""
    world.customer("1", contacts=[{"id": "salesforce:c1", "last_name": "de Vries"}])
    world.run(TO_TRYTON)
    record = world.source.records[CUSTOMER.name]["1"]
    record |= {"contacts": [], "modified": record["modified"] - timedelta(hours=2)}
    everything = Params(full_refresh=True)
    soon = world.run(TO_TRYTON, kind=RunKind.MANUAL, params=everything)
    assert counts(soon, "tryton") == {"superseded": 1}

    world.tick(TO_TRYTON.overlap)
    again = world.run(TO_TRYTON, kind=RunKind.MANUAL, params=everything)
    assert counts(again, "tryton") == {"applied": 1}
    assert complaints(world) == []
    assert counts(world.run(TO_TRYTON, kind=RunKind.MANUAL, params=everything), "tryton") == {"unchanged": 1}
