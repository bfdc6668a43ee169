"""Systems that are away: nobody knocks on a door that is known to be shut, nothing is lost, and they come back to a calm start."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from accord.breaker import Rules, State
from accord.categories import Category
from accord.errors import BadCredentials, Shut, SystemShut, Unavailable
from accord.hub import systems
from accord.pipeline.compare import compare
from accord.pipeline.extract import extract
from accord.pipeline.load import load
from accord.pipeline.reconcile import reconcile
from accord.pipeline.runs import RunKind, open_run
from accord.pipeline.settle import settle
from accord.pipeline.transform import transform
from tests.fakes import Fault
from tests.world import CUSTOMERS, MINUTE, TRYTON_ACCOUNTS, World, counts

pytestmark = pytest.mark.usefixtures("open_gates")

RULES = Rules(wait=timedelta(milliseconds=20))


def done(summary: Mapping[str, Any], target: str) -> dict[str, int]:
    """What became of the records; those read twice, in the window and as released ones, are counted once."""
    return {bucket: n for bucket, n in counts(summary, target).items() if bucket != "superseded"}


def breaker(world: World, name: str) -> Any:
    return systems.state_of(world.accord().hub, name).breaker


def break_down(world: World, name: str, how: str = "down") -> None:
    """The system goes away, and runs notice."""
    getattr(world, name).__setattr__(how, True)
    for _ in range(3):
        with pytest.raises(Unavailable):
            world.run()


def time_passes(world: World) -> None:
    """The pause is over."""
    world.rows("UPDATE system SET until = now() - interval '1 second' RETURNING name")
    world.rows(
        "UPDATE exception SET not_before = now() - interval '1 second' WHERE not_before IS NOT NULL RETURNING id"
    )


def test_an_erp_that_is_away_is_left_alone_while_the_other_gets_its_part(world: World) -> None:
    first = world.customer("1", entities=("NL01", "US01"))
    break_down(world, "legacy")
    watermark = world.watermark()
    assert len(world.written(world.tryton, first)) == 1

    def touched() -> None:
        pytest.fail("the system was touched")

    world.legacy.down, world.legacy.on_request = False, touched
    second = world.customer("2", entities=("NL01", "US01"))
    summary = world.run()
    assert counts(summary, "legacy") == {"parked": 2}, "the equation is proven: what can't go is parked"
    assert counts(summary, "tryton") == {"unchanged": 1, "applied": 1}
    assert world.watermark() != watermark
    parked = world.exceptions(category=Category.OUTAGE)
    assert {(row["key"], row["target"], row["queue"]) for row in parked} == {
        (key, "legacy", "integration") for key in (first, second)
    }
    assert {row["not_before"] for row in parked} == {breaker(world, "legacy").until}
    told = ("Pending", "System unavailable: Nothing: it goes when the system is back.")
    assert world.status(first) == world.status(second) == told

    written = len(world.salesforce.writes)
    assert counts(world.run(), "legacy") == {"parked": 2}, "read again within the overlap: it still waits, once"
    assert len(world.exceptions()) == 2
    assert len(world.salesforce.writes) == written, "and its status is not written again"

    world.legacy.on_request = None
    time_passes(world)
    assert done(world.run(), "legacy") == {"applied": 2}
    assert world.exceptions() == []
    assert world.status(first) == world.status(second) == ("Synced", None)
    assert breaker(world, "legacy").state is State.CLOSED
    for key in (first, second):
        assert len(world.written(world.legacy, key)) == len(world.written(world.tryton, key)) == 1


@pytest.mark.parametrize("who", ["source", "both ERPs"])
def test_a_run_that_could_do_nothing_does_not_begin(world: World, who: str) -> None:
    world.customer("1", entities=("NL01", "US01"))
    if who == "source":
        break_down(world, "source")
    else:
        world.tryton.down = True
        break_down(world, "legacy")
    runs = world.rows("SELECT id FROM run")
    with pytest.raises(SystemShut) as raised:
        world.run()
    assert raised.value.why is Shut.OUTAGE
    assert "nothing is sent before" in str(raised.value)
    assert raised.value.cure
    assert world.rows("SELECT id FROM run") == runs
    assert world.watermark() is None

    world.source.down = world.tryton.down = world.legacy.down = False
    time_passes(world)
    assert world.run()["error"] is None
    assert world.watermark() is not None
    assert len(world.tryton.writes) == len(world.legacy.writes) == 1


def test_an_outage_in_the_middle_of_a_batch_parks_the_rest_of_it(world: World) -> None:
    keys = {world.customer(str(n), entities=("US01",)) for n in range(30)}
    world.legacy.request_size = 5
    world.legacy.faults = [None, *[Fault.UNAVAILABLE] * 9]  # type: ignore[list-item]  # one request passes
    summary = world.run(accord=world.accord(chunk_rows=20, rules=RULES, retries=5))
    assert counts(summary, "legacy") == {"applied": 5, "parked": 25}
    assert breaker(world, "legacy").state is State.OPEN
    assert world.legacy.requests == 4, "three failures in a row; the other chunks are parked without a call"
    assert {row["category"] for row in world.exceptions()} == {Category.OUTAGE}
    world.legacy.faults = []
    time_passes(world)
    assert done(world.run(), "legacy") == {"applied": 25, "unchanged": 5}
    assert Counter(write.key for write in world.legacy.writes) == Counter(keys), "each one once"


def test_what_the_source_can_t_be_told_is_told_later(world: World) -> None:
    key = world.customer("1")
    world.salesforce.down = True
    for _ in range(3):
        with pytest.raises(Unavailable):
            world.run()
    assert len(world.written(world.tryton, key)) == 1
    world.salesforce.down = False
    time_passes(world)
    assert world.run()["error"] is None
    assert world.status(key) == ("Synced", None)


def test_a_refusal_is_no_outage(world: World) -> None:
    world.customer("1", entities=("US01",))
    world.legacy.bad_login = True
    with pytest.raises(BadCredentials):
        world.run()
    world.legacy.bad_login = False
    world.legacy.rejects = {"salesforce:1": Category.REFUSED}
    assert counts(world.run(), "legacy") == {"rejected": 1}
    assert breaker(world, "legacy").well, "not even one failure is noted"


def test_requests_without_an_answer_count_too(world: World) -> None:
    world.legacy.request_size = 1
    for n in range(2):
        world.customer(str(n), entities=("US01",))
    world.legacy.faults = [Fault.DROP_AFTER_COMMIT] * 2
    world.run(accord=world.accord(rules=replace(RULES, forget=timedelta(hours=1))))
    assert breaker(world, "legacy").well, "they had arrived: reading back is an answer"
    assert len(world.legacy.writes) == 2


# ---------------------------------------------------------------------------------------------------------- maintenance
def maintenance(world: World, name: str) -> None:
    world.extras[f"accord_{name}"] = {"maintenance": [{"cron": "* * * * *", "minutes": 60, "zone": "Europe/Amsterdam"}]}


def test_an_erp_in_maintenance_queues_and_the_other_goes_on(world: World) -> None:
    maintenance(world, "legacy")
    key = world.customer("1", entities=("NL01", "US01"))
    summary = world.run()
    assert summary["error"] is None
    assert counts(summary, "legacy") == {"parked": 1}
    assert counts(summary, "tryton") == {"applied": 1}
    (parked,) = world.exceptions()
    assert (parked["category"], parked["severity"]) == (Category.MAINTENANCE, 1)
    assert parked["not_before"] is not None
    status = world.status(key)
    assert status is not None
    assert status[0] == "Pending"

    world.extras = {}
    time_passes(world)
    assert done(world.run(), "legacy") == {"applied": 1}
    assert (world.exceptions(), world.status(key)) == ([], ("Synced", None))


@pytest.mark.parametrize("name", ["tryton", "salesforce"])
def test_a_flow_whose_only_target_or_source_is_in_maintenance_does_not_begin(world: World, name: str) -> None:
    world.account("1", "7")
    maintenance(world, name)
    with pytest.raises(SystemShut, match=f"{name} is in maintenance until"):
        world.run(TRYTON_ACCOUNTS)
    assert world.rows("SELECT id FROM run") == []


def test_a_reconciliation_does_not_begin_either(world: World) -> None:
    world.customer("1")
    world.run()
    maintenance(world, "tryton")
    with pytest.raises(SystemShut, match="tryton is in maintenance until"):
        reconcile(world.accord(), CUSTOMERS, target="tryton")
    assert world.rows("SELECT id FROM reconciliation") == []


def test_a_chunk_under_way_ends_and_the_next_ones_wait(world: World) -> None:
    for n in range(6):
        world.customer(str(n), entities=("US01",))
    hub = world.accord().hub
    until = systems.state_of(hub, "legacy").now + timedelta(hours=1)
    world.legacy.on_request = lambda: systems.hold(hub, "legacy", until=until, who="ada", why="maintenance")
    summary = world.run(accord=world.accord(chunk_rows=2))
    fared = counts(summary, "legacy")
    assert fared["applied"] == len(world.legacy.writes) >= 1
    assert fared["parked"] == 6 - fared["applied"] >= 4
    assert world.rows("SELECT id FROM dispatch WHERE closed IS NULL") == []
    assert world.rows("SELECT key FROM link WHERE dispatch IS NOT NULL") == []


def test_somebody_may_keep_calls_away_and_let_them_through_again(world: World) -> None:
    world.customer("1", entities=("US01",))
    hub = world.accord().hub
    until = systems.state_of(hub, "legacy").now + timedelta(hours=1)
    systems.hold(hub, "legacy", until=until, who="ada", why="disk full")
    assert counts(world.run(), "legacy") == {"parked": 1}
    with pytest.raises(SystemShut, match="disk full"):
        world.accord().target("legacy").remote_ended("a look without a run")
    assert world.exceptions()[0]["not_before"] == until
    world.rows("UPDATE exception SET not_before = now() - interval '1 second' RETURNING id")
    world.tick(60 * MINUTE)
    assert world.run()["released"] == 0, "nobody reads again what can't go"
    systems.release(hub, "legacy", who="ada", why="disk emptied")
    time_passes(world)
    assert done(world.run(), "legacy") == {"applied": 1}
    assert [(row["who"], row["what"], row["subject"]) for row in world.rows("SELECT * FROM audit ORDER BY at")] == [
        ("ada", "system held", "system:legacy"),
        ("ada", "system released", "system:legacy"),
    ]


# ----------------------------------------------------------------------------------------------------------- calm start
WORKERS = 50
TO_LEGACY = replace(CUSTOMERS, targets=("legacy",))


class Gauge:
    """Whether ever more requests are at work at once than `first` and one for each that is done. Each waits a little for that
    to happen."""

    def __init__(self, first: int) -> None:
        self._first, self._changed = first, threading.Condition()
        self._now = self.done = 0
        self.crowded = False

    def request(self) -> None:
        with self._changed:
            self._now += 1
            self.crowded = self.crowded or self._now > self._first + self.done
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.crowded, timeout=0.1)
            self._now -= 1
            self.done += 1


class Burst:
    """A batch of as many chunks as there are workers, as mapped tasks of one run load it."""

    def __init__(self, world: World, rules: Rules) -> None:
        self._world, self.rules = world, rules

    def __call__(self, *, outage: bool = False) -> tuple[Counter[str], dict[str, Any]]:
        """Run the flow; what came of the first try of every load, and the summary."""
        world = self._world
        world.tick(MINUTE)
        accord = world.accord(chunk_rows=1, rules=self.rules)
        run = open_run(
            accord, TO_LEGACY, engine_run=f"at {world.clock}", kind=RunKind.SCHEDULED, interval=world.interval()
        )
        canonical = transform(accord, run, extract(accord, run))
        chunks = compare(accord, run, canonical)
        assert len(chunks) == WORKERS
        world.legacy.down = outage
        with ThreadPoolExecutor(WORKERS) as pool:
            ended = Counter(pool.map(self._load, chunks))
        return ended, settle(accord, run)

    def _load(self, chunk: dict[str, Any]) -> str:
        """A task and its retries."""
        accord, first = self._world.accord(rules=self.rules), ""
        while True:
            try:
                load(accord, chunk)
            except Unavailable:
                first = first or "failed"
            except SystemShut:
                threading.Event().wait(0.01)
            else:
                return first or "done"


def test_fifty_workers_meet_an_outage_and_come_back_calmly(world: World) -> None:
    keys = [world.customer(str(n), entities=("US01",)) for n in range(WORKERS)]
    burst = Burst(world, replace(RULES, many=WORKERS))
    ended, summary = burst(outage=True)
    assert breaker(world, "legacy").state is State.OPEN
    assert ended["failed"] >= 3
    assert counts(summary, "legacy") == {"parked": WORKERS}, "whoever failed finds the breaker open when it tries again"

    gauge = Gauge(RULES.first)
    world.legacy.down, world.legacy.on_request = False, gauge.request
    time_passes(world)
    ended, summary = burst()
    assert ended == {"done": WORKERS}
    assert done(summary, "legacy") == {"applied": WORKERS}
    assert gauge.done == WORKERS
    assert not gauge.crowded, "two at once, and one more with each that succeeded"
    assert Counter(write.key for write in world.legacy.writes) == Counter(keys), "nothing lost, nothing twice"
    assert breaker(world, "legacy").well, "by now it would take all of them"
    assert world.exceptions() == []
    assert world.rows("SELECT who FROM admission") == []
