"""DAGs run, task by task, as Airflow runs them: the example of the documentation, and one of Accord's own when things go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.dags.conftest import ROOT, dags_of
from tests.dags.world import World

if TYPE_CHECKING:
    from airflow.sdk import DAG

pytestmark = pytest.mark.usefixtures("metadata")
EXAMPLE = ROOT / "docs" / "examples" / "one_way_customers.py"


@contextmanager
def known_already(dag: DAG) -> Iterator[None]:
    """Leave a DAG in Airflow's database as it is there: DAG.test parses and writes all of its folder each time, which takes longer
    than most runs."""
    from airflow.models.dag_version import DagVersion

    with pytest.MonkeyPatch.context() as patch:
        if DagVersion.get_version(dag.dag_id):
            patch.setattr("airflow.dag_processing.dagbag.BundleDagBag", lambda **_: None)
            patch.setattr("airflow.dag_processing.dagbag.sync_bag_to_db", lambda *_: None)
        yield


class Ran:
    """What became of a run."""

    def __init__(self, dag: DAG, **how: Any) -> None:
        # DAG.test of Airflow 3.3.2 can't end the run of a DAG with a deadline: it looks for it among those of the scheduler
        deadline, dag.deadline = dag.deadline, None
        try:
            with known_already(dag):
                run = dag.test(**how)
        finally:
            dag.deadline = deadline
        assert run is not None
        self.state, self.run_id = str(run.state), run.run_id
        instances = sorted(run.get_task_instances(), key=lambda ti: (ti.task_id, ti.map_index))
        self.tasks = {(ti.task_id, ti.map_index): str(ti.state) for ti in instances}
        self.names = [ti.rendered_map_index for ti in instances if ti.map_index >= 0]
        self.tries = {ti.task_id: ti.try_number for ti in instances}
        self._instances = instances

    def state_of(self, task: str) -> set[str]:
        return {state for (task_id, _), state in self.tasks.items() if task_id == task}

    def handed_on(self, task: str, key: str = "return_value") -> Any:
        return next(ti for ti in self._instances if ti.task_id == task).xcom_pull(task_ids=task, key=key)


@pytest.fixture
def example() -> DAG:
    return dags_of(EXAMPLE)["one_way_customers"]


def test_the_example_of_the_documentation_moves_customers_once(example: DAG, world: World) -> None:
    good = {world.customer(f"00{n}", name=f"Jane Doe {n} Ltd", phone="+31 20 555 0100") for n in range(3)}
    world.customer("bad", name="Jane Doe Nowhere Ltd", country=None)

    first = Ran(example)
    assert first.state == "success"
    assert {write.key for write in world.tryton.writes} == good
    assert first.names == ["tryton 1/1 · 3 records"]
    assert ("salesforce", "sales_org") in world.opened, "the connection its default_args name"
    assert {name for name, _ in world.opened} == {"salesforce", "tryton"}
    assert [row["key"] for row in world.hub("SELECT DISTINCT key FROM exception")] == ["salesforce:bad"]
    link = first.handed_on("sound", "gate_report")
    assert "/accord/reports/" in link
    assert (world.reports / link.partition("/accord/reports/")[2]).is_file()
    for task in example.task_ids:
        text = repr(first.handed_on(task))
        assert not {"Jane", "555"} & set(text.split()), "what tasks hand on says nothing of a customer"
        assert len(text) < 1500

    second = Ran(example, logical_date=None, run_after=datetime.now(UTC))  # as the API starts one: without an interval
    assert second.state == "success"
    assert second.state_of("load") == {"skipped"}
    assert len(world.tryton.writes) == 3
    assert second.handed_on("settle")["targets"]["tryton"]["counts"] == {"unchanged": 3, "quarantined": 1}


@pytest.fixture
def customers(dags: dict[str, DAG]) -> DAG:
    return dags["customer__salesforce_to_erp"]


def test_one_erp_that_refuses_the_login_neither_stops_the_other_nor_goes_unseen(customers: DAG, world: World) -> None:
    key = world.customer("001", legal_entities=["NL01", "US01"], currency="USD")
    world.legacy.bad_login = True
    ran = Ran(customers)
    assert ran.state == "failed"
    assert [write.key for write in world.tryton.writes] == [key]
    assert ran.state_of("load_tryton") == {"success"}
    assert ran.state_of("acknowledge") == {"success"}
    assert told(world) == [(key, "Pending")]
    assert ran.state_of("settle") == {"failed"}
    assert max(ran.tries.values()) == 1, "a login that is refused is not tried again"
    assert world.hub("SELECT state, error FROM run") == [{"state": "failed", "error": "failed before: compare_legacy"}]
    assert world.hub("SELECT watermark FROM flow") == [{"watermark": None}]

    world.legacy.bad_login = False
    assert Ran(customers).state == "success"
    assert [write.key for write in world.legacy.writes] == [key]
    assert len(world.tryton.writes) == 1
    assert told(world) == [(key, "Pending"), (key, "Synced")]


def told(world: World) -> list[tuple[str, str]]:
    """(key, status) in the order the source was told."""
    return [(write.key, write.fields["status"]) for write in world.salesforce.told.writes]


def test_nobody_is_told_anything_about_a_batch_that_a_gate_refused(customers: DAG, world: World) -> None:
    for n in range(60):
        world.customer(f"{n:03}", country=None)
    ran = Ran(customers)
    assert ran.state_of("gate_canonical") == ran.state_of("settle") == {"failed"}
    assert ran.state_of("acknowledge") == {"skipped"}
    assert told(world) == []
    assert world.hub("SELECT error FROM run") == [{"error": "failed before: gate_canonical"}]


def test_a_source_that_refuses_the_login_fails_the_run_at_once(customers: DAG, world: World) -> None:
    world.salesforce.bad_login = True
    ran = Ran(customers)
    assert ran.state == "failed"
    assert ran.state_of("extract") == ran.state_of("settle") == {"failed"}
    assert ran.state_of("acknowledge") == {"skipped"}
    assert ran.tries["extract"] == 1
    assert world.opened[0] == ("salesforce", "accord_salesforce")
    assert world.hub("SELECT state, error FROM run") == [{"state": "failed", "error": "failed before: extract"}]


def test_the_form_is_heeded(customers: DAG, world: World) -> None:
    world.customer("001")
    chosen = world.customer("002")
    ran = Ran(customers, run_conf={"keys": ["002"], "dry_run": True})
    assert ran.state == "success"
    assert ran.state_of("load_tryton") == {"skipped"}
    assert world.tryton.writes == world.salesforce.told.writes == []
    assert world.hub("SELECT dry, natives, counts ->> 'extracted' AS read FROM run") == [
        {"dry": True, "natives": [chosen.partition(":")[2]], "read": "1"}
    ]
