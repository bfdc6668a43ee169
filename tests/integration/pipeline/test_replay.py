"""A replay tries exceptions again, each once, whoever else replays them and whatever dies; the rest of the queue is left alone."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from accord.categories import Category
from accord.errors import Stop
from accord.exceptions import assign, discard
from accord.hub import systems
from accord.hub.queue import Filter, page
from accord.objects import CUSTOMER
from accord.pipeline import replay as replaying
from accord.pipeline.replay import replay
from accord.pipeline.runs import Params, RunKind
from tests.oracle import complaints
from tests.world import MINUTE, World, counts

ALL = Filter(object="customer")


def refused(world: World, *natives: str, category: Category = Category.REFUSED) -> list[str]:
    """Customers Tryton refuses; their keys."""
    keys = [world.customer(native) for native in natives]
    world.tryton.rejects = dict.fromkeys(keys, category)
    world.run()
    assert [row["key"] for row in world.exceptions()] == keys
    return keys


def audits(world: World, what: str) -> list[tuple[str, str]]:
    rows = world.rows("SELECT who, subject FROM audit WHERE what = %s ORDER BY subject", what)
    return [(row["who"], row["subject"]) for row in rows]


class Crash(BaseException):
    """The process ends here."""


@pytest.mark.usefixtures("open_gates")
class TestReplay:
    def test_what_the_source_says_now_is_sent_once(self, world: World) -> None:
        key, _ = refused(world, "1", "2")
        first, second = world.exceptions()
        world.tryton.rejects.pop(key)
        world.change("1", phone="+31 20 2")
        world.tick(MINUTE)
        done = replay(world.accord(), Filter(ids=(first["id"],)), who="ann", why="mended")
        assert [(one.taken, one.settled, one.waiting) for one in done.flows] == [(1, 1, 0)]
        assert world.tryton.held(CUSTOMER, key)[0]["phone"] == "+31 20 2"
        assert [row["id"] for row in world.exceptions()] == [second["id"]]
        assert world.exceptions()[0]["attempts"] == 1, "nobody asked for the other one"
        assert world.status(key) == ("Synced", None)
        assert audits(world, "exception replayed") == [("ann", f"exception:{first['id']}")]
        (run,) = world.rows("SELECT * FROM run WHERE kind = 'replay'")
        assert (run["state"], run["natives"]) == ("succeeded", ["1"])
        assert world.watermark() is not None
        assert replay(world.accord(), ALL, who="ann").flows[0].waiting == 1

    def test_refused_again_it_is_open_again_with_one_more_attempt(self, world: World) -> None:
        refused(world, "1")
        done = replay(world.accord(), ALL, who="ann")
        assert [(one.settled, one.waiting) for one in done.flows] == [(0, 1)]
        (held,) = world.exceptions()
        assert (held["state"], held["attempts"]) == ("open", 2)

    def test_a_dry_run_says_what_would_go_and_changes_nothing(self, world: World) -> None:
        refused(world, "1", "2")
        before, writes = world.exceptions(), world.writes()
        world.tryton.rejects = {}
        done = replay(world.accord(), ALL, who="ann", dry_run=True)
        assert done.flows[0].summary is not None
        assert counts(done.flows[0].summary, "tryton") == {"changed": 2}
        assert (world.exceptions(), world.writes(), audits(world, "exception replayed")) == (before, writes, [])

    def test_what_the_source_no_longer_has_waits_for_nothing(self, world: World) -> None:
        (key,) = refused(world, "1")
        world.source.purge(CUSTOMER, key)
        replay(world.accord(), ALL, who="ann")
        assert world.exceptions() == []

    def test_not_before_its_time(self, world: World) -> None:
        refused(world, "1")
        world.rows("UPDATE exception SET not_before = now() + interval '1 hour' RETURNING id")
        done = replay(world.accord(), ALL, who="ann")
        assert (done.flows[0].taken, done.left) == (0, {"not before its time": 1})
        world.rows("UPDATE exception SET not_before = now() RETURNING id")
        assert replay(world.accord(), ALL, who="ann").flows[0].taken == 1

    def test_while_the_target_takes_no_calls_nothing_is_touched_and_it_waits_on(self, world: World) -> None:
        (key,) = refused(world, "1")
        world.tryton.rejects = {}
        hub = world.accord().hub
        systems.hold(hub, "tryton", until=datetime.now(UTC) + timedelta(hours=1), who="ann", why="storage")
        done = replay(world.accord(), ALL, who="ann")
        assert [(one.taken, one.settled) for one in done.flows] == [(1, 0)]
        assert {row["state"] for row in world.exceptions()} == {"open"}
        assert world.written(world.tryton, key) == []
        systems.release(hub, "tryton", who="ann", why="")
        world.rows("UPDATE exception SET not_before = NULL RETURNING id")
        replay(world.accord(), ALL, who="ann")
        assert (world.exceptions(), len(world.written(world.tryton, key))) == ([], 1)

    def test_one_of_two_people_at_once_replays(self, world: World) -> None:
        """The second asks while the first one's run is sending."""
        (key,) = refused(world, "1")
        world.tryton.rejects = {}
        seen: dict[str, object] = {}

        def meanwhile() -> None:
            world.tryton.on_request = None
            seen["states"] = [row["state"] for row in world.exceptions()]
            other = threading.Thread(target=lambda: seen.update(second=replay(world.accord(), ALL, who="bob")))
            other.start()
            other.join()

        world.tryton.on_request = meanwhile
        first = replay(world.accord(), ALL, who="ann")
        second = seen["second"]
        assert isinstance(second, replaying.Replay)
        assert seen["states"] == ["replaying"]
        assert (first.flows[0].settled, second.flows[0].taken) == (1, 0)
        assert second.left == {"somebody is replaying it": 1}
        assert len(world.written(world.tryton, key)) == 1
        assert [who for who, _ in audits(world, "exception replayed")] == ["ann"]
        assert complaints(world) == []

    @pytest.mark.parametrize("where", ["before", "after"])
    def test_a_replay_that_dies_leaves_nothing_stuck_and_nothing_double(
        self, world: World, where: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (key,) = refused(world, "1")
        world.tryton.rejects = {}

        def crash(*_: object) -> None:
            raise Crash

        if where == "before":
            world.tryton.on_request = crash
        else:
            monkeypatch.setattr("accord.pipeline.load.settle_dispatch", crash)
        # a process that dies tidies nothing up
        monkeypatch.setattr(replaying, "_give_back", crash)
        accord = world.accord(lease=timedelta(seconds=0.2))
        with pytest.raises(Crash):
            replay(accord, ALL, who="ann")
        assert [row["state"] for row in world.exceptions()] == ["replaying"]

        monkeypatch.undo()
        world.tryton.on_request = None
        monkeypatch.setattr("accord.pipeline.flow_run.gate", lambda *_: {})
        listed = page(world.accord().hub, ALL)
        assert [row["state"] for row in listed.rows] == ["open"], "who looks sees that nobody is at it"
        assert replay(world.accord(lease=timedelta(seconds=0.2)), ALL, who="bob").flows[0].settled == 1
        assert len(world.written(world.tryton, key)) == 1
        assert complaints(world) == []

    def test_a_run_that_fails_gives_everything_back_and_says_why(self, world: World) -> None:
        refused(world, "1")
        world.source.down = True
        done = replay(world.accord(), ALL, who="ann")
        assert "can't be reached" in (done.flows[0].error or "")
        assert [row["state"] for row in world.exceptions()] == ["open"]
        with pytest.raises(Stop, match="can't be reached"):
            replaying.raise_if_failed(done)

    def test_the_newest_state_of_a_customer_supersedes_its_exception(self, world: World) -> None:
        (key,) = refused(world, "1")
        world.tryton.rejects = {}
        world.change("1", phone="+31 20 9")
        assert counts(world.run(), "tryton") == {"applied": 1}
        assert world.exceptions() == []
        assert len(world.written(world.tryton, key)) == 1


def test_many_that_fail_do_not_stop_the_one_that_passes(world: World) -> None:
    """Through the real gates: what share fails of records somebody chose says nothing about the source."""
    keys = [world.customer(f"{n:03}", country="Atlantis" if n else "NL") for n in range(60)]
    asked = world.run(kind=RunKind.MANUAL, params=Params(keys=tuple(keys)))
    assert counts(asked, "tryton") == {"quarantined": 59, "applied": 1}


@pytest.mark.usefixtures("open_gates")
class TestDiscard:
    def test_it_stays_behind_until_the_source_says_something_else(self, world: World) -> None:
        (key,) = refused(world, "1")
        assert discard(world.accord(), ALL, who="ann", why="a test record").changed == 1
        assert world.exceptions() == []
        (closed,) = world.rows("SELECT state, resolution FROM exception")
        assert closed == {"state": "closed", "resolution": "discarded: a test record"}
        requests = world.tryton.requests
        assert counts(world.run(), "tryton") == {"excluded": 1}
        assert (world.tryton.requests, world.exceptions()) == (requests, [])
        assert world.status(key) == ("Rejected", "Discarded: a test record")

        world.tryton.rejects = {}
        world.change("1", phone="+31 20 1")
        assert counts(world.run(), "tryton") == {"applied": 1}
        assert world.status(key) == ("Synced", None)
        assert complaints(world) == []

    def test_who_asks_for_the_record_revives_it(self, world: World) -> None:
        (key,) = refused(world, "1")
        discard(world.accord(), ALL, who="ann", why="a test record")
        asked = Params(keys=(key,))
        assert counts(world.run(kind=RunKind.MANUAL, params=asked), "tryton") == {"rejected": 1}
        assert [row["key"] for row in world.exceptions()] == [key], "a refusal somebody asked for is not hidden"
        discard(world.accord(), ALL, who="ann", why="a test record")
        world.tryton.rejects = {}
        assert counts(world.run(kind=RunKind.MANUAL, params=asked), "tryton") == {"applied": 1}
        assert counts(world.run(), "tryton") == {"unchanged": 1}
        assert world.status(key) == ("Synced", None)

    def test_not_without_a_reason_and_not_while_it_is_replayed(self, world: World) -> None:
        refused(world, "1")
        with pytest.raises(Stop, match="why"):
            discard(world.accord(), ALL, who="ann", why=" ")
        accord = world.accord()
        with accord.hub.alive(4711):
            world.rows("UPDATE exception SET state = 'replaying', replay = 4711 RETURNING id")
            assert discard(world.accord(), ALL, who="ann", why="no").changed == 0
        assert discard(world.accord(), ALL, who="ann", why="no").changed == 1


def test_a_quarantined_record_that_was_discarded_does_not_come_back(world: World) -> None:
    world.customer("bad", country="Atlantis")
    for n in range(9):
        world.customer(str(n))
    world.run()
    (held,) = world.exceptions()
    discard(world.accord(), Filter(ids=(held["id"],)), who="ann", why="not ours")
    assert counts(world.run(), "tryton") == {"unchanged": 9, "quarantined": 1}
    assert world.exceptions() == []
    world.change("bad", phone="+31 20 1")
    world.run()
    assert [row["key"] for row in world.exceptions()] == ["salesforce:bad"]


BULK = """
INSERT INTO exception (kind, flow, object, target, key, category, queue, severity, message, currency, at_risk, opened)
SELECT 'rejected', 'customer__salesforce_to_erp', 'customer', 'tryton', 'salesforce:' || n, CASE n %% 2 WHEN 0 THEN 'value too long'
         ELSE 'refused by the system' END, CASE n %% 2 WHEN 0 THEN 'sales operations' ELSE 'master data' END, 1 + n %% 3, 'made up',
       CASE n %% 4 WHEN 0 THEN 'EUR' ELSE 'USD' END, n, now() - make_interval(days => n / 1000)
FROM generate_series(1, %s) AS n RETURNING id
"""


class TestTheQueue:
    def test_every_page_once_gravest_first(self, world: World) -> None:
        world.rows(BULK, 230)
        hub, seen, after = world.accord().hub, [], None
        while True:
            found = page(hub, Filter(), size=100, after=after)
            seen += [(-row["severity"], row["id"]) for row in found.rows]
            after = found.after
            if after is None:
                break
        assert len(seen) == 230
        assert seen == sorted(set(seen))
        with pytest.raises(Stop, match="no place"):
            page(hub, Filter(), after="page 2")

    def test_a_page_deep_in_the_queue_is_found_by_the_index(self, world: World) -> None:
        world.rows(BULK, 5000)
        with world.kept[0].session() as session:
            session.execute("ANALYZE exception")
        plan = world.rows(
            """EXPLAIN SELECT id FROM exception WHERE state <> 'closed' AND (-severity, id) > (-2, 3000)
               ORDER BY -severity, id LIMIT 51"""
        )
        assert "exception_worked" in str(plan)

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            (Filter(queue="master data"), 50),
            (Filter(category="value too long", target="tryton"), 50),
            (Filter(above="90", currency="EUR"), 3),  # type: ignore[arg-type]
            (Filter(key="salesforce:7"), 1),
            (Filter(older_than=timedelta(days=1)), 0),
            (Filter(kind="parked"), 0),
            (Filter(assignee=""), 100),
            (Filter(assignee="ann"), 0),
            (Filter(closed=True), 0),
        ],
    )
    def test_chosen_by_what_it_is_about(self, world: World, wanted: Filter, expected: int) -> None:
        world.rows(BULK, 100)
        assert len(page(world.accord().hub, wanted, size=500).rows) == expected

    def test_ten_thousand_at_once_bounded_tried_and_audited(self, world: World) -> None:
        world.rows(BULK, 10_000)
        accord, wanted = world.accord(), Filter(queue="master data")
        with pytest.raises(Stop, match="5,000 exceptions are meant, at most 1,000"):
            assign(accord, wanted, to="bob", who="ann")
        with pytest.raises(Stop, match="every exception"):
            discard(accord, Filter(), who="ann", why="all of it", most=100_000)
        tried = assign(accord, wanted, to="bob", who="ann", most=5000, dry_run=True)
        assert (tried.changed, sum(row["exceptions"] for row in tried.totals)) == (0, 5000)
        assert audits(world, "exception assigned") == []
        assert assign(accord, wanted, to="bob", who="ann", most=5000).changed == 5000
        assert len(audits(world, "exception assigned")) == 5000
        assert assign(accord, Filter(assignee="bob", key="salesforce:1"), to=None, who="ann").changed == 1
        whole = Filter(object="customer")
        assert discard(accord, whole, who="ann", why="a bad load", most=10_000).changed == 10_000
        assert world.exceptions() == []
