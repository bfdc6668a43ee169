"""How long the console's pages take over a hub of a year: `python -m tests.benchmarks.console [--records 1000000] [--open 50000]`.

Every page is asked for as the API server's application answers it, login and templates included, from one thread; the time is the
server's. Prints median and 95th percentile, in milliseconds, and fails when a page takes longer than LIMIT. The first page shows nothing
of the hub: what it takes is the machine's and the login's.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import quote_plus

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.json import Jsonb

from accord.categories import HANDLING
from accord.flows import FLOWS
from accord.hub import Hub
from accord.pipeline.runs import _declared
from sandbox.stack import postgres
from sandbox.stack.processes import Processes

LIMIT = 200  # milliseconds, 95th percentile
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
            sql.SQL(
                "SELECT severity || '.' || id FROM exception WHERE state <> 'closed' ORDER BY -severity, id OFFSET {} LIMIT 1"
            ).format(sql.Literal(20_000))
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


def measured(browser: Any, address: str, times: int) -> tuple[float, float]:
    """Median and 95th percentile of the server's time, in milliseconds. Raises RuntimeError for a page that is not shown."""
    took = []
    for number in range(times + 1):
        begun = time.perf_counter()
        answer = browser.get(address)
        if number:  # the first one imports
            took.append(1000 * (time.perf_counter() - begun))
        if answer.status_code != 200:
            raise RuntimeError(f"{address}: {answer.status_code} {answer.text[:2000]}")
    cuts = quantiles(took, n=20)
    return cuts[9], cuts[18]


def main() -> int:
    """Fill a hub, measure, print."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--records", type=int, default=1_000_000)
    asked.add_argument("--open", type=int, default=50_000)
    asked.add_argument("--times", type=int, default=40, help="how often each page is asked for")
    asked.add_argument("--home", type=Path, help="keep the hub there, or use the one that is: filling takes minutes")
    given = asked.parse_args()
    home = (given.home or Path(tempfile.mkdtemp(prefix="accord-benchmark-"))).resolve()
    home.mkdir(parents=True, exist_ok=True)
    try:
        server = postgres.ensure_running(home, careless=True, free_port=True)
        server.create_database("hub")
        dsn = server.dsn("hub")
        Hub(dsn).upgrade()
        with psycopg.connect(dsn) as session:
            empty = session.execute("SELECT FROM exception LIMIT 1").fetchone() is None
        if empty:
            begun = time.perf_counter()
            fill(dsn, records=given.records, open_ones=given.open)
            print(
                f"filled in {time.perf_counter() - begun:.0f} s: {given.records:,} records, {given.open:,} open exceptions"
            )
        return _measure(dsn, home, given.times)
    finally:
        Processes(home).stop("postgres")
        if not given.home:
            shutil.rmtree(home, ignore_errors=True)


def _measure(dsn: str, home: Path, times: int) -> int:
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
    slow = 0
    print(f"{'page':<86} {'median':>8} {'p95':>8}  ms")
    with made().browser("admin") as browser:  # one thread for all requests
        for address in pages(dsn):
            median, p95 = measured(browser, address, times)
            slow += p95 > LIMIT
            print(
                f"{address or '(overview)':<86} {median:>8.0f} {p95:>8.0f}{'  TOO SLOW' if p95 > LIMIT else ''}",
                flush=True,
            )
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
