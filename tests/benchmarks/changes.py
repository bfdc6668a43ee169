"""What it costs to keep every change field by field: `python -m tests.benchmarks.changes [--records 100000]`.

Customers are loaded into the legacy ERP's real interface tables, all new and then all changed in one field, with their images and
changes and without. The time is the processors', of Accord and of PostgreSQL together: what passes on a clock depends on who else is
at work. Told are the sending alone (by COPY, 50,000 records at once: no target takes less) and the run from the transform on; what
reading and the gates take depends on the source and the rules, and is left out. Fails when the history takes more than SHARE of
that run without it.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil
import psycopg
import pyarrow as pa

from accord.batch import Staging
from accord.flows import flow
from accord.hub import Hub, dispatches
from accord.objects import CUSTOMER
from accord.objects.definition import Owner
from accord.pipeline import load as loading
from accord.pipeline.compare import compare
from accord.pipeline.extract import extract
from accord.pipeline.runs import RunKind, open_run
from accord.pipeline.transform import transform
from accord.runtime import Accord
from accord.settings import Connection
from accord.systems import open_system
from sandbox.erp.legacy.install import install
from sandbox.stack import postgres
from sandbox.stack.postgres import Server
from tests.benchmarks.place import own_home
from tests.fakes import FakeSource

SHARE = 0.15
BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
TO_LEGACY = replace(flow("customer__salesforce_to_erp"), name="customer__to_legacy", targets=("legacy",), status=None)


@contextmanager
def without_history() -> Iterator[None]:
    """Nothing is remembered of what a target is told."""

    def as_it_is(_definition: Any, _target: Any, rows: pa.Table, _before: Any = None) -> pa.Table:
        return rows

    with (
        patch.object(loading, "pictured", as_it_is),
        patch.object(loading, "without_image", lambda *_, **__: []),
        patch.object(dispatches, "record_changes", lambda *_: None),
    ):
        yield


def processors(server: Server) -> float:
    """Seconds of processor time that this process and the whole of PostgreSQL have taken."""
    with psycopg.connect(server.dsn("postgres")) as session:
        (backend,) = session.execute("SELECT pg_backend_pid()").fetchone() or (0,)
        main = psutil.Process(backend).parent()
        assert main
        mine, times = time.process_time(), [main.cpu_times(), *(child.cpu_times() for child in main.children())]
    ended = times[0].children_user + times[0].children_system
    return mine + ended + sum(one.user + one.system for one in times)


def customers(source: FakeSource, number: int, *, at: datetime, phone: str) -> None:
    """Customers with two addresses and a contact each; all of them have another `phone` from then on."""
    for n in range(number):
        address = {
            "street": f"Street {n}",
            "city": "Springfield",
            "region": None,
            "postal_code": f"{n:05d}",
            "country": "US",
        }
        contact = {"id": f"salesforce:c{n}", "first_name": "Jo", "last_name": f"Last {n}", "email": f"jo{n}@there.example",
                   "phone": phone, "title": "Buyer"}  # fmt: skip
        values = {
            "name": f"Customer {n}", "country": "US", "currency": "USD", "legal_entities": ["US01"], "phone": phone,
            "website": f"https://{n}.example", "addresses": [address | {"role": role} for role in ("bill_to", "ship_to")],
            "contacts": [contact],
        }  # fmt: skip
        source.put(CUSTOMER, f"{n:07d}", at=at, **values)


def loads(server: Server, home: Path, records: int) -> list[tuple[float, float]]:
    """Processor seconds (of sending, of the run from the transform on) for so many new customers, and the same customers changed."""
    for database in ("hub", "legacy"):
        server.create_database(database, drop=True)
    Hub(server.dsn("hub")).upgrade()
    install(server.dsn("legacy"))
    body = {"host": server.host, "port": server.port, "login": server.user, "password": server.password}
    where = {name: Connection(id=f"accord_{name}", kind="postgres", schema=name, **body) for name in ("hub", "legacy")}
    source = FakeSource(name="salesforce", side=Owner.SALESFORCE)
    accord = Accord(
        connection_of=lambda name: where.get(name.removeprefix("accord_"), where["hub"]),
        staging=Staging(f"file://{home}/staging"),
        reports=f"{home}/reports",
        open_system=lambda name, connection: source if name == "salesforce" else open_system(name, connection),  # type: ignore[arg-type,return-value]
    )
    took = []
    with closing(accord):
        for number, phone in enumerate(("+1 212 1", "+1 212 2")):
            at = BEGIN + number * timedelta(hours=1)
            customers(source, records, at=at, phone=phone)
            source.now = at + timedelta(minutes=1)
            run = open_run(
                accord, TO_LEGACY, engine_run=f"run {number}", kind=RunKind.SCHEDULED, interval=(at, source.now)
            )
            read = extract(accord, run)
            begun = processors(server)
            chunks = compare(accord, run, transform(accord, run, read))
            compared = processors(server)
            fared = [loading.load(accord, chunk) for chunk in chunks]
            ended = processors(server)
            took.append((ended - compared, ended - begun))
            if sum(one.get("applied", 0) for one in fared) != records:
                raise RuntimeError(f"not everything was loaded: {fared}")
    return took


def main() -> int:
    """Measure, print."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("--records", type=int, default=100_000)
    records = asked.parse_args().records
    logging.disable()
    with own_home() as home:
        server = postgres.ensure_running(home, careless=True, free_port=True)
        with without_history():
            without = loads(server, home, records)
        with_it = loads(server, home, records)
    print(f"{f'{records:,} customers, processor seconds':<40} without     with   share")
    too_much = False
    for what, one, other in zip(("created", "one field changed"), without, with_it, strict=True):
        for step, (before, after) in zip(
            ("sent", "transformed, compared, sent"), zip(one, other, strict=True), strict=True
        ):
            print(f"{f'{what}: {step}':<40} {before:>7.1f} {after:>8.1f} {after / before - 1:>7.1%}")
        too_much |= other[1] / one[1] - 1 > SHARE
    if too_much:
        print(f"TOO MUCH: more than {SHARE:.0%} of the run")
    return int(too_much)


if __name__ == "__main__":
    sys.exit(main())
