"""The console as Airflow mounts it, with Airflow's own logins, over a hub in which every page has something to show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from accord.categories import Category
from accord.flows import flow
from accord.service_levels.settings import CONSOLE
from tests.dags.world import World
from tests.judging import judged

SITE = "http://testserver"  # the test client's host
ROLES = ("viewer", "user", "op", "admin")
CUSTOMERS = "customer__salesforce_to_erp"
RUN = "manual__2026-05-01T12:00:00+00:00"
PARSED = ("replay", "reconciliation", CUSTOMERS)  # DAGs of which runs are started

Browsers = Callable[..., TestClient]


@dataclass(slots=True)
class Console:
    """The application, and who looks at it."""

    app: FastAPI
    mounted: FastAPI

    def browser(self, role: str | None = None, *, origin: str | None = SITE) -> TestClient:
        """A browser with the login of a person of that role, called as the role is; its forms come from pages of `origin`."""
        from airflow.api_fastapi.app import get_auth_manager
        from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
        from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

        found = TestClient(
            self.mounted, base_url=f"{SITE}{CONSOLE}/", raise_server_exceptions=False, follow_redirects=False
        )
        if origin:
            found.headers["origin"] = origin
        if role:
            lifetime = int(timedelta(hours=1).total_seconds())
            token = get_auth_manager().generate_jwt(
                SimpleAuthManagerUser(username=role, role=role), expiration_time_in_seconds=lifetime
            )
            found.cookies.set(COOKIE_NAME_JWT_TOKEN, token)
        return found


def made() -> Console:
    """The console, mounted as in the API server."""
    from airflow.api_fastapi.app import create_auth_manager

    from accord_airflow.console.app import app

    create_auth_manager()
    mounted, served = FastAPI(), app()
    mounted.mount(CONSOLE, served)
    return Console(served, mounted)


@pytest.fixture(scope="session")
def console(metadata: None) -> Console:
    """The console, mounted as in the API server."""
    return made()


@pytest.fixture
def browser(console: Console) -> Iterator[Browsers]:
    """`Console.browser`; what it opened is closed afterwards."""
    opened: list[TestClient] = []

    def make(role: str | None = None, **more: str | None) -> TestClient:
        opened.append(console.browser(role, **more))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture(scope="session")
def parsed(metadata: None) -> None:
    """Airflow knows the DAGs of which the console starts runs."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.collection import update_dag_parsing_results_in_db
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session

    from tests.dags.conftest import ROOT, dags_of

    DagBundlesManager().sync_bundles_to_db()
    with create_session() as session:
        known = [dags_of(ROOT / "dags" / f"{name}.py") for name in ("replay", "reconciliation", "customer")]
        dags = [LazyDeserializedDAG.from_dag(dag) for some in known for name, dag in some.items() if name in PARSED]
        update_dag_parsing_results_in_db("dags", None, dags, {}, None, set(), session=session)


def runs(dag: str) -> list[tuple[str, str | None, dict[str, Any]]]:
    """Run id, who started it and what it was told, of every run of `dag` Airflow has."""
    from airflow.models import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        rows = session.scalars(select(DagRun).where(DagRun.dag_id == dag).order_by(DagRun.id)).all()
        return [(row.run_id, row.triggering_user_name, dict(row.conf or {})) for row in rows]


@pytest.fixture
def filled(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A run Airflow started, with a customer that went, one that Tryton refused; a difference with its reconciliation; an alert;
    what a gate found in the run."""
    from accord.hub.exceptions import Raised, raise_exceptions
    from accord.pipeline import flow_run
    from accord.pipeline.flow_run import run_flow
    from accord.pipeline.runs import Params, RunKind
    from accord_airflow.runtime import opened

    monkeypatch.setattr(flow_run, "gate", lambda *_: {})  # Great Expectations is not what is looked at
    world.customer("1", phone="+31 20 555 0199")
    world.tryton.rejects = {world.customer("2", phone="+31 20 555 0198"): Category.REFUSED}
    with opened() as accord:
        run_flow(
            accord,
            flow(CUSTOMERS),
            engine_run=f"{CUSTOMERS}/{RUN}",
            kind=RunKind.MANUAL,
            params=Params(full_refresh=True),
        )
        stream = accord.hub.stream("tryton", "customer")
        with accord.hub.session() as session:
            raised = Raised(
                kind="difference", key="salesforce:1", category=Category.FIELD_DIFFERS, target="tryton", rule="fields", currency="EUR",
                message="Fields differ.", version=datetime(2026, 5, 1, tzinfo=UTC),
            )  # fmt: skip
            raise_exceptions(session, CUSTOMERS, "customer", None, [raised])
            session.execute(
                """INSERT INTO reconciliation (flow, stream, mode, who, counts, amounts, ended)
                   VALUES (%s, %s, 'auto', 'accord', '{"agreed": 1, "field differs": 2}',
                     '{"credit_limit": {"EUR": {"source": "10.00", "target": "11.00"}}}', now())""",
                (CUSTOMERS, stream),
            )
            session.execute(
                """INSERT INTO difference (reconciliation, key, class, category, rule, cause, fields, natives, version, currency,
                     at_risk, correction, outcome)
                   SELECT 1, 'salesforce:' || n, 'field differs', 'fields differ between the systems', 'fields', 'edited by hand',
                     '{currency}', '{}', now(), 'EUR', 10 * n, 'send again', CASE n WHEN 1 THEN 'proposed' ELSE 'corrected' END
                   FROM generate_series(1, 2) n"""
            )
        judged(accord, flow(CUSTOMERS), f"{CUSTOMERS}/{RUN}", {"salesforce:3": ("1250.00", "EUR")}, warned=2)
    _alert(world)
    return world


def _alert(world: World) -> None:
    from accord.service_levels.breach import breach
    from accord.service_levels.evaluation import Evaluation
    from accord.service_levels.ledger import record
    from accord.service_levels.targets import Measure, level_of
    from accord_airflow.runtime import opened

    level = level_of(CUSTOMERS, Measure.FRESHNESS)
    assert level is not None
    late = breach(
        level, "local", summary="customers are late", actual="2 h", late=timedelta(hours=1), run=f"{CUSTOMERS}/{RUN}",
        places={"Exception 1": "/exceptions/1/", "Exceptions": f"/exceptions/?flow={CUSTOMERS}&overdue=1"},
    )  # fmt: skip
    with opened() as accord, accord.hub.session() as session:
        record(session, Evaluation(breached=[late]), [])
