"""Where the work is measured: an org, a PostgreSQL with hub and legacy ERP, all of its own and gone afterwards."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

from accord.hub import Hub
from sandbox.erp.legacy.install import install
from sandbox.stack import connections, postgres
from sandbox.stack.postgres import Server
from sandbox.stack.processes import Processes
from tests.benchmarks.accounts import csv_of
from tests.benchmarks.report import SERVERS
from tests.salesforce_org import Org, RestSession, start_org
from tests.stack import in_use

HUB, LEGACY, FLOOR = "accord_hub", "legacy", "floor"
PATIENCE = 3600.0  # seconds an ingest job of the set-up may take


@dataclass(slots=True, kw_only=True)
class Place:
    """The systems of one part of the benchmarks. `accounts` is how many the org holds."""

    home: Path
    server: Server
    org: Org
    accounts: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """The connections, as a process is given them."""
        bodies: dict[str, dict[str, Any]] = connections.of(self.server, None, self.org.http)
        bodies["accord_salesforce"]["extra"] |= {"bulk_poll_s": 0.2}  # by default 5 s: a wait is not what is measured
        return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(body) for name, body in bodies.items()}

    def people(self) -> RestSession:
        """An administrator's session."""
        return self.org.session(admin=True)

    def fill(self, count: int) -> None:
        """Bring the org to `count` accounts; it has none yet."""
        people = self.people()
        for rows, body in csv_of(count):
            ingest(people, "Account", "insert", body, rows)
            self.accounts += rows

    def analyze(self) -> None:
        """What autovacuum does within a minute of a load: benchmarks do not wait for it."""
        for name in (HUB, LEGACY):
            with psycopg.connect(self.server.dsn(name), autocommit=True) as session:
                session.execute("ANALYZE")

    def fresh(self, database: str) -> str:
        """An empty hub, legacy ERP or other database instead of what was there; its DSN."""
        self.server.create_database(database, drop=True)
        dsn = self.server.dsn(database)
        if database == HUB:
            Hub(dsn).upgrade()
        elif database == LEGACY:
            install(dsn)
        return dsn


def ingest(people: RestSession, sobject: str, operation: str, body: bytes, rows: int, **more: Any) -> Mapping[str, Any]:
    """Run a Bulk ingest job to its end. Raises RuntimeError when a row of it failed."""
    asked = {"object": sobject, "operation": operation, "lineEnding": "LF", **more}
    made = people.post("/jobs/ingest", json=asked)
    made.raise_for_status()
    path = f"/jobs/ingest/{made.json()['id']}"
    people.put(f"{path}/batches", data=body, headers={"Content-Type": "text/csv"}, timeout=600).raise_for_status()
    people.patch(path, json={"state": "UploadComplete"}).raise_for_status()
    info = people.ended(path, PATIENCE)
    if (
        info["state"] != "JobComplete"
        or int(info["numberRecordsFailed"])
        or int(info["numberRecordsProcessed"]) != rows
    ):
        raise RuntimeError(f"the set-up's ingest job ended badly: {info}")
    return info


def pid_of(home: Path) -> int:
    """The process of the home's PostgreSQL."""
    return next(one.pid for one in Processes(home).status() if one.name == "postgres")


@contextmanager
def own_home() -> Iterator[Path]:
    """A folder for services of a measurement's own; they are ended and it is removed, however that ends."""
    home = Path(tempfile.mkdtemp(prefix="accord-benchmark-")).resolve()
    try:
        with in_use(home):
            yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def place() -> Iterator[Place]:
    """Everything started; ended and removed in the end."""
    with own_home() as home:
        server = postgres.ensure_running(home, careless=True, free_port=True)
        org = start_org(home / "org", api_limit=10_000_000)
        try:
            SERVERS.append(psutil.Process(pid_of(home)))
            made = Place(home=home, server=server, org=org)
            for name in (HUB, LEGACY):
                made.fresh(name)
            yield made
        finally:
            SERVERS.clear()
            org.stop()
