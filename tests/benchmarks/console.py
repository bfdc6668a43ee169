"""The console over a hub of a year: as many records as asked for, a twentieth as many open exceptions, a gate that holds as many.

Every page is asked for as the API server's application answers it, login and templates included, from one thread; the time is the
server's. The first page shows nothing of the hub: what it takes is the machine's and the login's.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any
from urllib.parse import quote_plus

import psutil
import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.json import Jsonb

from accord.categories import HANDLING
from accord.flows import FLOWS
from accord.hub import Hub
from accord.pipeline.runs import _declared
from sandbox.stack import postgres
from tests.benchmarks.place import HUB, own_home, pid_of
from tests.benchmarks.report import SERVERS, Report, Watch

PART = "console"
LIMIT = 200  # milliseconds, 95th percentile
TIMES = 40  # that each page is asked for
OPEN = 20  # records to an open exception
FLOW = "order__salesforce_to_erp"
RUNS = 2000  # of every flow
FILL = Path(__file__).with_name("fill.sql")


def fill(dsn: str, *, records: int, open_ones: int, runs: int = RUNS) -> None:
    """Fill an upgraded hub."""
    kinds = [
        {
            "place": place,
            "kind": "rejected",
            "category": category,
            "queue": handling.queue,
            "severity": handling.severity,
        }
        for place, (category, handling) in enumerate(HANDLING.items())
    ]
    stream = Hub(dsn).stream("tryton", "order")
    arguments = {
        "records": records, "open": open_ones, "runs": runs, "stream": stream, "flow": FLOW, "flows": list(FLOWS),
        "kinds": json.dumps(kinds), "many": len(kinds),
    }  # fmt: skip
    with psycopg.connect(dsn) as session, psycopg.ClientCursor(session) as cursor:
        cursor.execute("SET session_replication_role = replica")  # no foreign key is looked up a million times
        cursor.execute(FILL.read_text(encoding="utf-8").encode(), arguments)
    with psycopg.connect(dsn, autocommit=True) as session:
        for name, flow in FLOWS.items():
            session.execute("UPDATE flow SET declaration = %s WHERE name = %s", (Jsonb(_declared(flow)), name))
        session.execute("VACUUM ANALYZE")


def pages(dsn: str) -> Iterator[str]:
    """Addresses of every page, first pages and deep ones, with filters that find much, little and nothing."""
    with psycopg.connect(dsn) as session:
        deep = session.execute(
            """SELECT severity || '.' || id FROM exception WHERE state <> 'closed' ORDER BY -severity, id
               OFFSET (SELECT count(*) / 5 FROM exception WHERE state <> 'closed') LIMIT 1"""
        ).fetchone()
        last = session.execute("SELECT max(id) FROM reconciliation").fetchone()
        (gate,) = session.execute("SELECT run FROM gate_verdict ORDER BY quarantined DESC LIMIT 1").fetchone() or (0,)
    after = f"after={deep[0]}" if deep else ""
    yield from (
        "static/console.css",
        "",
        "exceptions/",
        f"exceptions/?{after}",
        "exceptions/77/",
        "alerts/",
        "alerts/?recovered=1",
        "alerts/1/",
        "systems/",
    )
    for query in (
        {"queue": "finance"}, {"queue": "finance", "category": "credit limit exceeded"}, {"category": "value too long"},
        {"key": "salesforce:33333"}, {"assignee": "ann"}, {"hours": "168", "above": "80000", "currency": "EUR"},
        {"overdue": "1"}, {"queue": "finance", "overdue": "1"},
        {"flow": FLOW}, {"flow": "none"}, {"closed": "1"}, {"closed": "1", "queue": "finance"},
    ):  # fmt: skip
        yield "exceptions/?" + "&".join(f"{name}={quote_plus(value)}" for name, value in query.items())
    yield from ("trace/?of=salesforce:777777", "trace/?of=SO-500000", "trace/?of=tryton:4242", "trace/?of=nobody")
    number = last[0] if last else 1
    yield from (
        "reconciliation/",
        f"reconciliation/{number}/",
        f"reconciliation/{number}/?outcome=proposed&after=2500:salesforce:2500",
        f"reconciliation/{number}/?class=missing+in+target",
    )
    yield from (f"flows/{FLOW}/", f"flows/{FLOW}/?before=1000", f"flows/{FLOW}/runs/scheduled__{RUNS // 2}", "reports/")
    yield from ("flows/replay/runs/1", "kpis/", "quality/", "quality/?owner=finance", "quality/reviews/1/")
    yield from (f"quality/runs/{gate}/canonical/", f"quality/runs/{gate}/canonical/?after=salesforce:held3")


def measure(report: Report, records: int) -> None:
    """Fill a hub with as many records, ask for every page."""
    open_ones = max(1, records // OPEN)
    with own_home() as home:
        server = postgres.ensure_running(home, careless=True, free_port=True)
        try:
            SERVERS.append(psutil.Process(pid_of(home)))
            server.create_database(HUB)
            dsn = server.dsn(HUB)
            Hub(dsn).upgrade()
            with report.timed(PART, f"making the hub, {open_ones:,} exceptions open", records):
                fill(dsn, records=records, open_ones=open_ones)
            _ask(report, dsn, home)
        finally:
            SERVERS.clear()


def _ask(report: Report, dsn: str, home: Path) -> None:
    from tests.dags import conftest  # sets up an Airflow of its own before anything imports it

    conftest.ensure_metadata()
    from tests.dags.console import made

    found = conninfo_to_dict(dsn)
    hub = {"conn_type": "postgres", "host": found["host"], "port": int(str(found["port"])), "login": found["user"],
           "password": found["password"], "schema": found["dbname"]}  # fmt: skip
    os.environ["AIRFLOW_CONN_ACCORD_HUB"] = json.dumps(hub)
    for name in ("SALESFORCE", "TRYTON", "LEGACY"):
        os.environ[f"AIRFLOW_CONN_ACCORD_{name}"] = json.dumps({"conn_type": "generic", "host": "nowhere"})
    os.environ["ACCORD_HOME"] = str(home)
    logging.disable(logging.INFO)
    with made().browser("admin") as browser:  # one thread for all requests
        for address in pages(dsn):
            median, p95, cpu = _measured(browser, address)
            what = f"{address or '(overview)'}: median {median:.0f}, processor {cpu:.0f}, 95th percentile in ms"
            report.most(PART, what, p95, LIMIT)


def _measured(browser: Any, address: str) -> tuple[float, float, float]:
    """Median and 95th percentile of the server's time, and the processor's time of one request, in milliseconds. Raises RuntimeError
    for a page that is not shown."""
    took = []
    for number in range(TIMES + 1):
        if number == 1:  # the first one imports
            together = Watch()
        begun = perf_counter()
        answer = browser.get(address)
        took.append(1000 * (perf_counter() - begun))
        if answer.status_code != 200:
            raise RuntimeError(f"{address}: {answer.status_code} {answer.text[:2000]}")
    cuts = quantiles(took[1:], n=20)
    return cuts[9], cuts[18], 1000 * together.cpu / TIMES
