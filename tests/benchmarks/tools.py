"""The tools a user would take instead, on the same accounts, without any gate, comparison or history: dlt with merge, from
dictionaries and from Arrow, Airflow's own hooks, and a Singer pair. Against Accord's first run without the ERP's posting."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg

from sandbox.stack.home import CHECKOUT
from tests.benchmarks import floor, singer, steps
from tests.benchmarks.bulk import CUSTOMERS, SIDE_BY_SIDE, told
from tests.benchmarks.place import FLOOR, Place, place
from tests.benchmarks.report import Figure, Report, Watch
from tests.outside.tool import install

PART = "tools"
PROGRAMS = Path(__file__).with_name("programs")
LEAST = {"dlt from dictionaries": 8.0, "the Singer pair": 10.0}  # times the tool's rate


def measure(report: Report, records: int) -> None:
    """Measure each of them from the org to PostgreSQL."""
    with place() as where:
        where.fill(records)
        watch = Watch()
        pages = floor.download(where)
        downloading = report.add(PART, "pages with curl", watch.seconds, records, cpu=watch.cpu)
        tools = {f"dlt from {how}": (downloading, _dlt(where, report, how, pages)) for how in ("dictionaries", "arrow")}
        tools["Airflow's hooks"] = (_hooks(where, report),)
        tools["the Singer pair"] = (singer.measure(where, report, PART),)
        steps.start(where.environment, where.home)
        took = told(
            report, PART, "Accord, first run", steps.run(CUSTOMERS, full=True, side_by_side=SIDE_BY_SIDE), records
        )
        for name, parts in tools.items():
            seconds, cpu = sum(one.seconds for one in parts), sum(one.cpu or 0.0 for one in parts)
            ratio = seconds / (took.seconds - took.posting)
            if name in LEAST:
                report.least(PART, f"rate against {name}, without posting", ratio, LEAST[name])
            else:
                report.ratio(PART, f"rate against {name}, without posting", ratio)
            report.ratio(PART, "the same, posting and all, by processor time", cpu / took.cpu)


def _dlt(where: Place, report: Report, how: str, pages: list[Path]) -> Figure:
    python = install("dlt")
    environment = _plain() | {"DSN": where.fresh(FLOOR), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    command = [python, PROGRAMS / "with_dlt.py", how, where.home / "dlt", *pages]
    return _run(report, f"dlt from {how}, pages there already", [str(word) for word in command], environment, where)


def _hooks(where: Place, report: Report) -> Figure:
    server = where.server
    with psycopg.connect(where.fresh(FLOOR)) as session:
        session.execute(floor.TABLE)
    database = {
        "conn_type": "postgres", "host": server.host, "port": server.port, "login": server.user,
        "password": server.password, "schema": FLOOR,
    }  # fmt: skip
    org = {"conn_type": "salesforce", "extra": {"version": "62.0", "instance_url": where.org.https}}
    environment = _plain() | {
        "AIRFLOW_HOME": str(where.home / "airflow"), "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW_CONN_FLOOR": json.dumps(database), "AIRFLOW_CONN_ORG": json.dumps(org),
        "SESSION_ID": where.org.token(), "REQUESTS_CA_BUNDLE": str(where.org.certificate),
    }  # fmt: skip
    command = [sys.executable, str(PROGRAMS / "with_hooks.py"), *floor.FIELDS]
    return _run(report, "SalesforceHook.query_all, PostgresHook.insert_rows", command, environment, where)


def _plain() -> dict[str, str]:
    """What a program finds in any environment, and no proxy for the loopback address."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "NO_PROXY": "*", "no_proxy": "*"}


def _run(report: Report, what: str, command: list[str], environment: dict[str, str], where: Place) -> Figure:
    watch = Watch()
    done = subprocess.run(command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{what} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
    seconds = float(done.stdout.strip().splitlines()[-1])
    return report.add(PART, what, seconds, where.accounts, cpu=watch.cpu)
