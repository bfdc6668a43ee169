"""Events to subscribers over real HTTP: in order, at least once, nobody held up by another, and again on demand."""

from __future__ import annotations

import json
import logging
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from accord import processes
from accord.categories import Category
from accord.cli import main
from accord.doctor import examine
from accord.errors import Stop
from accord.hub import subscriptions
from accord.hub.connection import Hub
from accord.outbox import standing
from accord.settings import Connection, dsn
from tests.outbox import Outbox, write
from tests.receiver import DIE, HANG, SECRET, Receiver, code_of, receiver, running
from tests.world import World

__all__ = ["receiver"]


@pytest.fixture
def outbox(hub: Connection, tmp_path: Path, receiver: Receiver) -> Outbox:
    """One subscriber, `one`, told of everything one by one, that has been sent to before."""
    outbox = Outbox(hub, tmp_path, {"one": receiver.connection()})
    outbox.stream()
    outbox.publish()
    return outbox


def keys(receiver: Receiver) -> list[str]:
    return [event["subject"] for event in receiver.events]


def sequences(receiver: Receiver) -> list[int]:
    return [int(event["sequence"]) for event in receiver.events]


# --------------------------------------------------------------------------------------------------------- what is told
@pytest.mark.usefixtures("open_gates")
def test_what_flows_do_is_told_with_keys_and_states_only(world: World, receiver: Receiver, tmp_path: Path) -> None:
    outbox = Outbox(world.hub_connection, tmp_path, {"one": receiver.connection()})
    outbox.publish()
    good = world.customer("1", name="Jane Doe Ltd", phone="+31 20 555 0100")
    bad = world.customer("2", name="Jane Doe Nowhere Ltd")
    world.tryton.rejects[bad] = Category.REFUSED
    world.run()
    outbox.publish()
    told = {(event["type"], event["source"], event["subject"]) for event in receiver.events}
    assert ("accord.record.applied", "accord://tryton/customer", good) in told
    assert ("accord.record.rejected", "accord://tryton/customer", bad) in told
    assert {event["data"]["object"] for event in receiver.events} == {"customer"}, "no status Accord itself wrote"
    event = next(event for event in receiver.events if event["subject"] == good)
    (row,) = outbox.rows(
        """SELECT y.*, l.native AS linked FROM delivery y JOIN stream s ON s.id = y.stream
           JOIN link l ON l.stream = y.stream AND l.key = y.key
           WHERE y.key = %s AND s.object = 'customer' AND s.target = 'tryton'""",
        good,
    )
    assert event["id"] == str(row["position"])
    assert event["data"]["native"] == row["linked"]
    assert datetime.fromisoformat(event["data"]["version"]) == row["version"]
    (matter,) = outbox.rows("SELECT correlation FROM exception WHERE key = %s AND object = 'customer'", bad)
    refused = next(event for event in receiver.events if event["type"] == "accord.record.rejected")
    assert refused["correlationid"] == str(matter["correlation"])
    assert not {"Jane", "555"} & set(b" ".join(request.body for request in receiver.requests).decode().split())


@pytest.mark.usefixtures("open_gates")
def test_what_is_gone_in_its_source_is_told_as_deleted(world: World, receiver: Receiver, tmp_path: Path) -> None:
    outbox = Outbox(world.hub_connection, tmp_path, {"one": receiver.connection(types=["accord.record.deleted"])})
    outbox.publish()
    survivor, loser = world.customer("1"), world.customer("2")
    world.run()
    world.change("2", gone=True, merged_into=survivor)
    world.run()
    outbox.publish()
    (event,) = receiver.events
    assert (event["type"], event["subject"], event["sequence"]) == ("accord.record.deleted", loser, f"{1:020}")
    assert event["data"]["merged_into"] == survivor


def test_an_order_s_steps_are_told(outbox: Outbox, receiver: Receiver) -> None:
    with outbox.session() as session:
        session.execute(
            """INSERT INTO exception (kind, flow, object, target, key, category, queue, severity, message)
               VALUES ('quarantined', 'order__salesforce_to_erp', 'order', 'tryton', 'salesforce:O1', 'invalid value', 'finance', 2, 'x')"""
        )
    processes.place(Hub(dsn(outbox.hub)))
    with outbox.session() as session:  # somebody resumed it: whose name, and why, is nobody else's business
        session.execute(
            """INSERT INTO process_event (name, key, step, status, who, why)
               SELECT name, key, step, status, 'Jane', 'why' FROM process"""
        )
    outbox.publish()
    assert [(event["type"], event["source"], event["data"]) for event in receiver.events] == [
        (
            "accord.process.moved",
            "accord://process/quote_to_cash",
            {
                "object": "order",
                "process": "quote_to_cash",
                "key": "salesforce:O1",
                "step": "committed",
                "status": "held",
            },
        )
    ] * 2
    assert b"Jane" not in b"".join(request.body for request in receiver.requests)


def test_a_request_is_a_cloud_event_that_the_documentation_s_code_verifies(outbox: Outbox, receiver: Receiver) -> None:
    outbox.happens("a")
    outbox.publish()
    (request,) = receiver.requests
    (event,) = request.events
    assert code_of("events.md")["verified"](request.headers, request.body, [SECRET])
    assert request.headers["content-type"].startswith("application/cloudevents+json")
    assert request.headers["webhook-id"] == event["id"]
    assert {name: type(value) for name, value in event.items()} == dict.fromkeys(
        ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "sequence", "correlationid"], str
    ) | {"data": dict}
    assert event["specversion"] == "1.0"
    assert datetime.fromisoformat(event["time"]) <= datetime.now(UTC)


def test_batches_for_who_asks_for_them(outbox: Outbox, receiver: Receiver) -> None:
    outbox.declared["one"] = receiver.connection(batch=3)
    outbox.happens(*"abcdefg")
    outbox.publish()
    assert [len(json.loads(request.body)) for request in receiver.requests] == [3, 3, 1]
    assert {request.headers["content-type"] for request in receiver.requests} == {
        "application/cloudevents-batch+json; charset=utf-8"
    }
    assert keys(receiver) == list("abcdefg")
    assert sequences(receiver) == [1, 2, 3, 4, 5, 6, 7]
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 3


def test_only_what_was_asked_for_numbered_without_a_gap(outbox: Outbox, receiver: Receiver) -> None:
    outbox.declared["one"] = receiver.connection(types=["accord.record.rejected"])
    outbox.happens("a")
    outbox.happens("b", outcome="rejected")
    outbox.happens("c", outcome="parked")
    outbox.happens("d", outcome="rejected")
    outbox.happens("e")
    outbox.publish()
    assert (keys(receiver), sequences(receiver)) == (["b", "d"], [1, 2])
    with outbox.session() as session:
        assert outbox.cursor()["position"] == subscriptions.last_position(session), "past what it did not ask for"


# ------------------------------------------------------------------------------------------------------- in what order
@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "_PATIENCE", "50ms")


def late_commit(outbox: Outbox) -> None:
    """Two loads at once: the one that wrote first commits last, with a round of publishing in between."""
    with outbox.session() as slow:
        write(slow, "early")
        outbox.happens("late")
        outbox.publish()
    outbox.publish()


@pytest.mark.usefixtures("impatient")
def test_a_load_that_commits_late_is_not_passed_over(outbox: Outbox, receiver: Receiver) -> None:
    late_commit(outbox)
    assert keys(receiver) == ["early", "late"]


@pytest.mark.usefixtures("impatient")
def test_without_the_lock_it_would_be(outbox: Outbox, receiver: Receiver) -> None:
    with outbox.session() as session:
        session.execute("DROP TRIGGER event_lock ON delivery")
    late_commit(outbox)
    assert keys(receiver) == ["late"]


def test_loads_that_commit_in_any_order_are_all_told_once(outbox: Outbox, receiver: Receiver) -> None:
    outbox.declared["one"] = receiver.connection(batch=100)
    loads, each = 4, 15

    def load(number: int) -> None:
        for n in range(each):
            outbox.happens(*(f"{number}/{n}/{part}" for part in range(3)))

    threads = [threading.Thread(target=load, args=(number,)) for number in range(loads)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        outbox.publish()
    outbox.publish()
    assert sequences(receiver) == list(range(1, loads * each * 3 + 1))
    assert len(set(keys(receiver))) == loads * each * 3
    positions = [int(event["id"]) for event in receiver.events]
    assert positions == sorted(positions)


# --------------------------------------------------------------------------------------------- receivers that don't take
def test_what_was_not_taken_waits_and_goes_again_first(outbox: Outbox, receiver: Receiver) -> None:
    not_taken: list[tuple[Any, str]] = [
        (500, "answer 500"),
        (404, "answer 404"),
        ((302, {"Location": "/elsewhere"}), "answer 302: redirects are not followed"),
        (HANG, "no answer within 1 s"),
        (DIE, "no answer (ConnectionError)"),
    ]
    for answer, problem in not_taken:
        receiver.requests.clear()
        receiver.answers = [204, answer]
        before = outbox.cursor()["sequence"]
        outbox.happens(*"abc")
        assert (outbox.publish()["one"].events, outbox.cursor()["problem"]) == (1, problem)
        outbox.publish()
        assert keys(receiver) == ["a", "b"], "it waits before it is tried again"
        outbox.now()
        assert outbox.publish()["one"].events == 2
        assert keys(receiver) == ["a", "b", "b", "c"]
        assert sequences(receiver) == [before + n for n in (1, 2, 2, 3)], (
            "the same event is the same, if it was taken too"
        )
        assert {request.path for request in receiver.requests} == {"/hook"}
        ids = [request.headers["webhook-id"] for request in receiver.requests]
        assert ids[1] == ids[2]


def test_it_waits_longer_each_time_and_as_long_as_it_is_asked_to(outbox: Outbox, receiver: Receiver) -> None:
    receiver.answers = [503, 503, 503, (429, {"Retry-After": "7200"})]
    outbox.happens("a")
    waits = []
    for _ in range(4):
        outbox.publish()
        (row,) = outbox.rows("SELECT extract(epoch FROM not_before - now())::float AS s FROM subscription")
        waits.append(row["s"])
        outbox.now()
    assert waits == pytest.approx([15, 30, 60, 7200], abs=10)


def test_who_fails_holds_up_nobody_else(outbox: Outbox, receiver: Receiver) -> None:
    outbox.declared["two"] = receiver.connection("two")
    with running(Receiver(answers=[HANG])) as slow:
        outbox.declared |= {"one": slow.connection(), "wrong": Connection(id="w", host="nowhere", password=SECRET)}
        outbox.publish()
        outbox.happens(*"ab")
        seen: list[bool] = []
        receiver.before = lambda _: seen.append(len(slow.requests) == 1 and not slow.released.is_set())
        told = outbox.publish()
    assert keys(receiver) == ["a", "b"]
    assert seen[-1], "while the other one lets it wait"
    assert (told["two"].events, told["two"].problem) == (2, None)
    assert told["one"].problem == "no answer within 1 s"
    assert told["wrong"].problem is None, "it failed a moment ago, and waits"
    assert "has no usable address" in outbox.cursor("wrong")["problem"]


def matters(outbox: Outbox) -> list[dict[str, Any]]:
    return outbox.rows("SELECT * FROM exception WHERE object = 'subscriber' ORDER BY id")


def test_somebody_is_told_once_and_when_it_is_over(
    outbox: Outbox, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="accord")
    outbox.declared["one"] = receiver.connection(url=f"{receiver.url}?token=hidden")
    receiver.answers = [500] * 7
    outbox.happens("a")
    for n in range(7):
        outbox.publish()
        outbox.now()
        assert len(matters(outbox)) == (1 if n >= 4 else 0)
    (matter,) = matters(outbox)
    assert (matter["key"], matter["queue"], matter["state"]) == ("one", "integration", "open")
    bad = [check for system, check in examine(outbox.accord()) if system == "outbox"]
    assert [(check.subject, check.ok) for check in bad] == [("one", False)]
    assert "answer 500, 1 event(s) wait" in bad[0].found
    outbox.publish()
    assert [matter["state"] for matter in matters(outbox)] == ["closed"]
    assert [check.ok for system, check in examine(outbox.accord()) if system == "outbox"] == [True]
    assert "hidden" not in caplog.text + matter["message"] + str(bad)
    assert "MfKQ" not in caplog.text


def test_who_is_gone_is_left_alone_until_somebody_resumes_it(outbox: Outbox, receiver: Receiver) -> None:
    receiver.answers = [410]
    outbox.happens("a")
    outbox.publish()
    outbox.now()
    outbox.publish()
    assert len(receiver.requests) == 1
    assert len(matters(outbox)) == 1
    assert standing.overview(outbox.accord())[0]["state"] == "gone"
    standing.resume(outbox.accord(), "one")
    outbox.publish()
    assert keys(receiver) == ["a", "a"]
    assert [matter["state"] for matter in matters(outbox)] == ["closed"]


# ------------------------------------------------------------------------------------------------------ ends in between
def test_killed_between_the_answer_and_the_cursor_the_same_event_comes_again(
    outbox: Outbox, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: Any, **__: Any) -> bool:
        raise Killed

    outbox.happens(*"ab")
    with monkeypatch.context() as patch:
        patch.setattr("accord.outbox.publish.confirm", killed)
        with pytest.raises(Killed):
            outbox.publish()
    assert keys(receiver) == ["a"]
    outbox.publish()
    assert keys(receiver) == ["a"], "the dead one may still be at work"
    outbox.now()
    outbox.publish()
    assert keys(receiver) == ["a", "a", "b"]
    assert sequences(receiver) == [1, 1, 2]
    first, again = receiver.requests[:2]
    assert first.body == again.body
    assert first.headers["webhook-id"] == again.headers["webhook-id"]


def test_two_publishers_send_nothing_twice(outbox: Outbox, receiver: Receiver) -> None:
    second: list[int] = []

    def meanwhile(_: Any) -> None:
        receiver.before = lambda _: None
        second.append(outbox.publish()["one"].events)

    receiver.before = meanwhile
    outbox.happens(*"abc")
    assert outbox.publish()["one"].events == 3
    assert second == [0]
    assert keys(receiver) == ["a", "b", "c"]


def test_a_round_ends_in_time_and_the_next_goes_on(outbox: Outbox, receiver: Receiver) -> None:
    outbox.happens(*"abc")
    assert outbox.publish(seconds=0)["one"].events == 0
    assert outbox.publish()["one"].events == 3


# ------------------------------------------------------------------------------------------------------------ and again
def test_a_replay_sends_the_same_events_with_numbers_that_go_on(outbox: Outbox, receiver: Receiver) -> None:
    outbox.happens(*"abcd")
    outbox.publish()
    third = int(receiver.events[2]["id"])
    dry = standing.replay(outbox.accord(), "one", first=third, dry_run=True)
    assert (dry.events, outbox.publish()["one"].events) == (2, 0)
    assert standing.replay(outbox.accord(), "one", first=third).events == 2
    outbox.publish()
    assert keys(receiver) == ["a", "b", "c", "d", "c", "d"]
    assert sequences(receiver) == [1, 2, 3, 4, 5, 6]
    ids = [event["id"] for event in receiver.events]
    assert ids[4:] == ids[2:4]


def test_a_replay_since_an_instant(outbox: Outbox, receiver: Receiver) -> None:
    outbox.happens(*"ab")
    with outbox.session() as session:
        session.execute("UPDATE delivery SET at = at - interval '1 day' WHERE key = 'a'")
    outbox.publish()
    since = datetime.now(UTC) - timedelta(hours=1)
    assert standing.replay(outbox.accord(), "one", since=since).events == 1
    outbox.publish()
    assert keys(receiver) == ["a", "b", "b"]
    assert standing.replay(outbox.accord(), "one", since=since - timedelta(days=2)).events == 2
    assert standing.replay(outbox.accord(), "one", since=datetime.now(UTC)).events == 0, "never past its cursor"


def test_a_replay_while_it_is_sent_to_wins(outbox: Outbox, receiver: Receiver) -> None:
    outbox.happens(*"ab")
    outbox.publish()
    first = int(receiver.events[0]["id"])

    def meanwhile(_: Any) -> None:
        receiver.before = lambda _: None
        standing.replay(outbox.accord(), "one", first=first)

    receiver.before = meanwhile
    outbox.happens(*"cd")
    assert outbox.publish()["one"].problem == "another publisher took over"
    outbox.publish()
    assert keys(receiver) == [*"ab", "c", *"abcd"]


def test_what_can_t_be_replayed_is_said(outbox: Outbox, receiver: Receiver) -> None:
    outbox.declared["new"] = receiver.connection("new")
    for first, name in ((0, "one"), (10**6, "one"), (1, "nobody"), (1, "new")):
        with pytest.raises(Stop) as refused:
            standing.replay(outbox.accord(), name, first=first)
        assert refused.value.cure
    assert outbox.cursor()["position"] == 0


def test_where_everybody_stands(outbox: Outbox, receiver: Receiver) -> None:
    outbox.declared |= {"new": receiver.connection("new"), "wrong": Connection(id="w")}
    outbox.happens(*"ab")
    assert {one["subscriber"]: one["state"] for one in standing.overview(outbox.accord())} == {
        "one": "well", "new": "new", "wrong": "wrongly declared",
    }  # fmt: skip
    shown = standing.show(outbox.accord(), "one", most=1)
    assert (shown["waiting"], [event["subject"] for event in shown["next"]]) == (2, ["a"])
    outbox.publish()
    assert receiver.events[0] == shown["next"][0], "what is shown is what is sent"
    del outbox.declared["one"]
    assert {one["subscriber"]: one["state"] for one in standing.overview(outbox.accord())}["one"] == (
        "not declared any more"
    )


def test_on_the_command_line(
    outbox: Outbox, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    declared = {"host": receiver.url, "password": SECRET}
    hub = {name: getattr(outbox.hub, name) for name in ("host", "port", "login", "password", "schema")}
    monkeypatch.setenv("AIRFLOW_CONN_ACCORD_HUB", json.dumps(hub))
    monkeypatch.setenv("AIRFLOW_CONN_ACCORD_SUBSCRIBER_ONE", json.dumps(declared))

    def said(*words: str, well: bool = True) -> str:
        assert main(["outbox", *words]) == (0 if well else 1)
        captured = capsys.readouterr()
        assert SECRET not in captured.out + captured.err
        return captured.out or captured.err

    assert "one: not declared any more" in said("list")
    monkeypatch.setenv("ACCORD_SUBSCRIBERS", "one")
    outbox.happens(*"ab")
    assert "2 wait" in said("list")
    assert [event["subject"] for event in json.loads(said("show", "one", "--json"))["next"]] == ["a", "b"]
    assert "accord.record.applied accord://salesforce/invoice a" in said("show", "one", "--most", "1")
    receiver.answers = [500]
    assert said("publish", well=False) == "one: 0 event(s), answer 500\n"
    assert "one: failing" in said("list")
    assert said("resume", "one") == "one: the next round sends to it.\n"
    assert json.loads(said("publish", "--json")) == [{"subscriber": "one", "events": 2, "problem": None}]
    again = said("replay", "one", "--since", "2020-01-01", "--dry-run")
    assert "2 event(s)" in again
    assert "would be" in again
    assert said("publish") == "one: 0 event(s)\n"
    second = receiver.events[-1]["id"]
    assert json.loads(said("replay", "one", "--from", second, "--json"))["events"] == 1
    assert said("publish") == "one: 1 event(s)\n"
    assert "Declared are: one" in said("replay", "two", "--from", "1", well=False)
