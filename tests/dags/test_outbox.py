"""The outbox's DAG: nothing to do without subscribers; with one, its connection is Airflow's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from accord.hub import Hub
from accord.processes import place
from accord_airflow.operators import PublishEventsOperator
from tests.dags.test_running import Ran
from tests.dags.world import World
from tests.receiver import SECRET, Receiver, receiver

if TYPE_CHECKING:
    from airflow.sdk import DAG

__all__ = ["receiver"]

ORDER_WAITS = """
INSERT INTO exception (kind, flow, object, target, key, category, queue, severity, message)
VALUES ('quarantined', 'order__salesforce_to_erp', 'order', 'tryton', 'salesforce:O1', 'invalid value', 'finance', 2, 'x')
"""


@pytest.mark.usefixtures("metadata")
def test_without_a_subscriber_there_is_nothing_to_do(dags: dict[str, DAG], world: World) -> None:
    ran = Ran(dags["outbox"])
    assert ran.state == "success"
    assert ran.handed_on("publish") in ({}, None)


def test_a_subscriber_is_airflow_s_setting_and_connection(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ACCORD_SUBSCRIBERS", "billing, ")
    declared = {"conn_type": "http", "host": receiver.url, "password": SECRET, "extra": {"batch": 10, "timeout_s": 5}}
    monkeypatch.setenv("AIRFLOW_CONN_ACCORD_SUBSCRIBER_BILLING", json.dumps(declared))
    publish = PublishEventsOperator(task_id="publish")
    assert publish.work({}) == {"billing": {"events": 0, "problem": None}}
    hub = Hub(world.dsn)
    with hub.session() as session:
        session.execute(ORDER_WAITS)
    place(hub)
    assert publish.work({}) == {"billing": {"events": 1, "problem": None}}
    assert [event["type"] for event in receiver.events] == ["accord.process.moved"]
    receiver.answers = [500]
    with hub.session() as session:
        session.execute("UPDATE process_event SET position = nextval('event_position')")
    told = publish.work({})
    assert told == {"billing": {"events": 0, "problem": "answer 500"}}, "a receiver that fails fails no task"
    assert SECRET not in caplog.text
    assert receiver.url not in caplog.text
