"""An outbox over a real hub and real receivers: things happen by flows, or are written into the history as loads write them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from accord.batch import Staging
from accord.errors import Stop
from accord.hub import Hub
from accord.outbox.publish import Published, publish
from accord.runtime import Accord
from accord.settings import Connection, dsn

HAPPENED = """
INSERT INTO delivery (dispatch, stream, key, version, outcome, native, gone)
SELECT d.id, d.stream, %s, now(), %s, %s, false FROM dispatch d ORDER BY d.id LIMIT 1
"""


@dataclass(slots=True)
class Outbox:
    """Accord with the subscribers in `declared`: name → connection."""

    hub: Connection
    folder: Path
    declared: dict[str, Connection] = field(default_factory=dict)

    def connection(self, name: str) -> Connection:
        known = {"accord_hub": self.hub} | {f"accord_subscriber_{one}": self.declared[one] for one in self.declared}
        if name not in known:
            raise Stop(f"There is no connection {name}.")
        return known[name]

    def accord(self) -> Accord:
        return Accord(
            connection_of=self.connection,
            staging=Staging(f"file://{self.folder}/staging"),
            reports=str(self.folder),
            subscribers=list(self.declared),
        )

    def publish(self, **how: Any) -> dict[str, Published]:
        """One round, as the DAG does it."""
        return {one.subscriber: one for one in publish(self.accord(), **how)}

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection[Any]]:
        with Hub(dsn(self.hub)).session() as session:
            yield session

    def rows(self, question: str, *arguments: Any) -> list[dict[str, Any]]:
        with self.session() as session:
            return session.execute(question.encode(), arguments).fetchall()

    def stream(self) -> None:
        """A load of invoices into Salesforce has begun: `happens` adds to its history."""
        stream = Hub(dsn(self.hub)).stream("salesforce", "invoice")
        with self.session() as session:
            session.execute("INSERT INTO flow (name, declaration) VALUES ('invoice__tryton_to_salesforce', '{}')")
            session.execute(
                "INSERT INTO run (flow, engine_run, kind) VALUES ('invoice__tryton_to_salesforce', 'r', 'scheduled')"
            )
            session.execute(
                """INSERT INTO dispatch (run, attempt, stream, chunk, part, file, send_before)
                   SELECT id, 1, %s, 0, 0, '{}', now() FROM run""",
                (stream,),
            )

    def happens(self, *keys: str, outcome: str = "applied") -> None:
        """These invoices were sent, in one transaction."""
        with self.session() as session:
            write(session, *keys, outcome=outcome)

    def cursor(self, name: str = "one") -> Mapping[str, Any]:
        return self.rows("SELECT * FROM subscription WHERE name = %s", name)[0]

    def now(self) -> None:
        """The waits of back-off, and the leases of publishers that died, are over."""
        with self.session() as session:
            session.execute("UPDATE subscription SET not_before = NULL, leased = NULL")


def write(session: psycopg.Connection[Any], *keys: str, outcome: str = "applied") -> None:
    for key in keys:
        session.execute(HAPPENED, (key, outcome, f"native of {key}"))
