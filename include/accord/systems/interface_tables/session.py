"""The connection to the interface tables: opened at first use, errors named by what to do, tables in and out by COPY."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import errors, sql
from psycopg.types.string import TextLoader
from pyarrow import csv

from accord.errors import BadCredentials, InDoubt, Retry, SchemaDrift, Stop, Unavailable
from accord.settings import Connection, dsn
from accord.systems.collapsing import flat
from accord.text_arrays import dump_quickly

Query = sql.SQL | sql.Composed

_ROWS = 20_000  # rows of one table that is read
_ALIVE: dict[str, Any] = {"keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 3, "connect_timeout": 10}


class Locked(Retry):
    """Another transaction held what this one needed; it was rolled back whole."""


class Session:
    """One connection, used by one thread at a time.

    `extra` of the connection: `request_timeout_s` (120): the server gives up a statement after it;
    `lock_timeout_s` (30): and a wait for a lock after this.
    """

    def __init__(self, connection: Connection) -> None:
        self._where = connection
        self._open: psycopg.Connection[Any] | None = None
        self.timeout = timedelta(seconds=float(connection.extra.get("request_timeout_s", 120)))
        self._lock_timeout = timedelta(seconds=float(connection.extra.get("lock_timeout_s", 30)))

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Cursor[Any]]:
        """A cursor in a transaction of its own.

        Raises Unavailable (not connected: nothing was sent), Locked, InDoubt (the connection broke inside), SchemaDrift,
        Stop.
        """
        connection = self._connected()
        try:
            with connection.transaction(), connection.cursor() as cursor:
                yield cursor
        except (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure, errors.QueryCanceled):
            raise Locked("The ERP's tables were locked for too long.", cure="It is tried again.") from None
        except (
            errors.UndefinedTable,
            errors.UndefinedColumn,
            errors.UndefinedFunction,
            errors.InvalidSchemaName,
        ) as lacking:
            raise SchemaDrift(
                f"The interface tables lack something: {_said(lacking)}.",
                cure="Have the ERP's owners install what docs/interface-tables.md lists; `accord doctor` names it.",
            ) from None
        except errors.InsufficientPrivilege as refused:
            raise SchemaDrift(
                f"The integration user may not do it: {_said(refused)}.",
                cure="Grant it what docs/interface-tables.md lists.",
            ) from None
        except (psycopg.OperationalError, psycopg.InterfaceError):
            self.close()
            raise InDoubt("The connection to the ERP's database broke.", cure="What was sent is read back.") from None
        except psycopg.Error as error:
            raise Stop(
                f"The ERP's database refused the call ({error.sqlstate}).", cure="Look into the ERP's database log."
            ) from None

    def copy_in(self, cursor: psycopg.Cursor[Any], relation: str, table: pa.Table) -> None:
        """Append `table` to `relation`: columns of the same names, null and empty text kept apart."""
        if not table.num_rows:
            return
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
            sql.Identifier(*relation.split(".")), sql.SQL(", ").join(map(sql.Identifier, table.column_names))
        )
        options = csv.WriteOptions(include_header=False, quoting_style="all_valid")
        with cursor.copy(statement) as copy:
            for batch in table.to_batches(max_chunksize=_ROWS):
                buffer = BytesIO()
                csv.write_csv(batch, buffer, options)
                copy.write(buffer.getvalue())

    def stream(
        self, cursor: psycopg.Cursor[Any], query: Query, parameters: Sequence[Any], columns: Sequence[str]
    ) -> Iterator[pa.Table]:
        """The rows of `query` as tables of text columns `columns`, in its order, streaming: every value as PostgreSQL writes it."""
        schema = pa.schema([(name, pa.string()) for name in columns])
        # not COPY, whose protocol gives a message, and a wait, per row: several times the cost. All rows are read: nothing is
        # gained by a plan that is quick with the first ones
        cursor.execute("SET LOCAL cursor_tuple_fraction = 1")
        with cursor.connection.cursor("reading") as reading:
            _as_text(reading)
            reading.execute(query, parameters)
            while rows := reading.fetchmany(_ROWS):
                values = (pa.array(column, pa.string()) for column in zip(*rows, strict=True))
                yield pa.table(list(values), schema=schema)

    def read(
        self, cursor: psycopg.Cursor[Any], query: Query, parameters: Sequence[Any], columns: Sequence[str]
    ) -> pa.Table:
        """The same as one table."""
        empty = pa.schema([(name, pa.string()) for name in columns]).empty_table()
        return pa.concat_tables([empty, *self.stream(cursor, query, parameters, columns)])

    def close(self) -> None:
        """Let go of the connection; the next use opens another."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _connected(self) -> psycopg.Connection[Any]:
        if self._open is not None and not self._open.closed:
            return self._open
        try:
            self._open = psycopg.connect(dsn(self._where), autocommit=True, **_ALIVE)
        except psycopg.OperationalError as error:
            raise _refused(self._where, str(error)) from None
        dump_quickly(self._open)
        settings = {"statement_timeout": self.timeout, "lock_timeout": self._lock_timeout, "TimeZone": "UTC"}
        for name, value in settings.items():
            text = f"{value.total_seconds() * 1000:.0f}" if isinstance(value, timedelta) else value
            self._open.execute("SELECT set_config(%s, %s, false)", [name, text])
        return self._open


def without_nul(table: pa.Table) -> pa.Array:
    """True for every row no text of which holds U+0000, which PostgreSQL can't store."""
    good = pa.repeat(True, table.num_rows)
    for name in table.column_names:
        column = flat(table[name])
        if pa.types.is_string(column.type):
            good = pc.and_(good, pc.invert(pc.fill_null(pc.match_substring(column, "\x00"), False)))
    return good


def _as_text(cursor: psycopg.ServerCursor[Any]) -> None:
    """Have `cursor` give every value of whatever type as text."""
    for kind in psycopg.adapters.types:
        cursor.adapters.register_loader(kind.oid, TextLoader)
        if kind.array_oid:
            cursor.adapters.register_loader(kind.array_oid, TextLoader)


def _said(error: psycopg.Error) -> str:
    return (error.diag.message_primary or type(error).__name__).rstrip(".")


def _refused(where: Connection, text: str) -> Unavailable | BadCredentials | Stop:
    """What a failed connection means. libpq gives no code for it, only English text."""
    if any(
        sign in text for sign in ("password authentication failed", "no password supplied", "no pg_hba.conf entry")
    ) or ("role" in text and "does not exist" in text):
        return BadCredentials(
            f"The ERP's database refused the login of connection {where.id}.", cure="Correct its login and password."
        )
    if "does not exist" in text:
        return Stop(
            f"There is no database of the name connection {where.id} gives.", cure="Correct its schema (database name)."
        )
    return Unavailable(
        f"The ERP's database at {where.host}:{where.port} does not answer.", cure="Start it, or correct the connection."
    )
