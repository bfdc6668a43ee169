"""What the demo does, in order. Each part finds what an earlier (or interrupted) demo left, and makes the rest."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from accord import processes
from accord.errors import AccordError
from accord.flows import FLOWS
from accord.hub.processes import PROCESSES
from accord.pipeline.flow_run import run_flow
from accord.pipeline.runs import Params
from accord.pipeline.settle import describe
from accord.runtime import Accord
from sandbox.company.contracts import amend, subscribe
from sandbox.company.generator import company
from sandbox.company.load import load
from sandbox.company.orders import order
from sandbox.company.org import Org
from sandbox.company.rows import rows
from sandbox.demo import business_day, summary
from sandbox.demo.console import Console
from sandbox.erp import finance as tryton_finance
from sandbox.erp import server as erp_server
from sandbox.erp.legacy.install import finance as legacy_finance
from sandbox.stack import airflow, connections, services
from sandbox.stack.airflow_api import AirflowApi
from sandbox.stack.home import locked
from sandbox.stack.processes import Processes

# The demo's own runs read everything, so that a second demo shows that nothing is written again.
EVERYTHING: Mapping[str, Any] = {"full_refresh": True}
ORDERS_OF_AN_ENTITY = 150
CONTRACTS_OF_AN_ENTITY = 6
BESIDE_THE_FLOWS = (*PROCESSES, "approval", "approvals", "outbox", "service_levels")


def flows_for(*objects: str) -> tuple[str, ...]:
    """Names of the flows of these objects."""
    return tuple(flow.name for flow in FLOWS.values() if flow.object in objects)


class DemoFailed(Exception):
    """A DAG run did not succeed; the message says which and where to look."""


def up(home: Path) -> None:
    """The whole story, once or again.

    Raises:
        StackError: a service can't be started.
        OrgRefused: the org did not take the sample company.
        DemoFailed: a DAG run failed.
    """
    console = Console(steps=14)
    begun = datetime.now(UTC)
    with locked(home, "demo", waiting=console.note):
        with console.step("Starting PostgreSQL with the hub and the legacy ERP, and the Salesforce org"):
            first = services.up(home, (services.POSTGRES, services.SALESFORCE), tell=console.note)
            connections.write(home, connections.of(None, erp_server.of_home(home), None))
        with console.step("Loading the sample company into the org"):
            org = Org.as_administrator(first.salesforce_url)
            console.note(str(load(org, list(rows(company())))))
        with console.step("Preparing the hub"):
            os.environ.update(connections.read(home), ACCORD_HOME=str(home))
            accord = Accord.from_environment()
            console.note(f"the hub's schema is at revision {accord.hub.upgrade()}")
        with console.step("Starting Tryton and Airflow"), ThreadPoolExecutor() as together:
            all_services = together.submit(services.up, home, tell=console.note)
            web = together.submit(airflow.ensure_running, home, first.postgres, tell=console.note)
            api, running = web.result().api(), all_services.result()
        with console.step("Customers go from Salesforce to the ERPs, run by Airflow's scheduler"):
            move(accord, api, flows_for("customer"), console)
        with console.step("Finance sets terms and limits and posts receivables in both ERPs"):
            console.note(f"Tryton: {tryton_finance.finance(running.erp)} customers")
            console.note(f"legacy ERP: {legacy_finance(running.postgres.dsn(services.LEGACY))} customers")
        with console.step("Customer accounts, products and price lists go from the ERPs to Salesforce"):
            move(accord, api, flows_for("customer_account", "product", "price_list"), console)
        with console.step("Prices follow their products and price lists"):
            move(accord, api, flows_for("price"), console)
        with console.step("Sales sells: orders are activated in Salesforce"):
            console.note(str(order(org, per_entity=ORDERS_OF_AN_ENTITY, today=datetime.now(UTC).date())))
        with console.step("Orders go to the ERPs, and what became of them comes back"):
            move(accord, api, flows_for("order"), console)
        with console.step("Customers subscribe: contracts, with ramps, go to the ERPs"):
            today = datetime.now(UTC).date()
            console.note(str(subscribe(org, per_entity=CONTRACTS_OF_AN_ENTITY, today=today)))
            move(accord, api, flows_for("contract"), console)
        with console.step("Warehouses ship, finance bills and receives in both ERPs"):
            with ThreadPoolExecutor() as together:
                in_tryton = together.submit(business_day.in_tryton, running.erp)
                in_legacy = together.submit(business_day.in_legacy, running.postgres.dsn(services.LEGACY))
            console.note(f"Tryton: {business_day.told(in_tryton.result())}")
            console.note(f"legacy ERP: {business_day.told(in_legacy.result())}")
        with console.step("Sales amends contracts, which are billed by now"):
            if amended := amend(org, today=datetime.now(UTC).date()):
                console.note(f"{amended} contracts amended")
                for flow in flows_for("contract"):
                    console.note(f"{flow}: {describe(run_flow(accord, FLOWS[flow], params=Params(full_refresh=True)))}")
        with console.step("Renewals and ARR, shipments, invoices, credit memos and payments go to Salesforce"):
            move(accord, api, flows_for("contract_status", "renewal", "order_status", "shipment", "invoice"), console)
            move(accord, api, flows_for("contract_renewal", "credit_memo", "payment"), console)
            move(accord, api, flows_for("customer_account", "product"), console)  # balances and stock have moved
            for process in PROCESSES.values():
                processes.advance(accord, process)
            for dag in (*FLOWS, *BESIDE_THE_FLOWS):
                api.unpause(dag)
        console.line()
        summaries = summary.flow_summaries(accord, begun)
        for line in summary.lines(summaries, summary.waiting(accord)):
            console.line(line)
        console.line()
        for process in PROCESSES.values():
            for line in summary.on_their_way(process, processes.overview(accord.hub, process)):
                console.line(line)
        for line in (*summary.agreement(org, summaries), *summary.recurring(org, datetime.now(UTC).date())):
            console.line(line)
        accord.close()
        console.line()
    status(home)


def down(home: Path) -> None:
    """End every process of this home, and nothing else. The data stays."""
    ended = [*airflow.stop(home), *Processes(home).stop_all()]
    print(f"Stopped: {', '.join(ended)}." if ended else "Nothing was running.")


def status(home: Path) -> None:
    """Print what runs, where, and how to log in."""
    known = Processes(home).status()
    running = {one.name: one for one in known if one.running}
    if not running:
        print("Nothing is running. `make demo` starts everything.")
        return
    if airflow.API in running:
        site = f"http://127.0.0.1:{running[airflow.API].ports['airflow']}"
        print(f"Airflow         {site}")
        for user, password in airflow.passwords(home).items():
            print(f"                log in as {user} with {password}")
        print(
            f'Metrics         curl -H "Authorization: Bearer $(cat {home / connections.METRICS_TOKEN})" {site}/accord/metrics'
        )
    if "salesforce" in running:
        print(f"Salesforce org  http://127.0.0.1:{running['salesforce'].ports['salesforce_http']}")
    if "tryton" in running:
        print(
            f"Tryton          http://127.0.0.1:{running['tryton'].ports['tryton']} (JSON-RPC; database tryton, user admin)"
        )
    if "postgres" in running:
        where = f"127.0.0.1:{running['postgres'].ports['postgres']}"
        print(f"PostgreSQL      {where}, user accord: databases accord_hub, legacy, tryton, airflow")
    print(f"Other passwords are in {home / 'secrets.json'}, logs in {home / 'logs'}.")
    ended = [one.name for one in known if not one.running]
    if ended:
        print(f"Not running any more: {', '.join(ended)}. `make demo` starts them again.")
    print("`make down` stops everything.")


def move(accord: Accord, api: AirflowApi, flows: Sequence[str], console: Console) -> None:
    """Run these flows: the first time by Airflow's scheduler, later in this process, which shows as well that nothing is
    written again and takes seconds. The scheduler goes on with them by itself once the story is told.

    Raises:
        DemoFailed: a run failed.
    """
    with accord.hub.session() as session:
        rows = session.execute(
            "SELECT DISTINCT flow FROM run WHERE state = 'succeeded' AND NOT dry AND flow = ANY(%s)", (list(flows),)
        ).fetchall()
    if len(rows) < len(flows):
        run_flows(api, flows, console)
        return
    for name in flows:
        try:
            summary_of_run = run_flow(accord, FLOWS[name], params=Params(full_refresh=True))
        except AccordError as error:
            raise DemoFailed(f"{name} failed: {error}") from error
        console.note(f"{name}: {describe(summary_of_run)}")


def run_flows(api: AirflowApi, flows: Sequence[str], console: Console) -> None:
    """Let the scheduler run these flows at the same time, and wait for all of them, showing what each is doing. They are paused then.

    Raises:
        DemoFailed: a run failed.
    """
    api.wait_for_dags(list(flows))
    runs = {flow: api.begin(flow, EVERYTHING) for flow in flows}
    with ThreadPoolExecutor(max_workers=len(flows)) as together:
        waits = {
            flow: together.submit(api.wait, flow, run, progress=_reporter(flow, console)) for flow, run in runs.items()
        }
    for flow, wait in waits.items():
        if wait.result() != "success":
            failed = [task["task_id"] for task in api.tasks(flow, runs[flow]) if task["state"] == "failed"]
            raise DemoFailed(f"{flow} failed in {', '.join(failed) or 'no task'}: {api.run_url(flow, runs[flow])}")
        console.note(f"{flow} succeeded")
        api.pause(flow)  # until the story is told: its schedule would take the machine's time from what follows


def _reporter(flow: str, console: Console) -> Callable[[str, list[dict[str, Any]]], None]:
    def report(state: str, tasks: list[dict[str, Any]]) -> None:
        states = Counter(str(task["state"]) for task in tasks)
        busy = sorted({task["task_id"] for task in tasks if task["state"] in ("running", "deferred", "up_for_retry")})
        doing = f", now {', '.join(busy)}" if busy else ""
        console.live(f"{flow}: {state}, {states['success']} of {len(tasks)} tasks done{doing}")

    return report
