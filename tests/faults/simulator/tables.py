"""The interface tables in the place of the legacy ERP in memory: the real adapter over the ERP's real tables and posting, whose own
triggers note what it accepted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pyarrow as pa
from psycopg.rows import dict_row

from accord.errors import InDoubt
from accord.objects.definition import BusinessObject
from accord.ports import Sending
from accord.settings import Connection
from accord.systems.interface_tables.session import Session
from tests.fakes import Write
from tests.faults.simulator.real import Held, RealTarget

# A request that was accepted, as it was made; a customer that came into being; one that was deactivated.
_WATCH = """
CREATE SCHEMA watch;
CREATE TABLE watch.effect (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text, kind text, fields jsonb);
CREATE FUNCTION watch.take_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO watch.effect (key, kind, fields) VALUES (NEW.external_ref, TG_ARGV[0], to_jsonb(NEW)
        - '{batch,version,read_at,status,code,reason,answered_number,posted_at,customer_number,parent_number}'::text[]);
    RETURN NULL;
END $$;
CREATE TRIGGER made AFTER INSERT ON erp.customer FOR EACH ROW EXECUTE FUNCTION watch.take_note('made');
CREATE TRIGGER leaving AFTER UPDATE ON erp.customer FOR EACH ROW
    WHEN (OLD.active AND NOT NEW.active) EXECUTE FUNCTION watch.take_note('left');
CREATE TRIGGER accepted AFTER UPDATE ON inbound.customer FOR EACH ROW
    WHEN (NEW.status = 'accepted' AND NEW.action = 'upsert') EXECUTE FUNCTION watch.take_note('accepted');
"""
_EMPTY = "TRUNCATE erp.customer, inbound.customer, watch.effect RESTART IDENTITY CASCADE"
_HELD = """
SELECT c.customer_number, c.external_ref AS key, NOT c.active AS gone, c.name, c.phone, c.website, p.external_ref AS parent
FROM erp.customer c LEFT JOIN erp.customer p ON p.customer_number = c.parent_number
"""


def watch(dsn: str) -> None:
    """Have the ERP note what it does from now on."""
    with psycopg.connect(dsn) as session:
        session.execute(_WATCH)


@contextmanager
def comparing_nothing(dsn: str) -> Iterator[None]:
    """The ERP takes any version of a customer, as many a real one does: it is Accord alone that keeps the newer one."""
    with psycopg.connect(dsn, autocommit=True) as session:
        (posting,) = session.execute("SELECT pg_get_functiondef('inbound.post_customers'::regproc)").fetchone() or ("",)
        whatever, n = re.subn(r"UPDATE posting p SET code = 'STALE'.*?;", "", posting, flags=re.DOTALL)
        assert n == 1, "the ERP compares versions elsewhere now"
        session.execute(whatever)
        try:
            yield
        finally:
            session.execute(posting)


class Books:
    """What the ERP itself says, in a session of its own."""

    def __init__(self, dsn: str) -> None:
        self._session = psycopg.connect(dsn, row_factory=dict_row, autocommit=True)
        self._seen = 0

    def empty(self) -> None:
        """The ERP has no customers."""
        self._session.execute(_EMPTY)
        self._seen = 0

    def held(self) -> Held:
        return {"customer": {row["customer_number"]: row for row in self._session.execute(_HELD)}}

    def noted(self, keys: Sequence[str], dispatch: int) -> Iterator[Write]:
        rows = self._session.execute("SELECT * FROM watch.effect WHERE id > %s ORDER BY id", [self._seen]).fetchall()
        made: set[str] = set()
        for row in rows:
            self._seen = row["id"]
            if row["kind"] == "made":
                made.add(row["key"])
                continue
            fields: dict[str, Any] = {} if row["kind"] == "left" else row["fields"]
            yield Write(
                object="customer",
                key=row["key"],
                native="",
                created=row["key"] in made,
                fields=fields | ({"parent": fields["parent_ref"]} if fields else {}),
                dispatch=dispatch,
            )
            made.discard(row["key"])

    def close(self) -> None:
        self._session.close()


class BreakingSession(Session):
    """A connection to the interface tables that breaks around the ERP's posting when it is told to."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.breaks = ""  # "drop before commit": the server ends it; "drop after commit": the answer is not heard
        self.broke = False

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Cursor[Any]]:
        with super().transaction() as cursor:
            yield cursor
            posting, breaks = cursor.statusmessage == "CALL", self.breaks
            self.broke |= posting and bool(breaks)
            if posting and breaks == "drop before commit":
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        if posting and breaks == "drop after commit":
            self.close()
            raise InDoubt("The connection to the ERP's database broke.", cure="What was sent is read back.")


@dataclass(slots=True, kw_only=True)
class TablesTarget(RealTarget):
    """The interface tables. Their connection really breaks; what else happens is made at the adapter's side."""

    session: BreakingSession

    def _met(self, answer: str, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        if not answer.startswith("drop") or self.locks.intersection(changes["key"].to_pylist()):
            return RealTarget._met(self, answer, definition, changes, sending)
        self.session.breaks, self.session.broke = answer, False
        try:
            return self._send(definition, changes, sending)
        finally:
            self.session.breaks = ""
            self.stage.happened[answer] += self.session.broke
