"""What was claimed and never settled: it is verified where it can be, goes again where it can't, and holds nobody up."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from typing import Any

import pytest

from accord.categories import Category
from accord.objects import CUSTOMER
from accord.pipeline.runs import Params, RunKind
from tests.fakes import Fault
from tests.faults.side_by_side import TO_TRYTON, Process
from tests.faults.watching import LEASE, REQUEST, Killed, Place, Watch, WatchedTarget, watched_target
from tests.oracle import complaints
from tests.world import MINUTE, World, counts

pytestmark = pytest.mark.usefixtures("open_gates")


@pytest.fixture
def target(world: World) -> WatchedTarget:
    return watched_target(world)


def die(world: World, when: str) -> int:
    """A run whose process ends at its first request, before or after it took effect, long ago; gives its number."""
    world.tick(MINUTE)
    process = Process(world, "killed", Watch(end_at=Place(REQUEST, when))).prepare()
    with pytest.raises(Killed):
        process.load()
    process.accord.close()
    WatchedTarget.watches.watch = Watch()
    world.rows("UPDATE dispatch SET send_before = now() - interval '1 hour' WHERE closed IS NULL RETURNING id")
    return process.run


def unsettled(world: World) -> list[dict[str, Any]]:
    """Open dispatches and claims."""
    return world.rows("SELECT id FROM dispatch WHERE closed IS NULL") + world.rows(
        "SELECT key FROM link WHERE dispatch IS NOT NULL"
    )


@pytest.mark.parametrize("fault", [Fault.DROP_BEFORE_COMMIT, Fault.DROP_AFTER_COMMIT])
def test_a_new_parent_whose_answer_is_lost(world: World, target: WatchedTarget, fault: Fault) -> None:
    """Nothing else changed, so only the parent tells whether it arrived."""
    first, second = world.customer("1"), world.customer("2")
    child = world.customer("3", parent=first)
    world.run(TO_TRYTON)
    world.change("3", parent=second)
    target.faults = [fault]
    assert counts(world.run(TO_TRYTON), "tryton") == {"applied": 1, "unchanged": 2}
    assert [record["parent"] for record in target.held(CUSTOMER, child)] == [second]
    assert complaints(world) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_new_parent_whose_sender_was_killed(world: World, target: WatchedTarget, when: str) -> None:
    first, second = world.customer("1"), world.customer("2")
    child = world.customer("3", parent=first)
    world.run(TO_TRYTON)
    world.change("3", parent=second)
    die(world, when)
    world.run(TO_TRYTON)
    assert [record["parent"] for record in target.held(CUSTOMER, child)] == [second]
    assert complaints(world) == []
    assert world.exceptions() == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_dispatch_whose_file_is_lost(world: World, target: WatchedTarget, when: str) -> None:
    """The disk of the worker is gone with it: nothing can be verified, and all goes again."""
    keys = [world.customer(n) for n in ("1", "2")]
    die(world, when)
    shutil.rmtree(world.folder / "staging")
    other = world.customer("3")
    summary = world.run(TO_TRYTON)
    assert summary["error"] is None
    assert counts(summary, "tryton")["applied"] == 3
    raised = world.rows("SELECT key, kind, state FROM exception WHERE category = %s", Category.INTERRUPTED)
    assert sorted((r["key"], r["kind"], r["state"]) for r in raised) == [(k, "parked", "closed") for k in sorted(keys)]
    assert [len(target.held(CUSTOMER, key)) for key in (*keys, other)] == [1, 1, 1]
    assert unsettled(world) == []
    assert counts(world.run(TO_TRYTON), "tryton") == {"unchanged": 3}


def test_a_sender_that_is_late_and_was_not_replaced(world: World, target: WatchedTarget) -> None:
    """A request may take longer than the lease: as long as nobody took over, the next one may follow."""
    target.request_size = 1
    for n in ("1", "2"):
        world.customer(n)
    world.tick(MINUTE)
    slow = Watch(meanwhile={Place(REQUEST, "before"): lambda: time.sleep(LEASE.total_seconds() * 1.1)})
    process = Process(world, "slow", slow).prepare()
    assert process.load() == {"applied": 2}
    assert counts(process.settle(), "tryton") == {"applied": 2}
    assert complaints(world) == []
    assert unsettled(world) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_dry_run_leaves_what_is_in_doubt_to_others(
    world: World, target: WatchedTarget, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.customer("1")
    die(world, when)
    left = unsettled(world)
    asked: list[str] = []

    def remote_ended(remote: str) -> bool:  # asking may end the job
        asked.append(remote)
        return True

    monkeypatch.setattr(target, "remote_ended", remote_ended)
    world.rows("UPDATE dispatch SET remote = 'job' RETURNING id")
    summary = world.run(TO_TRYTON, kind=RunKind.MANUAL, params=Params(dry_run=True))
    assert counts(summary, "tryton") == {"changed": 1}
    assert unsettled(world) == left
    assert asked == []
    assert world.rows("SELECT key FROM link WHERE hash IS NOT NULL") == []
    assert world.rows("SELECT id FROM exception") == []

    world.run(TO_TRYTON)
    assert asked == ["job"]
    assert unsettled(world) == []
    assert complaints(world) == []


def staged(world: World) -> set[str]:
    """Numbers of the runs that have files."""
    return {path.name for path in (world.folder / "staging" / TO_TRYTON.name).iterdir()}


def a_day_passes(world: World) -> None:
    day = "interval '25 hours'"
    for what in (
        f"run SET started = started - {day}, ended = ended - {day}",
        f"dispatch SET opened = opened - {day}, closed = closed - {day}",
        f"gate_verdict SET at = at - {day}",
    ):
        world.rows(f"UPDATE {what} RETURNING 1")


def test_the_files_of_a_killed_run_go_after_a_day(world: World, target: WatchedTarget) -> None:
    """It may be tried again for a while; then nobody needs what it read."""
    world.customer("1")
    world.tick(MINUTE)
    killed = Process(world, "killed").prepare()
    killed.accord.close()
    world.run(TO_TRYTON)
    assert staged(world) == {str(killed.run)}
    a_day_passes(world)
    world.run(TO_TRYTON)
    assert staged(world) == set()


def test_the_files_of_a_run_that_is_taken_up_again_stay(world: World, target: WatchedTarget) -> None:
    """An old run that somebody clears reads again; others come by meanwhile."""
    key = world.customer("1")
    world.tick(MINUTE)
    Process(world, "first").prepare().accord.close()
    a_day_passes(world)
    again = Process(world, "first").prepare()
    target.locks = {key}
    world.run(TO_TRYTON)
    target.locks = set()
    assert str(again.run) in staged(world)
    assert again.load() == {"applied": 1}
    assert again.settle()["error"] is None
    assert complaints(world) == []


def test_the_files_of_a_run_that_works_for_days_stay(world: World, target: WatchedTarget) -> None:
    """It sends chunk after chunk; only when that stops, and a day has passed, is it taken for killed."""
    keys = [world.customer(f"{n}") for n in range(6)]
    world.tick(MINUTE)
    slow = Process(world, "slow").prepare()
    first, *rest = slow.chunks
    assert rest
    a_day_passes(world)
    slow.chunks = [first]
    slow.load()
    passing_by(world, target, keys)
    assert str(slow.run) in staged(world)
    slow.accord.close()
    a_day_passes(world)
    passing_by(world, target, keys)
    assert str(slow.run) not in staged(world)


def test_the_files_of_a_run_that_got_through_its_gate_late_stay(world: World, target: WatchedTarget) -> None:
    keys = [world.customer("1")]
    world.tick(MINUTE)
    slow = Process(world, "slow").prepare()
    a_day_passes(world)
    world.rows(
        "INSERT INTO gate_verdict (run, gate, verdict, quarantined) VALUES (%s, 'canonical', 'pass', 0) RETURNING run",
        slow.run,
    )
    passing_by(world, target, keys)
    assert str(slow.run) in staged(world)
    assert slow.load() == {"applied": 1}
    assert slow.settle()["error"] is None


def passing_by(world: World, target: WatchedTarget, keys: Iterable[str]) -> None:
    """Another run of the flow, which settles, and leaves these customers to the one at work."""
    target.locks = set(keys)
    world.run(TO_TRYTON)
    target.locks = set()


def test_the_files_of_what_is_in_doubt_stay(world: World, target: WatchedTarget) -> None:
    """It is read back against them; a dry run comes by and resolves nothing."""
    world.customer("1")
    killed = die(world, "after")
    a_day_passes(world)
    world.run(TO_TRYTON, kind=RunKind.MANUAL, params=Params(dry_run=True))
    assert str(killed) in staged(world)
    world.run(TO_TRYTON)
    assert staged(world) == set()
    assert complaints(world) == []
