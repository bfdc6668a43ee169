"""The stage of the end-to-end tests: what runs, how a run is started through Airflow, what was written meanwhile."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import requests
from psycopg.rows import dict_row

from accord.flows import FLOWS
from accord.hub import Hub
from sandbox.company.generator import company
from sandbox.company.load import load
from sandbox.company.org import Org
from sandbox.company.rows import Fields, Row, Value, rows
from sandbox.stack import airflow, services
from sandbox.stack.airflow import Airflow
from sandbox.stack.airflow_api import AirflowApi
from sandbox.stack.services import Running
from tests.integration.real import watching

CUSTOMERS = "customer__salesforce_to_erp"
TO_SALESFORCE = tuple(flow.name for flow in FLOWS.values() if flow.object == "customer_account")
EVERYTHING: Mapping[str, Any] = {"full_refresh": True}
_AN_HOUR = 3600.0
_PATIENCE = 240.0

# what no log, report, exception or XCom may ever show: values of personal fields
PERSONAL = {
    "FirstName": "Qvintilla",
    "LastName": "Zyxmarkerson",
    "Email": "qvintilla@zyxmarker.example",
    "Phone": "+99 5571 990071",
    "Street": "Zyxmarkerstraat 4711",
}
_CONTACT: Fields = {name: PERSONAL[name] for name in ("FirstName", "LastName", "Email", "Phone")}


def marked(number: int, name: str, **fields: Value) -> Row:
    """An account that knows somebody whose data must never be seen."""
    usual: Fields = {
        "AccountNumber": f"MI-MARK-{number}",
        "Name": name,
        "CurrencyIsoCode": "USD",
        "Legal_Entities__c": "NL01;US01",
        "BillingStreet": PERSONAL["Street"],
        "BillingCountryCode": "NL",
    }
    return Row(number=f"MI-MARK-{number}", fields=usual | fields, contacts=(dict(_CONTACT),))


MARKED = (
    marked(1, "Quince Trading"),
    marked(2, "Quince Nowhere", BillingCountryCode=None),  # quarantined: no country
    marked(3, "Quince Deliveries", ShippingStreet=PERSONAL["Street"]),  # quarantined: a ship-to without country
    marked(4, "Quince " + "Very " * 30 + "Long"),  # rejected by the legacy ERP
    marked(5, "QUINCE TRADING"),  # held: the name of another
)


@dataclass(slots=True)
class Stage:
    """What is up, and how a test steers it."""

    home: Path
    running: Running
    web: Airflow
    api: AirflowApi
    notes: dict[str, int] = field(default_factory=dict)
    arrived: list[dict[str, int]] = field(
        default_factory=list
    )  # by the schedule's run, before tests did anything: see `count_arrived`
    rewritten: list[Any] = field(default_factory=list)  # by the second runs of everything
    backfills: list[tuple[str, int]] = field(default_factory=list)

    @property
    def legacy(self) -> str:
        return self.running.postgres.dsn(services.LEGACY)

    # ----------------------------------------------------------------------------------------------------------- runs
    def scheduled(self, flow: str) -> str:
        """The run the scheduler starts by itself once a DAG is unpaused, when it has succeeded."""
        run = self._until(lambda: [r for r in self.api.runs(flow) if r["run_type"] == "scheduled"], f"a run of {flow}")[
            0
        ]
        self._succeeded(flow, run["dag_run_id"])
        return str(run["dag_run_id"])

    def play(self, flows: Sequence[str], params: Mapping[str, Any]) -> dict[str, str]:
        """Trigger flows at the same time and wait until all have succeeded; run ids by flow."""
        runs = {flow: self.api.trigger(flow, params) for flow in flows}
        with ThreadPoolExecutor(max_workers=len(flows)) as together:
            for waited in [together.submit(self._succeeded, flow, run) for flow, run in runs.items()]:
                waited.result()
        return runs

    def backfill(self, flow: str) -> None:
        """Backfill one interval of the day before yesterday."""
        day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
        body = {"dag_id": flow, "from_date": day.isoformat(), "to_date": day.isoformat(), "max_active_runs": 1}
        self.backfills.append((flow, int(self.api.post("backfills", body)["id"])))

    def backfilled(self, flow: str) -> list[dict[str, Any]]:
        """The runs a backfill of `flow` made."""
        return [run for run in self.api.runs(flow) if run["run_type"] == "backfill"]

    def wait_for_backfills(self) -> None:
        for flow, _ in self.backfills:
            for run in self._until(lambda flow=flow: self.backfilled(flow), f"a backfill run of {flow}"):
                self._succeeded(flow, run["dag_run_id"])

    def _succeeded(self, flow: str, run: str) -> None:
        state = self.api.wait(flow, run, timeout=_PATIENCE)
        states = {f"{task['task_id']}[{task['map_index']}]": task["state"] for task in self.api.tasks(flow, run)}
        assert state == "success", f"{flow} {run}: {states}"

    def _until(self, look: Any, what: str) -> Any:
        deadline = time.monotonic() + _PATIENCE
        while not (found := look()):
            assert time.monotonic() < deadline, f"waited {_PATIENCE:.0f} s for {what}"
            time.sleep(0.3)
        return found

    def tasks(self, flow: str, run: str) -> dict[tuple[str, int], dict[str, Any]]:
        """Task instances by task id and map index."""
        return {(task["task_id"], task["map_index"]): task for task in self.api.tasks(flow, run)}

    # ------------------------------------------------------------------------------------------------------ what is there
    def ask(self, database: str, query: str, arguments: Sequence[Any] | Mapping[str, Any] = ()) -> list[dict[str, Any]]:
        """Rows of one of the home's databases."""
        with psycopg.connect(self.running.postgres.dsn(database), row_factory=dict_row) as session:
            return session.execute(query.encode(), arguments).fetchall()

    def hub_run(self, flow: str, run: str) -> dict[str, Any]:
        """The hub's row of a run of Airflow."""
        return self.ask(services.HUB, "SELECT * FROM run WHERE flow = %s AND engine_run = %s", [flow, f"{flow}/{run}"])[
            0
        ]

    def organization(self) -> Org:
        return Org.as_administrator(self.running.salesforce_url)

    def count_arrived(self) -> None:
        """Count the ERPs' customers now: parties that Tryton got, and rows and different keys of the legacy ERP."""
        tryton = "SELECT count(*)::int AS n FROM watch.note WHERE relation = 'party_party' AND operation = 'INSERT'"
        legacy = "SELECT count(*)::int AS n, count(DISTINCT external_ref)::int AS keys FROM erp.customer"
        self.arrived = [*self.ask(self.running.erp.database, tryton), *self.ask(services.LEGACY, legacy)]

    def forget(self) -> None:
        """Count writes from now on."""
        self.notes = {name: watching.now(self._dsn(name)) for name in ("tryton", "legacy")}
        requests.delete(f"{self.running.salesforce_url}/sandbox/calls", timeout=30).raise_for_status()

    def written(self, where: str) -> Counter[tuple[str, str, str]]:
        """Rows written to an ERP's database since `forget`."""
        return watching.noted(self._dsn(where), self.notes[where])

    def org_writes(self) -> list[str]:
        """Requests that change something in the org since `forget`."""
        calls = requests.get(f"{self.running.salesforce_url}/sandbox/calls", timeout=30).json()
        reads = ("/oauth2/", "/jobs/query", "/sandbox/")
        return [
            f"{c['method']} {c['path']}"
            for c in calls
            if c["method"] != "GET" and not any(r in c["path"] for r in reads)
        ]

    def _dsn(self, name: str) -> str:
        return self.running.postgres.dsn(self.running.erp.database) if name == "tryton" else self.legacy


def raise_curtain(home: Path, *, shared: Path) -> Stage:
    """Start everything and load the sample company, an hour ago by the org's clock: the schedule's last interval is over
    already, and its run must find the accounts in it."""
    running = services.up(home, careless=True, free_ports=True, shared=shared)
    watching.watch(running.postgres.dsn(running.erp.database), watching.TRYTON)
    watching.watch(running.postgres.dsn(services.LEGACY), watching.LEGACY)
    _clock(running, -_AN_HOUR)
    loaded = load(Org.as_administrator(running.salesforce_url), [*rows(company()), *MARKED])
    assert not loaded.refused, loaded.refused
    _clock(running, 0)
    Hub(running.postgres.dsn(services.HUB)).upgrade()
    web = airflow.ensure_running(home, running.postgres, free_port=True)
    api = web.api()
    api.wait_for_dags(list(FLOWS))
    return Stage(home=home, running=running, web=web, api=api)


def _clock(running: Running, seconds: float) -> None:
    requests.post(
        f"{running.salesforce_url}/sandbox/clock", json={"offset_seconds": seconds}, timeout=30
    ).raise_for_status()
