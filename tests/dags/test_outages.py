"""Systems that take no calls, in Airflow: a run of the schedule is skipped in silence, one that nobody else makes up for waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred

from accord.errors import Shut, SystemShut
from accord.hub import Hub, systems
from accord_airflow import window
from accord_airflow.operators import ErpUpsertOperator, SalesforceExtractOperator
from tests.dags.conftest import ROOT, dags_of
from tests.dags.test_running import Ran
from tests.dags.world import World

if TYPE_CHECKING:
    from accord_airflow.operators.base import AccordOperator

CUSTOMERS = "customer__salesforce_to_erp"
EXTRACT = SalesforceExtractOperator(task_id="extract", flow=CUSTOMERS)
LOAD = ErpUpsertOperator(task_id="load", chunk={})


def context(kind: str) -> Any:
    """Of a run that came about this way."""
    run = SimpleNamespace(run_type=kind, run_id="r1", dag_id=CUSTOMERS)
    given = {"since": None, "until": None, "keys": None, "dry_run": False, "full_refresh": False}
    return {"dag_run": run, "params": given}


def shut(why: Shut, **wait: float) -> SystemShut:
    now = datetime(2026, 3, 2, tzinfo=UTC)  # the hub's clock may be any
    return SystemShut("It takes no calls.", system="salesforce", why=why, until=now + timedelta(**wait), now=now)


@pytest.mark.parametrize(
    ("operator", "kind", "why", "what"),
    [
        (EXTRACT, "scheduled", Shut.OUTAGE, AirflowSkipException),
        (EXTRACT, "asset_triggered", Shut.QUOTA, AirflowSkipException),
        (EXTRACT, "scheduled", Shut.RECOVERING, TaskDeferred),
        (EXTRACT, "backfill", Shut.MAINTENANCE, TaskDeferred),
        (EXTRACT, "manual", Shut.HELD, TaskDeferred),
        (LOAD, "scheduled", Shut.RECOVERING, TaskDeferred),
        (LOAD, "scheduled", Shut.OUTAGE, SystemShut),  # of what may be under way: it is tried again like any failure
    ],
)
def test_who_waits_and_who_is_skipped(operator: AccordOperator, kind: str, why: Shut, what: type[Exception]) -> None:
    with pytest.raises(what):
        operator.when_shut(context(kind), shut(why, seconds=20))


@pytest.mark.parametrize(("hours", "minutes"), [(0.1, 6), (8, 10)])
def test_who_waits_looks_again_when_it_may_be_over(hours: float, minutes: float) -> None:
    """At the latest after ten minutes: somebody may have released the system."""
    before = datetime.now(UTC)
    with pytest.raises(TaskDeferred) as deferred:
        EXTRACT.wait(shut(Shut.MAINTENANCE, hours=hours))
    moment = deferred.value.trigger.moment
    assert before <= moment - timedelta(minutes=minutes) <= datetime.now(UTC)


def hold(world: World, name: str) -> Hub:
    hub = Hub(world.dsn)
    until = systems.state_of(hub, name).now + timedelta(hours=1)
    systems.hold(hub, name, until=until, who="ada", why="disk full")
    return hub


def test_a_run_by_hand_goes_on_once_the_system_takes_calls(world: World) -> None:
    world.customer("001")
    hub = hold(world, "salesforce")
    by_hand = context("manual")
    with pytest.raises(TaskDeferred) as deferred:
        EXTRACT.execute(by_hand)
    assert world.hub("SELECT id FROM run") == []
    systems.release(hub, "salesforce", who="ada", why="disk emptied")
    batch = getattr(EXTRACT, deferred.value.method_name)(by_hand)
    assert world.hub("SELECT id, counts FROM run") == [{"id": batch["run"], "counts": {"extracted": 1, "released": 0}}]


@pytest.mark.usefixtures("metadata")
def test_a_run_of_the_schedule_that_could_do_nothing_is_skipped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(window.KINDS, "manual", "scheduled")  # as what a test runs counts
    hold(world, "tryton")
    ran = Ran(dags_of(ROOT / "dags" / "product.py")["product__tryton_to_salesforce"])
    assert ran.state == "success", "nothing failed, nobody is woken"
    assert set(ran.tasks.values()) == {"skipped"}
    assert world.hub("SELECT id FROM run") == [], "the next one reads what this one would have"
