"""A DAG that is not Accord's is woken by the asset a flow updates, and by nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from accord.categories import Category
from tests.dags.conftest import ROOT, dags_of
from tests.dags.test_running import Ran
from tests.dags.world import World

if TYPE_CHECKING:
    from airflow.sdk import DAG

EXAMPLE = ROOT / "docs" / "examples" / "customers_arrived.py"
pytestmark = pytest.mark.usefixtures("metadata", "waiting", "open_gates")


@pytest.fixture
def open_gates(monkeypatch: pytest.MonkeyPatch) -> None:
    """What gates find is not what is tested, and they take most of a run's time."""
    monkeypatch.setattr("accord.pipeline.gate.gate", lambda *_: {"verdict": "pass", "report": "", "failed": {}})


@pytest.fixture
def waiting() -> None:
    """The example is known to Airflow, and not paused."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    with create_session() as session:
        DagBundlesManager().sync_bundles_to_db(session=session)
    bag = BundleDagBag(dag_folder=EXAMPLE, bundle_path=EXAMPLE.parent, bundle_name="examples")
    sync_bag_to_db(bag, "examples", None)
    with create_session() as session:
        model = session.get(DagModel, "customers_arrived")
        assert model is not None
        model.is_paused = False


def woken() -> list[Any]:
    """What became of the example's task in the runs Airflow's scheduler makes now: what each handed on."""
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.sdk.definitions.dag import _run_task
    from airflow.utils.session import create_session
    from sqlalchemy import select

    example = dags_of(EXAMPLE)["customers_arrived"]
    with create_session() as session:
        models = [session.get(DagModel, "customers_arrived")]
        SchedulerJobRunner(job=Job(), executors=[])._create_dag_runs_asset_triggered(dag_models=models, session=session)
        session.commit()
        runs = session.scalars(
            select(DagRun).where(DagRun.dag_id == "customers_arrived", DagRun.state == "queued")
        ).all()
        for run in runs:
            run.state = "running"
        session.commit()
        told = []
        for run in runs:
            (ti,) = run.get_task_instances(session=session)
            _run_task(ti=ti, task=example.task_dict["welcome"])
            run.state = "success"
            told.append(ti.xcom_pull(task_ids="welcome"))
        return told


def test_who_is_scheduled_on_an_asset_hears_what_arrived(dags: dict[str, DAG], world: World) -> None:
    customers = dags["customer__salesforce_to_erp"]
    keys = [world.customer(f"00{n}") for n in range(2)]
    assert Ran(customers).state == "success"
    assert woken() == [keys]

    refused = world.customer("003")
    world.tryton.rejects[refused] = Category.REFUSED
    ran = Ran(customers)
    assert ran.state == "success"
    assert ran.state_of("load_tryton") == {"skipped"}, "nothing was written"
    assert world.hub("SELECT kind FROM exception WHERE object = 'customer'") == [{"kind": "rejected"}]
    assert woken() == []
