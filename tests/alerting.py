"""Service levels over a real hub: what flows, orders and queues look like is written as the pipeline writes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from accord.batch import Staging
from accord.errors import AccordError, Stop
from accord.hub import Hub
from accord.runtime import Accord
from accord.service_levels.alerting import Alerted, alert, check
from accord.service_levels.channels import Channel
from accord.service_levels.evaluation import Evaluation
from accord.service_levels.message import Message
from accord.service_levels.settings import Alerting
from accord.service_levels.targets import LEVELS, ServiceLevel
from accord.settings import Connection, dsn
from tests.world import QuickAccord

ORDERS = "order__salesforce_to_erp"
CUSTOMERS = "customer__salesforce_to_erp"
MINUTE = timedelta(minutes=1)
NOWHERE = 1  # a port at which no hub listens


def mail(name: str = "mail", **extra: Any) -> Connection:
    """The connection of an e-mail channel."""
    return Connection(
        id=f"accord_alert_{name}", kind="smtp", host="nowhere", extra={"to": ["team@example.com"]} | extra
    )


@dataclass(slots=True)
class Levels:
    """Accord with channels that a test looks into: `told` is what was sent, (channel, message). A channel in `broken` takes nothing."""

    hub: Connection
    folder: Path
    declared: dict[str, Connection] = field(default_factory=lambda: {"mail": mail()})
    systems: dict[str, Connection] = field(default_factory=dict)
    told: list[tuple[str, Message]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    kept: list[Hub] = field(default_factory=list)  # the first is the test's own

    def accord(self) -> Accord:
        alerting = Alerting(
            environment="test",
            channels=tuple(self.declared),
            site="http://airflow.example",
            spool=str(self.folder / "spool"),
        )
        root = QuickAccord if self.hub.port != NOWHERE else Accord  # errors of a connection are the hub's to name
        accord = root(
            connection_of=self.connection,
            staging=Staging(f"file://{self.folder}/staging"),
            reports=str(self.folder),
            alerting=alerting,
        )
        if isinstance(accord, QuickAccord):
            accord.kept = self._keep()
        return accord

    def _keep(self) -> Hub:
        self.kept.append(Hub(dsn(self.hub)))
        return self.kept[-1]

    def close(self) -> None:
        for hub in self.kept:
            hub.close()

    def connection(self, name: str) -> Connection:
        known = {"accord_hub": self.hub} | {f"accord_alert_{one}": self.declared[one] for one in self.declared}
        known |= {f"accord_{system}": one for system, one in self.systems.items()}
        if name not in known:
            raise Stop(f"There is no connection {name}.")
        return known[name]

    def send(self, channel: Channel, message: Message) -> None:
        if channel.name in self.broken:
            raise AccordError("it does not answer.")
        self.told.append((channel.name, message))

    def round(self, levels: tuple[ServiceLevel, ...] = LEVELS, **how: Any) -> Alerted:
        """One round, as the DAG makes it."""
        accord = self.accord()
        return alert(accord, check(accord, levels), self.send, **how)

    def check(self, levels: tuple[ServiceLevel, ...] = LEVELS) -> Evaluation:
        return check(self.accord(), levels)

    @property
    def titles(self) -> list[str]:
        """What was told since it was asked for last, as channel: title."""
        found = [f"{name}: {message.title}" for name, message in self.told]
        self.told.clear()
        return found

    # ------------------------------------------------------------------------------------------------------- the hub
    @contextmanager
    def session(self) -> Iterator[psycopg.Connection[Any]]:
        with (self.kept[0] if self.kept else self._keep()).session() as session:
            yield session

    def rows(self, question: str, *arguments: Any) -> list[dict[str, Any]]:
        with self.session() as session:
            return session.execute(question.encode(), arguments).fetchall()

    def do(self, statement: str, *arguments: Any) -> None:
        with self.session() as session:
            session.execute(statement.encode(), arguments)

    def ran(
        self, flow: str = ORDERS, *, ago: timedelta = timedelta(), error: str | None = None, kind: str = "scheduled"
    ) -> None:
        """A run of the flow ended so long ago, having read until then."""
        at = datetime.now(UTC) - ago
        with self.session() as session:
            session.execute("INSERT INTO flow (name, declaration) VALUES (%s, '{}') ON CONFLICT DO NOTHING", (flow,))
            row = session.execute(
                """INSERT INTO run (flow, engine_run, kind, state, error, started, ended, win_to)
                   SELECT %(flow)s, %(flow)s || '/run ' || count(*), %(kind)s, %(state)s, %(error)s, %(at)s, %(at)s, %(at)s FROM run
                   RETURNING id""",
                {"flow": flow, "kind": kind, "state": "failed" if error else "succeeded", "error": error, "at": at},
            ).fetchone()
            if row and not error and kind in ("scheduled", "event"):
                session.execute(
                    "UPDATE flow SET watermark = %s, moved_at = %s, moved_by = %s WHERE name = %s",
                    (at, at, row["id"], flow),
                )

    def waits(self, key: str, *, ago: timedelta = timedelta(), severity: int = 3, **more: Any) -> None:
        """An exception was opened so long ago."""
        usual = {
            "kind": "rejected", "flow": ORDERS, "object": "order", "target": "tryton", "key": key, "severity": severity,
            "category": "credit limit exceeded", "queue": "finance", "message": "…", "currency": None, "at_risk": None,
            "opened": datetime.now(UTC) - ago,
        }  # fmt: skip
        row = usual | more
        names, places = ", ".join(row), ", ".join(f"%({name})s" for name in row)
        with self.session() as session:
            session.execute(f"INSERT INTO exception ({names}) VALUES ({places})".encode(), row)  # noqa: S608

    def order(self, key: str, *, ago: timedelta, step: str = "validated", status: str = "open") -> None:
        """An order was committed so long ago."""
        self.do(
            "INSERT INTO process (name, key, step, status, opened) VALUES ('quote_to_cash', %s, %s, %s, now() - %s)",
            key, step, status, ago,
        )  # fmt: skip

    def later(self, by: timedelta) -> None:
        """Time passes for the ledger: what it waits for comes nearer."""
        with self.session() as session:
            session.execute("UPDATE alert SET escalate_at = escalate_at - %s, opened = opened - %s", (by, by))
            session.execute("UPDATE notice SET not_before = not_before - %s", (by,))
