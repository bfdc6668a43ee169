"""What protects, taken away piece by piece: the same scenario that is silent with it must make the oracle complain."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from accord.hub import dispatches
from accord.objects import CUSTOMER
from accord.pipeline import recover
from tests.fakes import Fault
from tests.faults.side_by_side import TO_TRYTON, Process
from tests.oracle import complaints
from tests.world import MINUTE, World, without_overlap

pytestmark = pytest.mark.usefixtures("open_gates")


def two_runs_of_one_window(world: World) -> None:
    world.customer("1")
    world.tick(MINUTE)
    runs = [Process(world, name).prepare() for name in ("a", "b")]
    for run in runs:
        run.load()


def an_answer_that_got_lost(world: World) -> None:
    world.customer("1")
    world.tryton.faults = [Fault.DROP_AFTER_COMMIT]
    world.run(TO_TRYTON)


def older_after_newer(world: World) -> None:
    world.customer("1")
    world.tick(MINUTE)
    older = Process(world, "older").prepare()
    world.change("1", phone="+31 20 1")
    world.tick(MINUTE)
    Process(world, "newer").prepare().load()
    older.load()


def a_row_committed_late(world: World, *, overlap: bool = True) -> None:
    """A row becomes visible after the run whose window holds its modification instant."""
    flow = TO_TRYTON if overlap else without_overlap(TO_TRYTON)
    world.customer("1")
    world.run(flow)
    watermark = world.clock
    world.customer("late")
    world.source.records["customer"]["late"]["modified"] = watermark - timedelta(seconds=5)
    world.tick(MINUTE)
    world.run(flow, interval=(watermark, world.clock))


def without_claims_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    mutated, n = re.subn(r"WHERE l\.dispatch IS NULL.*?(?=RETURNING)", "", dispatches._CLAIM, flags=re.DOTALL)
    assert n == 1
    monkeypatch.setattr(dispatches, "_CLAIM", mutated)


def without_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    mutated, n = re.subn(r"AND newer\(.*?(?=RETURNING)", "", dispatches._CLAIM, flags=re.DOTALL)
    assert n == 1
    monkeypatch.setattr(dispatches, "_CLAIM", mutated)


def without_reading_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recover, "found_equal", lambda *_: {})


Scenario = Callable[[World], None]
Mutation = Callable[[pytest.MonkeyPatch], None]

PAIRS: list[tuple[Scenario, Mutation]] = [
    (two_runs_of_one_window, without_claims_condition),
    (an_answer_that_got_lost, without_reading_back),
    (older_after_newer, without_the_version),
]
names = pytest.mark.parametrize(("scenario", "mutation"), PAIRS, ids=[s.__name__ for s, _ in PAIRS])


@names
def test_with_it_all_is_well(world: World, scenario: Scenario, mutation: Mutation) -> None:
    world.tryton.enforces_key = False
    scenario(world)
    assert complaints(world) == []


@names
def test_without_it_the_oracle_complains(
    world: World, scenario: Scenario, mutation: Mutation, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.tryton.enforces_key = False
    mutation(monkeypatch)
    scenario(world)
    assert complaints(world) != []


def test_a_target_that_enforces_the_key_needs_no_luck(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What slips through meets the adapter's declared safety: the second create is refused as such."""
    without_reading_back(monkeypatch)
    an_answer_that_got_lost(world)
    assert len(world.tryton.held(CUSTOMER, "salesforce:1")) == 1


def test_the_overlap_catches_what_was_committed_late(world: World) -> None:
    a_row_committed_late(world)
    assert complaints(world) == []


def test_without_the_overlap_it_is_lost(world: World) -> None:
    a_row_committed_late(world, overlap=False)
    assert complaints(world) == ["tryton has lost salesforce:late"]
