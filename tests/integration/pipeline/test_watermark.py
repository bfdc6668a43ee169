"""The watermark: moved by scheduled and event runs that were proven, forward only; a failure leaves no gap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accord.cli import main
from accord.errors import Unavailable
from accord.pipeline.runs import Params, RunKind
from accord.runtime import Accord
from tests.oracle import complaints
from tests.world import CUSTOMERS, MINUTE, START, World

pytestmark = pytest.mark.usefixtures("open_gates")


def test_moved_by_a_scheduled_run_to_its_end(world: World) -> None:
    world.customer("1")
    world.run()
    assert world.watermark() == world.clock


@pytest.mark.parametrize("kind", [RunKind.BACKFILL, RunKind.MANUAL])
def test_not_moved_by(world: World, kind: RunKind) -> None:
    world.customer("1")
    world.run()
    there = world.watermark()
    world.customer("2")
    end = world.clock + 2 * MINUTE
    world.run(kind=kind, interval=(START, end), params=Params(since=START, until=end))
    assert world.watermark() == there
    assert complaints(world) == []


def test_not_moved_by_keys_or_a_dry_run(world: World) -> None:
    world.customer("1")
    world.run(params=Params(keys=("salesforce:1",)))
    world.run(params=Params(dry_run=True))
    assert world.watermark() is None


def test_moved_by_accord_run_as_scheduled_and_not_without(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Accord, "from_environment", world.accord)
    world.customer("1")
    world.source.now = datetime.now(UTC)  # the command goes by the clock
    assert main(["run", CUSTOMERS.name]) == 0
    assert world.watermark() is None

    begun = datetime.now(UTC)
    assert main(["run", CUSTOMERS.name, "--scheduled"]) == 0
    there = world.watermark()
    assert there is not None
    assert begun <= there <= datetime.now(UTC)
    assert main(["run", CUSTOMERS.name, "--scheduled", "--dry-run"]) == 0
    assert world.watermark() == there

    assert main(["run", CUSTOMERS.name, "--scheduled"]) == 0
    (run,) = world.rows("SELECT kind, win_from, win_to FROM run ORDER BY id DESC LIMIT 1")
    assert run["kind"] == "scheduled"
    assert run["win_from"] == there - CUSTOMERS.overlap
    assert world.watermark() == run["win_to"] > there


def test_never_moved_back(world: World) -> None:
    world.customer("1")
    world.run()
    there = world.watermark()
    world.run(interval=(START - timedelta(hours=2), START - timedelta(hours=1)))
    assert world.watermark() == there


def test_a_failure_leaves_no_gap(world: World) -> None:
    world.customer("1")
    world.run()
    there = world.watermark()
    world.customer("2")
    world.tryton.down = True
    with pytest.raises(Unavailable):
        world.run()
    assert world.watermark() == there
    (run,) = world.rows("SELECT state, error FROM run ORDER BY id DESC LIMIT 1")
    assert run["state"] == "failed"
    assert "can't be reached" in run["error"]

    world.tryton.down = False
    world.tick(timedelta(days=1))  # a day's pause: the interval alone would not reach back
    world.run()
    assert complaints(world) == []
    assert world.watermark() == world.clock


def test_a_retried_run_reads_the_window_it_was_given_first(world: World) -> None:
    world.customer("1")
    world.source.down = True
    with pytest.raises(Unavailable):
        world.run(engine_run="first")
    end = world.clock
    world.source.down = False
    world.customer("2")
    summary = world.run(engine_run="first")
    assert summary["extracted"] == 1
    assert world.watermark(CUSTOMERS) == end
