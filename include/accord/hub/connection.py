"""Sessions with the hub, its schema and its streams."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row

from accord.errors import BadCredentials, Stop, Unavailable
from accord.text_arrays import dump_quickly

Session = psycopg.Connection[DictRow]

MIGRATIONS = Path(__file__).with_name("migrations")

# one row's first column when somebody else makes the same partition at the same time
_PARTITION_LOCK = 0x4ACC0
# the class of the locks that are signs of life
LIFE = 0x4ACC1
ROOM = "64MB"  # for a sort, and twice that for a join, of a statement over a comparison's batch
KEPT = 4  # idle connections of a process: a run uses two at the same time


def only(cursor: psycopg.Cursor[DictRow]) -> DictRow:
    """The one row a statement gives. Raises LookupError when it gave none."""
    row = cursor.fetchone()
    if row is None:
        raise LookupError("the statement gave no row")
    return row


def make_room(session: Session) -> None:
    """Let the statements of this transaction sort and join a batch in memory (`work_mem`), where the server's own setting gives less:
    by default 4 MB, which is fifty thousand keys."""
    session.execute(
        "SELECT set_config('work_mem', %(room)s, true) WHERE pg_size_bytes(current_setting('work_mem')) < pg_size_bytes(%(room)s)",
        {"room": ROOM},
    )


def _heard_of(connection: Session) -> bool:
    """Whether the server has sent something nobody asked for, as it does when it ends a connection. Looking costs a microsecond, asking
    a round trip for every session."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


class Hub:
    """The hub at a libpq connection string. Nothing is opened before it is used; sessions that follow each other share a connection,
    as opening one takes longer than most of them. Threads may share a hub; `close` lets go of what is kept open."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._streams: dict[tuple[str, str], int] = {}
        self._idle: list[Session] = []
        self._process = os.getpid()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections nobody uses. The hub can be used again."""
        for connection in self._kept():
            connection.close()
        self._idle.clear()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A connection in one transaction: committed at the end, rolled back on an error.

        Raises Unavailable when the hub can't be reached, BadCredentials when it refuses the login, Stop when its schema
        is not there.
        """
        with self.statements() as connection, connection.transaction():
            yield connection

    @contextmanager
    def statements(self) -> Iterator[Session]:
        """A connection on which every statement is a transaction of its own, for many small ones. Raises as `session` does."""
        connection = self._taken() or self._opened()
        try:
            yield connection
        except BaseException as error:
            connection.close()  # whatever state it is in
            _explain(error)
            raise
        if len(self._kept()) < KEPT:
            self._idle.append(connection)
        else:
            connection.close()

    def _opened(self) -> Session:
        try:
            connection = psycopg.connect(self._dsn, row_factory=dict_row, connect_timeout=10, autocommit=True)
        except psycopg.OperationalError as error:
            raise _unreachable(error) from None
        dump_quickly(connection)
        return connection

    def _taken(self) -> Session | None:
        """A connection kept from before that the server has not ended; None when there is none."""
        kept = self._kept()
        while kept:
            try:
                connection = kept.pop()
            except IndexError:
                return None  # another thread was faster
            try:
                if _heard_of(connection):
                    connection.execute("")
            except psycopg.OperationalError:
                connection.close()  # the server has ended it since
            else:
                return connection
        return None

    def _kept(self) -> list[Session]:
        """The idle connections of this process: a fork's are its parent's to use and to close."""
        if self._process != os.getpid():
            self._idle, self._process = [], os.getpid()
        return self._idle

    @contextmanager
    def alive(self, number: int) -> Iterator[None]:
        """A sign of life that ends with the block, or with the process: an advisory lock (LIFE, `number`) in a session of its own.

        Raises what `session` raises.
        """
        with self._opened() as connection:
            connection.execute("SELECT pg_advisory_lock(%s, %s)", (LIFE, number))
            yield

    def upgrade(self) -> str:
        """Bring the schema to this version and return the revision."""
        from alembic import command

        config = self._alembic()
        try:
            command.upgrade(config, "head")
        except psycopg.OperationalError as error:
            raise _unreachable(error) from None
        from accord.hub.partitions import make_ahead

        with self.session() as session:
            make_ahead(session)
        return self.revision() or ""

    def revision(self) -> str | None:
        """The schema's revision; None when the hub is empty."""
        with self.session() as session:
            if only(session.execute("SELECT to_regclass('alembic_version') AS t"))["t"] is None:
                return None
            row = session.execute("SELECT version_num FROM alembic_version").fetchone()
            return row["version_num"] if row else None

    def expected_revision(self) -> str:
        """The revision this version of Accord needs."""
        from alembic.script import ScriptDirectory

        return str(ScriptDirectory.from_config(self._alembic()).get_current_head())

    def stream(self, target: str, object_name: str) -> int:
        """The number of the stream of one object into one target; made at first use, with its partition of `link`."""
        known = self._streams.get((target, object_name))
        if known is not None:
            return known
        with self.session() as session:
            session.execute("SELECT pg_advisory_xact_lock(%s)", (_PARTITION_LOCK,))
            session.execute(
                "INSERT INTO stream (target, object) VALUES (%s, %s) ON CONFLICT DO NOTHING", (target, object_name)
            )
            found = session.execute("SELECT id FROM stream WHERE target = %s AND object = %s", (target, object_name))
            number = int(only(found)["id"])
            if only(session.execute("SELECT to_regclass(%s) AS t", (f"link_{number}",)))["t"] is None:
                partition = sql.Identifier(f"link_{number}")
                # half-empty pages keep settling in place (HOT updates)
                session.execute(
                    sql.SQL("CREATE TABLE {} (LIKE link INCLUDING DEFAULTS) WITH (fillfactor = 50)").format(partition)
                )
                # attaching lets runs that are using `link` go on; CREATE … PARTITION OF would wait for all of them
                session.execute(
                    sql.SQL("ALTER TABLE link ATTACH PARTITION {} FOR VALUES IN ({})").format(
                        partition, sql.Literal(number)
                    )
                )
        self._streams[target, object_name] = number
        return number

    def _alembic(self) -> Any:
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["dsn"] = self._dsn
        return config


def _explain(error: BaseException) -> None:
    """Raise what a reader understands in the place of what the server said, where that is known."""
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        raise Stop(
            f"The hub's schema is not what this version needs ({error.diag.message_primary}).",
            cure="Run `accord hub upgrade`.",
        ) from error
    if isinstance(error, psycopg.errors.AdminShutdown | psycopg.errors.CrashShutdown):
        raise Unavailable(
            "The hub ended the session.", cure="Start the hub and run again; nothing was half-written."
        ) from error


def _unreachable(error: psycopg.OperationalError) -> Unavailable | BadCredentials:
    text = str(error)
    if "authentication failed" in text or "no password supplied" in text:
        return BadCredentials("The hub refused the login.", cure="Correct login and password of connection accord_hub.")
    if "does not exist" in text:
        return BadCredentials(
            "The hub's database or role does not exist.", cure="Create it, or correct connection accord_hub."
        )
    return Unavailable(
        "The hub can't be reached.", cure="Start PostgreSQL, or correct host and port of connection accord_hub."
    )
