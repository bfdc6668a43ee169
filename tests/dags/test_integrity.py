"""The DAGs are exactly those the flows imply, whole, documented, and as their snapshot says."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import DAG, CronDataIntervalTimetable
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.serialization.serialized_objects import DagSerialization

from accord.flows import FLOWS
from accord.hub.processes import PROCESSES
from accord.service_levels.targets import Measure, of_flow
from accord_airflow.deadlines import ScheduledRunDue
from accord_airflow.operators import ReconcileOperator
from accord_airflow.operators.base import AccordOperator
from accord_airflow.retries import RETRY_POLICY
from tests import dag_names
from tests.dags.conftest import dags_of

SNAPSHOT = Path(__file__).with_name("graph.json")


def test_the_dags_are_those_the_flows_imply(dags: dict[str, DAG]) -> None:
    assert set(dags) == dag_names.ALL
    assert dags, "there is at least one flow"


def test_airflow_itself_finds_them_and_no_import_error(dags: dict[str, DAG], metadata: None) -> None:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    assert bag.import_errors == {}
    assert set(bag.dags) == set(dags)


def test_every_file_declares_a_dag(dag_files: list[Path]) -> None:
    assert [path.name for path in dag_files if not dags_of(path)] == []


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_is_moved_by_one_task_that_asks_the_flows(dags: dict[str, DAG], name: str) -> None:
    dag = dags[name]
    assert dag.doc_md
    for heading in ("**Who owns it**", "**What it does.**", "**When it fails**", "**By hand.**"):
        assert heading in dag.doc_md
    dag.params.validate()
    assert dict(dag.params) == {"action": "advance", "key": "", "why": ""}
    assert [(task.task_id, getattr(task, "process", None)) for task in dag.tasks] == [("process", name)]
    assert not dag.catchup
    assert dag.max_active_runs == 1


def test_every_pair_of_systems_is_reconciled_at_night(dags: dict[str, DAG]) -> None:
    dag = dags["reconciliation"]
    assert dag.doc_md
    for heading in ("**Who owns it**", "**What it does.**", "**When it fails**", "**By hand.**"):
        assert heading in dag.doc_md
    dag.params.validate()
    assert dict(dag.params) == {"object": "all", "flow": "all", "target": "all", "keys": [], "apply": "auto"}
    pairs = {(task.flow.name, task.target): task for task in dag.tasks if isinstance(task, ReconcileOperator)}
    assert set(pairs) == {(flow.name, target) for flow in FLOWS.values() for target in flow.targets}
    assert {task.pool for task in pairs.values()} == {f"accord_{target}" for _, target in pairs}
    assert not dag.catchup
    assert dag.max_active_runs == 1


@pytest.mark.parametrize("name", FLOWS)
class TestEveryDag:
    @pytest.fixture
    def dag(self, dags: dict[str, DAG], name: str) -> DAG:
        return dags[name]

    def test_says_what_it_is_for_who_owns_it_and_what_to_do(self, dag: DAG) -> None:
        assert dag.doc_md
        for heading in ("**Who owns it**", "**What it does.**", "**When it fails**", "**By hand.**", "### This flow"):
            assert heading in dag.doc_md
        assert dag.description
        assert {"accord", FLOWS[dag.dag_id].object} <= set(dag.tags)
        assert {task.owner for task in dag.tasks} == {FLOWS[dag.dag_id].owner}

    def test_its_form_is_filled_in(self, dag: DAG) -> None:
        assert set(dag.params) == {"since", "until", "keys", "dry_run", "full_refresh"}
        dag.params.validate()  # a scheduled run takes the defaults as they are
        assert dict(dag.params) == {"since": None, "until": None, "keys": [], "dry_run": False, "full_refresh": False}
        for name in dag.params:
            param = dag.params.get_param(name)
            assert param.schema["title"]
            assert param.description

    def test_runs_on_real_intervals_one_at_a_time_without_catching_up(self, dag: DAG) -> None:
        assert isinstance(dag.timetable, CronDataIntervalTimetable)
        assert dag.timetable.expression == FLOWS[dag.dag_id].schedule
        assert not dag.catchup
        assert dag.max_active_runs == 1
        assert not dag.fail_fast

    def test_has_the_deadline_of_its_service_level(self, dag: DAG) -> None:
        (deadline,) = dag.deadline
        (level,) = [one for one in of_flow(FLOWS[dag.dag_id]) if one.measure is Measure.RUN]
        assert deadline.interval == level.limit
        assert isinstance(deadline.reference, ScheduledRunDue)
        assert deadline.callback.path == "accord_airflow.notifiers.AlertNotifier"
        assert deadline.callback.kwargs == {"tier": level.tier.value, "owner": level.owner, "object": level.object}

    def test_has_no_cycle_and_ends_in_settle(self, dag: DAG) -> None:
        dag.check_cycle()
        assert [task.task_id for task in dag.leaves] == ["settle"]
        assert [task.task_id for task in dag.roots] == ["extract"]
        assert dag.task_dict["settle"].trigger_rule == "all_done"

    def test_every_task_documents_itself_and_knows_the_errors(self, dag: DAG) -> None:
        for task in dag.tasks:
            assert task.doc_md, task.task_id
            assert task.retries == 3, task.task_id
            operator = task.operator_class if isinstance(task, MappedOperator) else type(task)
            assert issubclass(operator, AccordOperator)
            if not isinstance(task, MappedOperator):
                assert task.retry_policy is RETRY_POLICY

    def test_who_calls_a_system_is_in_its_pool(self, dag: DAG) -> None:
        flow = FLOWS[dag.dag_id]
        calls = {"extract": flow.source, "acknowledge": flow.source}
        for target in flow.targets:
            calls |= {f"compare_{target}": target, f"load_{target}": target}
        for task in dag.tasks:
            system = calls.get(task.task_id)
            assert task.pool == (f"accord_{system}" if system else "default_pool"), task.task_id

    def test_names_what_it_produces(self, dag: DAG) -> None:
        flow = FLOWS[dag.dag_id]
        produced = {task.task_id: [o.uri for o in task.outlets] for task in dag.tasks if task.outlets}
        assert produced == {f"load_{target}": [f"accord://{target}/{flow.object}"] for target in flow.targets}

    def test_is_the_same_however_often_it_is_parsed(self, dag: DAG, dag_files: list[Path]) -> None:
        again = next(found[dag.dag_id] for found in map(dags_of, dag_files) if dag.dag_id in found)
        once, twice = (
            {key: value for key, value in DagSerialization.serialize_dag(d).items() if key != "fileloc"}
            for d in (dag, again)
        )
        assert once == twice
        assert len(json.dumps(once)) < 50_000


def test_the_graph_is_as_its_snapshot_says(dags: dict[str, DAG]) -> None:
    """To accept a change, delete the file and run this test: it writes it again."""
    graph = {dag_id: _graph(dag) for dag_id, dag in sorted(dags.items())}
    if not SNAPSHOT.exists():
        SNAPSHOT.write_text(json.dumps(graph, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        pytest.fail(f"{SNAPSHOT.name} was not there and has been written: look at it, and keep it")
    assert graph == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def _graph(dag: DAG) -> dict[str, Any]:
    return {
        "schedule": getattr(dag.timetable, "expression", None),
        "tags": sorted(dag.tags),
        "tasks": {
            task.task_id: {
                "operator": (task.operator_class if isinstance(task, MappedOperator) else type(task)).__name__,
                "mapped": isinstance(task, MappedOperator),
                "pool": task.pool,
                "trigger_rule": str(task.trigger_rule.value),
                "then": sorted(task.downstream_task_ids),
            }
            for task in dag.topological_sort()
        },
    }
