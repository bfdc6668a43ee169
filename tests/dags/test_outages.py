"""Systems that take no calls, in Airflow: a run of the schedule is skipped in silence, one that nobody else makes up for waits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from accord.hub import Hub, systems
from accord_airflow import window
from tests.dags.conftest import ROOT, dags_of
from tests.dags.test_running import Ran
from tests.dags.world import World

if TYPE_CHECKING:
    from airflow.sdk import DAG

pytestmark = pytest.mark.usefixtures("metadata")


@pytest.fixture
def customers() -> DAG:
    return dags_of(ROOT / "dags" / "customer.py")["customer__salesforce_to_erp"]


@pytest.fixture
def by_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that are tested count as the schedule's."""
    monkeypatch.setitem(window.KINDS, "manual", "scheduled")


def hold(world: World, name: str, *, seconds: float = 3600) -> None:
    hub = Hub(world.dsn)
    until = systems.state_of(hub, name).now + timedelta(seconds=seconds)
    systems.hold(hub, name, until=until, who="ada", why="disk full")


@pytest.mark.usefixtures("by_schedule")
def test_a_run_of_the_schedule_that_could_do_nothing_is_skipped(customers: DAG, world: World) -> None:
    world.customer("001")
    hold(world, "salesforce")
    ran = Ran(customers)
    assert ran.state == "success", "nothing failed, nobody is woken"
    assert set(ran.tasks.values()) == {"skipped"}
    assert world.hub("SELECT id FROM run") == [], "the next one reads what this one would have"


@pytest.mark.usefixtures("by_schedule")
def test_an_erp_that_is_shut_queues_in_a_run_that_is_well(customers: DAG, world: World) -> None:
    key = world.customer("001", legal_entities=["NL01", "US01"], currency="USD")
    hold(world, "legacy")
    ran = Ran(customers)
    assert ran.state == "success"
    assert ran.state_of("load_legacy") == {"skipped"}, "nothing to load"
    assert ran.handed_on("settle")["targets"]["legacy"]["counts"] == {"parked": 1}
    assert [write.key for write in world.tryton.writes] == [key]
    assert world.legacy.writes == []


def test_a_run_by_hand_waits_without_a_worker_and_then_goes(customers: DAG, world: World) -> None:
    key = world.customer("001")
    hold(world, "salesforce", seconds=4)
    ran = Ran(customers)
    assert ran.state == "success"
    assert [write.key for write in world.tryton.writes] == [key]
