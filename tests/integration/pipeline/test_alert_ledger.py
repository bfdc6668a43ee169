"""The alert ledger: told once per change, escalated until somebody acknowledges, quiet when it is night, never lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from accord.cli import main
from accord.doctor import examine
from accord.errors import Stop
from accord.housekeeping import housekeep
from accord.runtime import Accord
from accord.service_levels import delivery, ledger, spool
from accord.service_levels.alerting import alert
from accord.service_levels.breach import breach
from accord.service_levels.channels import Channel
from accord.service_levels.evaluation import Evaluation
from accord.service_levels.message import Message
from accord.service_levels.targets import Measure, ServiceLevel
from accord.settings import Connection
from tests.alerting import CUSTOMERS, MINUTE, NOWHERE, ORDERS, Levels, mail

HOUR = 60 * MINUTE
QUIET_NOW = [{"from": "2020-01-01T00:00Z", "to": "2120-01-01T00:00Z"}]


@pytest.fixture
def world(hub: Connection, tmp_path: Path) -> Iterator[Levels]:
    world = Levels(hub, tmp_path)
    yield world
    world.close()


def late(world: Levels, flow: str = ORDERS) -> None:
    """The flow's data is two hours old."""
    world.ran(flow, ago=2 * HOUR)


def number(world: Levels) -> int:
    (row,) = world.rows("SELECT id FROM alert WHERE state <> 'recovered'")
    return int(row["id"])


# -------------------------------------------------------------------------------------------------- once per change
def test_one_alert_per_change_however_often_it_is_looked_at(world: Levels) -> None:
    late(world)
    assert world.round().recorded.opened == 1
    assert world.titles == [f"mail: [test] CRITICAL {ORDERS}: the data is 2 h old"]
    for _ in range(3):
        world.round()
    assert world.titles == []
    world.ran()
    world.later(5 * MINUTE)
    assert world.round().recorded.recovered == 1
    (recovery,) = world.titles
    assert recovery.startswith(f"mail: [test] RECOVERED after 5 min, was: {ORDERS}: the data is 2 h old")
    world.round()
    assert world.titles == []
    world.do("UPDATE flow SET watermark = watermark - interval '2 hours'")
    world.round()
    assert len(world.titles) == 1, "it happens again: another alert"
    assert [row["state"] for row in world.rows("SELECT state FROM alert ORDER BY id")] == ["recovered", "open"]


def test_two_rounds_at_once_tell_nothing_twice(world: Levels) -> None:
    late(world)
    late(world, CUSTOMERS)
    sending, sent, told = threading.Event(), threading.Event(), list[str]()

    def slow(_: Channel, message: Message) -> None:
        told.append(message.title)
        sending.set()
        sent.wait(30)

    found, accord = world.check(), world.accord()
    first = threading.Thread(target=alert, args=(accord, found, slow))
    first.start()
    assert sending.wait(30)
    world.round()
    sent.set()
    first.join()
    assert len(told) == len(world.told) == 1, "each told what the other was not telling"
    assert told[0] != world.told[0][1].title
    assert len(world.rows("SELECT FROM alert")) == 2


def test_a_symptom_is_not_told_and_one_that_was_open_before_goes_on(world: Levels) -> None:
    world.ran(ago=MINUTE)
    world.ran(error="failed before: extract")
    world.round()
    assert len(world.titles) == 1
    world.do("UPDATE flow SET watermark = watermark - interval '2 hours'")
    world.round()
    assert world.titles == [f"mail: [test] CRITICAL {ORDERS}: the data is 2 h 1 min old"]
    assert {row["state"] for row in world.rows("SELECT state FROM alert")} == {"open"}
    world.ran()
    world.round()
    assert len(world.titles) == 2


# ---------------------------------------------------------------------------------- escalation and acknowledgement
def test_it_is_escalated_until_somebody_acknowledges(world: Levels) -> None:
    world.declared |= {"boss": mail("boss", escalation=1), "head": mail("head", escalation=2)}
    late(world)
    world.round()
    assert [one.partition(":")[0] for one in world.titles] == ["mail"]
    world.later(14 * MINUTE)
    world.round()
    assert world.titles == []
    world.later(2 * MINUTE)
    assert world.round().recorded.escalated == 1
    told = world.titles
    assert [one.partition(":")[0] for one in told] == ["mail", "boss"]
    assert "ESCALATED (1) CRITICAL" in told[0]
    world.later(16 * MINUTE)
    world.round()
    assert [one.partition(":")[0] for one in world.titles] == ["mail", "boss", "head"]
    world.later(HOUR)
    world.round()
    assert world.titles == [], "nobody is left to be told"


def test_without_anybody_to_escalate_to_there_is_one_reminder(world: Levels) -> None:
    late(world)
    for _ in range(3):
        world.round()
        world.later(16 * MINUTE)
    assert len(world.titles) == 2


def test_an_acknowledgement_stops_the_escalation_and_is_told_and_audited(world: Levels) -> None:
    late(world)
    world.round()
    found = ledger.acknowledge(world.accord().hub, number(world), who="ann", why="on it")
    assert found["state"] == "acknowledged"
    world.later(HOUR)
    world.told.clear()
    assert world.round().recorded.escalated == 0
    (told,) = [message for _, message in world.told]
    assert "ACKNOWLEDGED" in told.title
    assert "ann" not in told.text.split(), "who it is stays in the ledger"
    assert [(row["who"], row["what"]) for row in world.rows("SELECT who, what FROM audit")] == [("ann", "acknowledge")]
    with pytest.raises(Stop, match="is acknowledged already"):
        ledger.acknowledge(world.accord().hub, found["id"], who="bob")
    with pytest.raises(Stop, match="does not exist"):
        ledger.acknowledge(world.accord().hub, 99, who="bob")


def test_maintenance_pauses_the_escalation_and_recovers_nothing(world: Levels) -> None:
    late(world)
    world.round()
    world.told.clear()
    world.systems["tryton"] = Connection(id="accord_tryton", extra={"maintenance": QUIET_NOW})
    world.do("UPDATE alert SET escalate_at = now() - interval '1 hour'")
    assert world.round().recorded.escalated == 0
    assert number(world)
    del world.systems["tryton"]
    assert world.round().recorded.escalated == 1


# ------------------------------------------------------------------------------------------------ who is told of what
def test_a_channel_is_told_of_its_owners_and_severities(world: Levels) -> None:
    world.declared = {
        "finance": mail("finance", owners=["finance"]),
        "pager": mail("pager", severity="critical"),
        "all": mail("all"),
    }
    late(world)
    late(world, CUSTOMERS)
    world.waits("old", ago=timedelta(days=9))
    world.round()
    told = {(name, message.breach.subject) for name, message in world.told}
    assert told == {("finance", "finance"), ("pager", ORDERS), ("all", ORDERS), ("all", CUSTOMERS), ("all", "finance")}


def test_in_quiet_hours_only_what_is_critical_goes_through(world: Levels) -> None:
    world.declared["mail"] = mail(quiet=QUIET_NOW)
    late(world)
    late(world, CUSTOMERS)
    late(world, "invoice__tryton_to_salesforce")
    world.round()
    assert [message.breach.subject for _, message in world.told] == [ORDERS]
    world.told.clear()
    world.ran(CUSTOMERS)
    world.round()
    assert world.titles == [], "what came and went in the night wakes nobody, nor does it the next day"
    assert world.rows("SELECT problem FROM notice WHERE dropped IS NOT NULL") == [
        {"problem": "recovered in the quiet hours"}
    ]
    world.declared["mail"] = mail()
    world.do("UPDATE notice SET not_before = now() WHERE quiet")
    world.round()
    assert world.titles == ["mail: [test] ERROR invoice__tryton_to_salesforce: the data is 2 h old"], "in the morning"


# -------------------------------------------------------------------------------------------- deliveries that fail
def test_a_delivery_that_fails_is_tried_again_in_order_and_holds_up_no_other(world: Levels) -> None:
    world.declared["pager"] = mail("pager")
    world.broken = {"mail"}
    late(world)
    done = world.round()
    assert [one.partition(":")[0] for one in world.titles] == ["pager"]
    assert done.problems == {"mail": "it does not answer."}
    assert done.overdue == 0
    world.round()
    assert world.rows("SELECT tries, problem FROM notice WHERE delivered IS NULL") == [
        {"tries": 1, "problem": "it does not answer."}
    ]
    for _ in range(delivery.PATIENCE - 1):
        world.later(HOUR)
        done = world.round()
    assert done.overdue >= 1, "somebody is to see that"
    world.ran()
    world.broken, world.told = set(), []
    world.round()
    assert [name for name, _ in world.told] == ["pager"], "what comes later waits for what was not told yet"
    world.later(HOUR)
    world.round()
    events = [message.event.value for name, message in world.told if name == "mail"]
    assert (events[0], events[-1]) == ("opened", "recovered")
    assert world.rows("SELECT FROM notice WHERE delivered IS NULL") == []


def test_a_channel_that_fails_is_asked_once_a_round(world: Levels) -> None:
    world.broken = {"mail"}
    for flow in (ORDERS, CUSTOMERS, "invoice__tryton_to_salesforce"):
        late(world, flow)
    world.round()
    assert world.rows("SELECT sum(tries)::int AS tries, count(*) AS notices FROM notice") == [
        {"tries": 1, "notices": 3}
    ]


def test_waits_grow_up_to_half_an_hour(world: Levels) -> None:
    world.broken = {"mail"}
    late(world)
    waits = []
    for _ in range(8):
        world.round()
        (row,) = world.rows(
            "SELECT extract(epoch FROM not_before - now())::float AS s FROM notice WHERE event = 'opened'"
        )
        waits.append(row["s"])
        world.do("UPDATE notice SET not_before = NULL")
    assert waits == pytest.approx([30, 60, 120, 240, 480, 960, 1800, 1800], abs=10)


def test_who_dies_while_telling_leaves_it_to_be_told(world: Levels) -> None:
    late(world)

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    accord = world.accord()
    with pytest.raises(KeyboardInterrupt):
        alert(accord, world.check(), die)
    assert number(world), "what is in the ledger stays there"
    world.round()
    assert len(world.titles) == 1


def test_a_channel_wrongly_declared_is_said_aloud_and_one_that_is_gone_is_let_go(world: Levels) -> None:
    world.declared["wrong"] = Connection(id="w", kind="ftp")
    late(world)
    world.broken = {"mail"}
    done = world.round()
    assert "has no usable type" in done.problems["wrong"]
    assert done.overdue == 1
    found = {check.subject: check for system, check in examine(world.accord()) if system == "alerts"}
    assert (found["mail"].ok, found["wrong"].ok) == (True, False)
    assert "Choose one of smtp" in found["wrong"].cure
    del world.declared["mail"], world.declared["wrong"]
    world.later(HOUR)
    assert world.round().problems == {}
    assert world.rows("SELECT problem FROM notice") == [{"problem": "the channel is not declared any more"}]


# --------------------------------------------------------------------------------------------------- without the hub
@pytest.fixture
def away(world: Levels) -> Levels:
    """Nothing listens where the hub was."""
    late(world)
    world.round()
    world.told.clear()
    world.systems["kept"] = world.hub
    world.hub = Connection(id="accord_hub", kind="postgres", host="127.0.0.1", port=NOWHERE, login="x", schema="x")
    return world


def come_back(world: Levels) -> None:
    world.hub = world.systems.pop("kept")


def test_without_the_hub_it_is_told_directly_once_and_its_return_too(away: Levels) -> None:
    assert away.round().directly
    assert away.titles == ["mail: [test] CRITICAL the hub does not answer (Unavailable)"]
    away.round()
    assert away.titles == [], "once, and nothing of what the ledger has anyhow"
    come_back(away)
    away.round()
    (title,) = away.titles
    assert title.startswith("mail: [test] RECOVERED after ")
    assert title.endswith(", was: the hub does not answer (Unavailable)")
    away.round()
    assert away.titles == []
    assert [row["state"] for row in away.rows("SELECT state FROM alert ORDER BY id")] == ["open", "recovered"]
    assert list(spool.spooled(away.accord().alerting)) == []


def test_who_could_not_be_told_directly_is_told_as_soon_as_he_can(away: Levels) -> None:
    away.declared["pager"] = mail("pager")
    away.broken = {"mail", "pager"}
    assert away.round().problems.keys() == {"mail", "pager"}
    away.broken = {"pager"}
    away.round()
    assert [one.partition(":")[0] for one in away.titles] == ["mail"]
    come_back(away)
    away.broken = set()
    away.round()
    told = [(name, message.event.value) for name, message in away.told if message.breach.measure == Measure.HUB]
    assert sorted(told) == [("mail", "recovered"), ("pager", "opened"), ("pager", "recovered")]


def test_what_nobody_would_find_again_is_kept_until_the_hub_is_back(away: Levels) -> None:
    level = ServiceLevel(measure=Measure.RUN, subject="somebody_s_own")
    missed = breach(level, "test", summary="a run is late", actual="running", late=MINUTE)
    alert(away.accord(), Evaluation(breached=[missed]), away.send, only_once=True)
    assert len(away.titles) == 2
    come_back(away)
    away.round()
    assert len(away.titles) == 1, "the hub's recovery only"
    assert {row["key"].split(":")[1] for row in away.rows("SELECT key FROM alert WHERE state = 'open'")} == {
        ORDERS,
        "somebody_s_own",
    }


def test_what_is_over_is_kept_as_long_as_history_and_what_is_open_stays(world: Levels) -> None:
    late(world)
    late(world, CUSTOMERS)
    world.round()
    world.ran(CUSTOMERS)
    world.round()
    world.do("UPDATE alert SET opened = opened - interval '500 days', recovered = recovered - interval '500 days'")
    housekeep(world.accord())
    assert [row["state"] for row in world.rows("SELECT state FROM alert")] == ["open"]
    assert len(world.rows("SELECT FROM notice")) == 1


# --------------------------------------------------------------------------------------------------- on a terminal
def test_on_a_terminal(world: Levels, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Accord, "from_environment", classmethod(lambda _: world.accord()))
    assert main(["alerts", "list"]) == 0
    assert "No alert is open." in capsys.readouterr().out
    late(world)
    assert main(["alerts", "check"]) == 1
    assert "the data is 2 h old: Orders that sales has committed" in capsys.readouterr().out
    world.broken = {"mail"}
    world.round()
    main(["alerts", "list"])
    shown = capsys.readouterr().out
    assert f"{ORDERS}: the data is 2 h old" in shown
    assert "1 NOTICE(S) NOT DELIVERED" in shown
    one = str(number(world))
    assert main(["alerts", "acknowledge", one, "--why", "on it"]) == 0
    assert main(["alerts", "show", one]) == 0
    shown = capsys.readouterr().out
    assert "NOT TOLD, tried 1 time(s): it does not answer." in shown
    assert "1. Look whether the DAG is paused" in shown
    assert main(["alerts", "close", one, "--why", "no longer measured"]) == 0
    assert main(["alerts", "close", one, "--why", "again"]) == 1
    assert "is not open" in capsys.readouterr().err
    main(["alerts", "list", "--recovered", "--json"])
    assert '"state": "recovered"' in capsys.readouterr().out


# ------------------------------------------------------------------------------------------------- nothing personal
def test_no_alert_says_anything_of_a_customer(world: Levels) -> None:
    """What people wrote into records stands in messages and answers of exceptions: none of it is told."""
    world.order("salesforce:001", ago=9 * HOUR)
    for n in range(3):
        world.waits(
            f"salesforce:{n}", ago=timedelta(days=30), message="Jane Doe, +31 20 555 0100", answer="jane@doe.example"
        )
    late(world)
    world.ran(error="failed before: extract")
    world.round()
    world.ran()
    world.round()
    assert len(world.told) >= 4
    for _, message in world.told:
        said = message.text + message.html + repr(message.as_dict())
        assert not any(word in said for word in ("Jane", "555 0100", "doe.example"))
    kept = repr(world.rows("SELECT * FROM alert")) + repr(world.rows("SELECT * FROM notice"))
    assert not any(word in kept for word in ("Jane", "555 0100", "doe.example"))
