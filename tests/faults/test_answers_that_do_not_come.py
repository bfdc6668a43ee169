"""Requests that are dropped, locked or refused: what took effect is found, what did not goes again, what can't waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from accord.errors import Unavailable
from accord.hub import systems
from accord.objects import CUSTOMER
from accord.pipeline import insist, recover
from tests.fakes import FakeTarget, Fault
from tests.faults.watching import LEASE
from tests.oracle import complaints
from tests.world import CUSTOMERS, World, counts

pytestmark = pytest.mark.usefixtures("open_gates")

ALL = 6


@pytest.fixture
def target(world: World) -> FakeTarget:
    world.tryton.request_size = 2
    world.tryton.enforces_key = False  # so that only reading back protects
    for n in range(ALL):
        world.customer(f"{n}")
    return world.tryton


@pytest.mark.parametrize(
    "faults",
    [
        [Fault.DROP_AFTER_COMMIT],
        [Fault.DROP_BEFORE_COMMIT],
        [Fault.DROP_BEFORE_COMMIT, Fault.DROP_AFTER_COMMIT, Fault.LOCKED],
        [Fault.LOCKED, Fault.LOCKED, Fault.LOCKED],
        [Fault.DROP_AFTER_COMMIT] * 3,
    ],
    ids=lambda faults: ", ".join(faults),
)
def test_the_run_gets_over_it(world: World, target: FakeTarget, faults: list[Fault]) -> None:
    target.faults = list(faults)
    summary = world.run()
    assert target.faults == []
    assert counts(summary, "tryton") == {"applied": ALL}
    assert complaints(world) == []
    assert world.exceptions() == []


def test_what_stays_locked_waits_for_the_next_run(world: World, target: FakeTarget) -> None:
    target.locks = {"salesforce:1"}
    assert counts(world.run(), "tryton") == {"applied": ALL - 1, "parked": 1}
    (held,) = world.exceptions()
    assert (held["key"], held["kind"], held["category"]) == ("salesforce:1", "parked", "record locked")
    assert target.requests == ALL / 2 + 2  # it alone goes again, as often as Accord is told to: twice
    assert world.status("salesforce:1") == ("Pending", f"Record locked: {held['message']}")
    target.locks = set()
    released = world.run(interval=(world.clock, world.clock))
    assert released["released"] == 1
    assert complaints(world) == []
    assert world.exceptions() == []


def test_tables_that_other_work_holds_are_waited_for(world: World, target: FakeTarget) -> None:
    """Nothing is wrong with the records: more tries than a locked record gets, and nobody is told."""
    target.faults = [Fault.TABLES_LOCKED] * 3 * 5
    assert counts(world.run(), "tryton") == {"applied": ALL}
    assert target.faults == []
    assert world.exceptions() == []
    assert complaints(world) == []


def test_tables_that_stay_locked_are_left_to_the_next_run(
    world: World, target: FakeTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patience is 14 seconds: twice the lease and the longest request. It begins again whenever a record gets through."""
    target.longest_request = timedelta(seconds=2)
    clock, free_at = Clock(), [10.0, 20.0]
    monkeypatch.setattr(insist, "time", clock)

    def hold() -> None:
        passes = bool(free_at) and clock.now >= free_at[0]
        target.faults = [] if passes else [Fault.TABLES_LOCKED]
        del free_at[: int(passes)]

    target.on_request = hold
    assert counts(world.run(), "tryton") == {"applied": 4, "parked": 2}
    assert 20 + 14 < clock.now < 20 + 14 + 5
    (one, _) = world.exceptions()
    assert (one["kind"], one["category"]) == ("parked", "tables locked")
    assert world.status(one["key"])[0] == "Pending"
    target.faults, target.on_request = [], None
    assert counts(world.run(), "tryton")["applied"] == 2
    assert world.exceptions() == []
    assert complaints(world) == []


@dataclass(slots=True)
class Clock:
    """In the place of the module `time`: it moves when somebody waits."""

    now: float = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_refused_in_the_middle(world: World, target: FakeTarget) -> None:
    """The first request took effect, the second was refused, the last was sent once the target was back."""
    answered = iter(range(100))

    def refuse_the_second() -> None:
        if next(answered) == 1:
            target.faults = [Fault.UNAVAILABLE]

    target.on_request = refuse_the_second
    assert counts(world.run(), "tryton") == {"applied": ALL}
    assert complaints(world) == []


def test_gone_in_the_middle(world: World, target: FakeTarget) -> None:
    answered = iter(range(100))

    def go_down() -> None:
        if next(answered) == 1:
            target.down = True
            target.faults = [Fault.UNAVAILABLE]

    target.on_request = go_down
    summary = world.run()
    assert counts(summary, "tryton") == {"applied": 2, "parked": 4}
    assert {e["category"] for e in world.exceptions()} == {"system unavailable"}
    target.down, target.on_request = False, None
    systems.release(world.accord().hub, "tryton", who="somebody", why="it is back")
    assert counts(world.run(), "tryton")["applied"] == 4
    assert complaints(world) == []
    assert world.exceptions() == []


def test_down_from_the_start(world: World, target: FakeTarget) -> None:
    target.faults = [Fault.UNAVAILABLE]
    with pytest.raises(Unavailable):
        world.run()
    assert target.writes == []
    assert world.watermark(CUSTOMERS) is None
    assert world.rows("SELECT key FROM link WHERE dispatch IS NOT NULL") == []
    assert counts(world.run(), "tryton") == {"applied": ALL}
    assert complaints(world) == []


def test_no_answer_and_then_nobody_to_ask(world: World, target: FakeTarget) -> None:
    """Sent, not answered, and the target is down when it is to be read back: in doubt, not given back."""

    def go_down() -> None:
        target.down = True

    target.faults, target.on_request = [Fault.DROP_AFTER_COMMIT], go_down
    with pytest.raises(Unavailable):
        world.run(accord=world.accord(lease=LEASE))
    assert len(world.rows("SELECT id FROM dispatch WHERE closed IS NULL")) == 1
    assert world.watermark(CUSTOMERS) is None

    target.down, target.on_request = False, None
    assert counts(world.run(accord=world.accord(lease=LEASE)), "tryton") == {"applied": 4, "unchanged": 2}
    assert complaints(world) == []
    assert world.exceptions() == []


def test_a_target_that_enforces_the_key_needs_no_luck(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What slips through without reading back meets the adapter's declared safety: the second create is refused as such."""
    monkeypatch.setattr(recover, "found_equal", lambda *_: {})
    key = world.customer("1")
    world.tryton.faults = [Fault.DROP_AFTER_COMMIT]
    world.run()
    assert world.tryton.faults == []
    assert len(world.tryton.held(CUSTOMER, key)) == 1
