"""Service levels in Airflow: the operators, the channels over their real protocols, and deadlines by Airflow's own machinery."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from accord.errors import Stop
from accord.hub import Hub
from accord.service_levels import ledger
from accord.service_levels.targets import of_flow
from accord_airflow.notifiers import AlertNotifier
from accord_airflow.operators import SlaAlertOperator, SlaCheckOperator
from tests.alerting import MINUTE, ORDERS, Levels
from tests.dags.test_running import Ran
from tests.dags.world import World
from tests.receiver import SECRET, Receiver, code_of, receiver
from tests.services import Api, Mailbox, certificate, pagerduty_events, serving, slack, smtp

if TYPE_CHECKING:
    from airflow.sdk import DAG

__all__ = ["receiver"]

KEY, TOKEN = "R0UTINGKEY0000000000000000000000", "T0/B0/token"
Declare = Callable[..., None]


@pytest.fixture
def levels(world: World, tmp_path: Path) -> Iterator[Levels]:
    """The hub of the world, written into as flows do."""
    from accord_airflow.connections import connection

    levels = Levels(connection("accord_hub"), tmp_path)
    yield levels
    levels.close()


@pytest.fixture
def declare(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Declare:
    """Declares channels as an administrator does: the setting, and a connection each."""
    monkeypatch.setenv("ACCORD_ENVIRONMENT", "test")
    monkeypatch.setenv("ACCORD_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example")

    def declare(**connections: dict[str, Any]) -> None:
        monkeypatch.setenv("ACCORD_ALERTS", ", ".join(connections))
        for name, body in connections.items():
            monkeypatch.setenv(f"AIRFLOW_CONN_ACCORD_ALERT_{name.upper()}", json.dumps(body))

    return declare


def mail_to(mailbox: Mailbox, **extra: Any) -> dict[str, Any]:
    usual = {
        "to": ["on-call@example.com"],
        "from_email": "accord@example.com",
        "disable_ssl": True,
        "disable_tls": True,
    }
    return {
        "conn_type": "smtp", "host": "127.0.0.1", "port": mailbox.port, "extra": usual | {"retry_limit": 0, "timeout": 5} | extra,
    }  # fmt: skip


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with smtp() as mailbox:
        yield mailbox


def one_round(**how: Any) -> dict[str, Any]:
    """What the DAG does, without a scheduler: both operators."""
    found = SlaCheckOperator(task_id="check", **how).work({})
    return SlaAlertOperator(task_id="alert", findings=json.loads(json.dumps(found))).work({})


# ---------------------------------------------------------------------------------------------------------- channels
def test_an_e_mail_reads_like_somebody_who_knows_wrote_it(levels: Levels, declare: Declare, mailbox: Mailbox) -> None:
    declare(mail=mail_to(mailbox))
    levels.ran(ago=40 * MINUTE)
    levels.ran(error="failed before: load_tryton", kind="scheduled")
    levels.waits("salesforce:O1", currency="EUR", at_risk="1500")
    assert one_round()["notices"] == 1
    assert mailbox.subjects == [f"[test] CRITICAL {ORDERS}: the data is 40 min old"]
    assert mailbox.recipients == ["on-call@example.com"]
    text = mailbox.text()
    for said in (
        "data freshness of order__salesforce_to_erp (order), tier critical",
        "Orders that sales has committed are not in the ERP: nothing is reserved, shipped or billed.",
        "15 min",  # allowed
        "25 min",  # late
        "1 record(s) wait as exceptions, 1,500.00 EUR",
        "load_tryton",  # the first failing step
        "run failed",
        "integration",  # owner
        "unless acknowledged within 15 min",
        "<ol><li>Look whether the DAG is paused",
        "The next scheduled run catches up from the watermark.",
        'href="https://airflow.example/dags/order__salesforce_to_erp/runs/run%201"',
        "docs/runbooks/data-freshness.md",
        "accord exceptions list --flow order__salesforce_to_erp",
        "accord alerts acknowledge 1",
        "test:order__salesforce_to_erp:data freshness:order:15m",
    ):
        assert said in text
    levels.ran()
    one_round()
    assert mailbox.subjects[1].partition(", was: ")[2] == f"{ORDERS}: the data is 40 min old"
    assert "Do first" not in mailbox.text()


def test_slack_shows_it_and_nothing_in_it_is_mark_up(levels: Levels, declare: Declare) -> None:
    with serving(slack()) as api:
        declare(team={"conn_type": "slackwebhook", "host": f"{api.url}/services", "password": TOKEN})
        levels.waits("k", ago=timedelta(days=30), category="<!channel> & more")
        one_round(levels=["finance"])
        ((path, body),) = api.requests
        assert path == f"/services/{TOKEN}"
        shown = " ".join(block["text"]["text"] for block in body["blocks"])
        assert "&lt;!channel&gt; &amp; more" in shown
        assert "1. List them" in shown
        assert "exception(s) older than agreed" in body["text"]


def test_pagerduty_opens_acknowledges_and_resolves_one_incident(
    levels: Levels, declare: Declare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with serving(pagerduty_events(KEY), pem) as api:
        declare(
            pager={"conn_type": "pagerduty_events", "host": api.url, "password": KEY, "extra": {"severity": "critical"}}
        )
        levels.ran(ago=40 * MINUTE)
        one_round(levels=[ORDERS])
        (number,) = levels.rows("SELECT id FROM alert")
        ledger.acknowledge(Hub(_dsn(levels)), number["id"], who="ann")
        one_round(levels=[ORDERS])
        levels.ran()
        one_round(levels=[ORDERS])
        assert [body["event_action"] for _, body in api.requests] == ["trigger", "acknowledge", "resolve"]
        assert {body["dedup_key"] for _, body in api.requests} == {
            "test:order__salesforce_to_erp:data freshness:order:15m"
        }
        trigger = api.requests[0][1]
        assert trigger["payload"]["severity"] == "critical"
        assert trigger["payload"]["custom_details"]["Do first, 1"]
        assert trigger["links"] == [] or trigger["links"][0]["href"].startswith("https://")
        assert "ann" not in json.dumps(api.requests)


def _dsn(levels: Levels) -> str:
    from accord.settings import dsn

    return dsn(levels.hub)


def test_a_webhook_gets_signed_events(levels: Levels, declare: Declare, receiver: Receiver) -> None:
    declare(hook={"conn_type": "http", "host": receiver.url, "password": SECRET})
    levels.ran(ago=40 * MINUTE)
    receiver.answers = [500]
    assert one_round()["problems"] == {"hook": "The webhook took nothing: answer 500."}
    levels.later(MINUTE)
    one_round()
    first, again = receiver.events
    assert first["id"] == again["id"], "who gets it twice can tell"
    assert (again["type"], again["data"]["measure"]) == ("accord.alert.opened", "data freshness")
    assert "webhook-signature" in receiver.requests[0].headers


def test_services_that_refuse_are_named_without_address_or_secret(
    levels: Levels, declare: Declare, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox.refuses = "550 on-call@example.com is unknown here"
    nowhere = {"conn_type": "slackwebhook", "host": "http://127.0.0.1:9/services", "password": TOKEN}
    with serving(Api(lambda *_: (403, "invalid_token"))) as api:
        refuses = {"conn_type": "slackwebhook", "host": f"{api.url}/services", "password": TOKEN}
        declare(mail=mail_to(mailbox), nowhere=nowhere, refuses=refuses)
        levels.ran(ago=40 * MINUTE)
        done = one_round()
    assert done["problems"]["mail"] == "smtp took nothing (SMTPDataError 550)."
    assert done["problems"].keys() == {"mail", "nowhere", "refuses"}
    assert done["notices"] == 0
    said = json.dumps(done) + repr(levels.rows("SELECT problem FROM notice"))
    assert not [word for word in (TOKEN, "on-call", "127.0.0.1") if word in said]
    assert TOKEN not in caplog.text


# --------------------------------------------------------------------------------------------------------- the DAG
@pytest.mark.usefixtures("metadata")
def test_the_dag_checks_tells_and_gives_a_sign_of_life(
    dags: dict[str, DAG], levels: Levels, declare: Declare, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(mail=mail_to(mailbox))
    levels.ran(ago=40 * MINUTE)
    with serving(Api(lambda *_: (200, "OK"))) as watch:
        monkeypatch.setenv("ACCORD_HEARTBEAT", "watchdog")
        monkeypatch.setenv(
            "AIRFLOW_CONN_WATCHDOG", json.dumps({"conn_type": "http", "host": f"{watch.url}/ping/secret"})
        )
        ran = Ran(dags["service_levels"])
        assert ran.state == "success"
        assert len(mailbox.mails) == 1
        assert [path for path, _ in watch.requests] == ["/ping/secret"]
        told = ran.handed_on("alert")
        assert (told["recorded"]["opened"], told["heartbeat"]) == (1, True)
        assert len(json.dumps(ran.handed_on("check"))) < 20_000

        mailbox.refuses = "451 not now"
        levels.ran()
        one_round()
        levels.later(timedelta(hours=1))
        one_round()
        levels.later(timedelta(hours=1))
        with pytest.raises(Stop, match=r"1 notice\(s\) were not told"):
            one_round()
        assert len(watch.requests) == 3, "who can't tell anybody gives no sign of life"


def test_a_check_that_died_is_said_aloud_and_what_waits_is_told(
    levels: Levels, declare: Declare, mailbox: Mailbox
) -> None:
    declare(mail=mail_to(mailbox, quiet=[{"from": "2020-01-01T00:00Z", "to": "2120-01-01T00:00Z"}]))
    levels.waits("k", ago=timedelta(days=30))
    one_round(levels=["finance"])
    assert mailbox.mails == []
    declare(mail=mail_to(mailbox))
    levels.do("UPDATE notice SET not_before = NULL")
    with pytest.raises(Stop, match="Nothing was checked"):
        SlaAlertOperator(task_id="alert", findings=None).work({})  # type: ignore[arg-type]  # as of a task that failed
    assert len(mailbox.mails) == 1


def test_levels_of_somebody_s_own(levels: Levels, declare: Declare, mailbox: Mailbox) -> None:
    from accord.flows import Flow

    own = Flow(name="own", object="customer", source="salesforce", targets=("tryton",), schedule="0 * * * *")
    levels.ran("own", ago=40 * MINUTE)
    levels.ran(ago=40 * MINUTE)
    declare(mail=mail_to(mailbox))
    one_round(levels=[*of_flow(own), "finance"])
    assert mailbox.subjects == ["[test] ERROR own: the data is 40 min old"]


def test_while_the_hub_is_away_it_is_told_directly(
    levels: Levels, declare: Declare, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    declare(mail=mail_to(mailbox))
    right = os.environ["AIRFLOW_CONN_ACCORD_HUB"]
    monkeypatch.setenv("AIRFLOW_CONN_ACCORD_HUB", json.dumps(json.loads(right) | {"port": 1}))
    for _ in range(2):
        assert one_round()["directly"]
    assert mailbox.subjects == ["[test] CRITICAL the hub does not answer (Unavailable)"]
    assert "No data moves in any direction until it is back." in mailbox.text()
    monkeypatch.setenv("AIRFLOW_CONN_ACCORD_HUB", right)
    one_round()
    assert len(mailbox.subjects) == 2
    assert mailbox.subjects[1].endswith(", was: the hub does not answer (Unavailable)")


def test_the_page_s_examples_are_dags() -> None:
    names = code_of("service-levels.md")
    assert names["check"].levels == ["reconciliation", "finance", "payment__tryton_to_salesforce"]
    assert names["check"].downstream_task_ids == {"alert"}
    (deadline,) = names["export"].deadline
    assert (deadline.interval, deadline.callback.kwargs) == (timedelta(minutes=30), {"owner": "finance"})


# ------------------------------------------------------------------------------------------------------- deadlines
@pytest.fixture
def served(dags: dict[str, DAG], metadata: None) -> Any:
    """The DAG of orders as the scheduler has it."""
    from airflow.dag_processing.collection import update_dag_parsing_results_in_db
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.plugins_manager import get_deadline_references_plugins
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session

    get_deadline_references_plugins.cache_clear()
    with create_session() as session:
        if session.get(DagBundleModel, "dags") is None:
            session.add(DagBundleModel(name="dags"))
            session.flush()
        update_dag_parsing_results_in_db(
            "dags", None, [LazyDeserializedDAG.from_dag(dags[ORDERS])], {}, None, set(), session
        )
    with create_session() as session:
        return SerializedDagModel.get_dag(ORDERS, session=session)


def run_of(served: Any, kind: str, ago: timedelta) -> list[Any]:
    """A run of an interval that ended so long ago, as Airflow makes it; its deadlines."""
    from airflow.models.deadline import Deadline
    from airflow.timetables.base import DataInterval
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType
    from sqlalchemy import select

    end = datetime.now(UTC) - ago
    with create_session() as session:
        run = served.create_dagrun(
            run_id=f"{kind}__{end.isoformat()}",
            run_type=DagRunType(kind),
            logical_date=end - 5 * MINUTE,
            data_interval=DataInterval(end - 5 * MINUTE, end),
            run_after=end,
            state=DagRunState.RUNNING,
            triggered_by=DagRunTriggeredByType.TEST,
            session=session,
        )
        session.flush()
        return list(session.scalars(select(Deadline).where(Deadline.dagrun_id == run.id)))


def test_only_runs_of_the_schedule_have_a_deadline(served: Any) -> None:
    (deadline,) = run_of(served, "scheduled", 2 * MINUTE)
    assert abs(deadline.deadline_time - datetime.now(UTC) - 8 * MINUTE) < timedelta(seconds=10), (
        "10 min after it is due"
    )
    assert run_of(served, "backfill", timedelta(days=300)) == []
    assert run_of(served, "manual", timedelta(days=1)) == []
    assert run_of(served, "asset_triggered", timedelta(days=2)) == []


def callback_of_a_missed_deadline(served: Any) -> dict[str, Any]:
    """The scheduler's step: a run's deadline has passed, and what it stores for the triggerer."""
    from airflow.models.callback import Callback
    from airflow.models.deadline import Deadline
    from airflow.utils.session import create_session

    (missed,) = run_of(served, "scheduled", 30 * MINUTE)
    with create_session() as session:
        deadline = session.get(Deadline, missed.id)
        deadline.handle_miss(session)
        return dict(session.get(Callback, deadline.callback_id).data)


def triggerer(data: dict[str, Any]) -> None:
    """The triggerer's step: the callback runs to its end."""
    from airflow.triggers.callback import CallbackTrigger

    async def run() -> list[Any]:
        trigger = CallbackTrigger(
            callback_path=data["path"], callback_kwargs=json.loads(json.dumps(data["kwargs"], default=str))
        )
        return [event.payload async for event in trigger.run()]

    *_, last = asyncio.run(run())
    assert str(last["state"]) in ("success", "CallbackState.SUCCESS"), last


def test_a_missed_deadline_raises_an_alert_by_airflow_s_own_machinery(
    served: Any, levels: Levels, declare: Declare, mailbox: Mailbox
) -> None:
    declare(mail=mail_to(mailbox))
    data = callback_of_a_missed_deadline(served)
    assert data["path"] == "accord_airflow.notifiers.AlertNotifier"
    triggerer(data)
    assert mailbox.subjects == [f"[test] CRITICAL {ORDERS}: the run has not succeeded in time"]
    assert f"https://airflow.example/dags/{ORDERS}/runs/scheduled" in mailbox.text()
    levels.ran()
    one_round(levels=[ORDERS])
    assert mailbox.subjects[1].startswith("[test] RECOVERED")


def test_a_triggerer_that_dies_loses_nothing_and_another_one_tells_nothing_twice(
    served: Any, levels: Levels, declare: Declare, mailbox: Mailbox
) -> None:
    declare(mail=mail_to(mailbox))
    levels.ran(ago=30 * MINUTE)
    data = callback_of_a_missed_deadline(served)  # and nobody runs it
    one_round(levels=[ORDERS])
    (told,) = mailbox.subjects
    assert told.startswith(f"[test] CRITICAL {ORDERS}: the data is ")
    triggerer(data)
    one_round(levels=[ORDERS])
    assert mailbox.subjects == [told]


def test_what_the_hub_knows_of_a_late_flow_is_said(levels: Levels, declare: Declare, mailbox: Mailbox) -> None:
    declare(mail=mail_to(mailbox))
    levels.ran(ago=30 * MINUTE)
    context: Any = {
        "dag_run": {"dag_id": ORDERS, "dag_run_id": "scheduled x"},
        "deadline": {"deadline_time": "2026-01-01T00:00:00Z"},
    }
    AlertNotifier().notify(context)
    AlertNotifier().notify(context)
    (subject,) = mailbox.subjects
    assert subject.startswith(f"[test] CRITICAL {ORDERS}: the data is "), "the gravest of what is late"
    assert "Last good watermark" in mailbox.text()


def test_anybody_s_dag_tells_of_its_failure_and_of_its_recovery(
    levels: Levels, declare: Declare, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    declare(mail=mail_to(mailbox))
    context: Any = {
        "dag_run": {"dag_id": "nightly_export", "dag_run_id": "r1"},
        "ti": type("Ti", (), {"task_id": "upload"})(),
    }
    for _ in range(2):
        AlertNotifier(owner="finance").notify(context)
    AlertNotifier(owner="finance", recovered=True).notify(context)
    AlertNotifier(owner="finance", recovered=True).notify(context)
    failed, recovered = mailbox.subjects
    assert failed.startswith("[test] ERROR nightly_export")
    assert recovered.startswith("[test] RECOVERED ")
    assert recovered.partition(", was: ")[2] == failed.removeprefix("[test] ERROR ")
    assert "the run failed at upload" in mailbox.subjects[0]

    # nobody measures it again: it must outlast an absence of the hub
    right = os.environ["AIRFLOW_CONN_ACCORD_HUB"]
    monkeypatch.setenv("AIRFLOW_CONN_ACCORD_HUB", json.dumps(json.loads(right) | {"port": 1}))
    AlertNotifier(owner="finance").notify(context)
    assert len(mailbox.mails) == 4
    monkeypatch.setenv("AIRFLOW_CONN_ACCORD_HUB", right)
    one_round(levels=["finance"])
    assert [row["key"] for row in levels.rows("SELECT key FROM alert WHERE state = 'open'")] == [
        "test:nightly_export:run deadline::"
    ]
