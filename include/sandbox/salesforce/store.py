# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters
"""The record store: one SQLite file, a table per object, any number of readers and one writer at a time."""

import fcntl
import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from sandbox.salesforce import ids
from sandbox.salesforce.schema.model import NUMBER_TYPES, TEXT_TYPES, Field, FieldType, Object, Schema

_OWN_TABLES = """
CREATE TABLE IF NOT EXISTS _sequence (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _token (token TEXT PRIMARY KEY, client TEXT NOT NULL, expires REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _refresh (token TEXT PRIMARY KEY, client TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _deletion (id TEXT PRIMARY KEY, root TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _cleared (root TEXT, object TEXT, field TEXT, id TEXT, parent TEXT);
CREATE TABLE IF NOT EXISTS _job (id TEXT PRIMARY KEY, kind TEXT NOT NULL, state TEXT NOT NULL, detail TEXT NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _job_batch (job TEXT, first INTEGER, results TEXT NOT NULL, PRIMARY KEY (job, first))
    WITHOUT ROWID;
"""


class StoreInUse(RuntimeError):
    """Another server has the data file open."""


def column_type(field: Field) -> str:
    """Return the SQLite type a field is stored in."""
    if field.type in (FieldType.BOOLEAN, FieldType.INT):
        return "INTEGER"
    return "REAL" if field.type in NUMBER_TYPES else "TEXT"


def _definition(field: Field) -> str:
    extra = ""
    if field.type is FieldType.ID:
        extra = " PRIMARY KEY"
    elif field.type is FieldType.BOOLEAN:
        extra = " NOT NULL DEFAULT 0"
    elif field.summary and field.summary.operation in ("count", "sum") and not field.createable:
        extra = " DEFAULT 0"
    return f'"{field.name}" {column_type(field)}{extra}'


def collation(field: Field) -> str:
    """Return the collation a field is compared with: text ignores case unless declared otherwise."""
    return "NOCASE" if field.type in TEXT_TYPES and not field.case_sensitive else "BINARY"


def fold(text: str | None) -> str | None:
    """Return the text as it compares without regard to case, in any script."""
    return None if text is None else text.casefold()


class Store:
    """The data of one org.

    Every thread has a connection of its own. Writes happen inside `write()`, which lets one thread in at a time and
    may be nested (an inner block is a savepoint of the outer one).
    """

    def __init__(self, path: Path, schema: Schema) -> None:
        self.path = path
        self.schema = schema
        self._local = threading.local()
        self._writer = threading.RLock()
        self._lock_file: IO[str] | None = None
        self._connections: list[sqlite3.Connection] = []

    def open(self) -> bool:
        """Open the file and bring its tables up to the schema. Return whether it is new.

        Raises:
            StoreInUse: Another server works on the same file.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = not self.path.exists()
        self._lock_file = open(self.path.with_suffix(".lock"), "w")  # noqa: SIM115 - held while the store is open
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreInUse(f"{self.path} is in use by another local org: stop it or give another --data") from error
        self.connection.executescript(_OWN_TABLES)
        wanted = self._fingerprint()
        if self.setting("schema") != wanted:
            with self.write() as db:
                for obj in self.schema.objects.values():
                    self._migrate(db, obj)
                self.set_setting("schema", wanted)
        return new

    def _fingerprint(self) -> str:
        fields = [
            (obj.name, _definition(field), field.external_id, field.unique, collation(field))
            for obj in self.schema.objects.values()
            for field in obj.fields.values()
        ]
        return hashlib.sha256(repr(fields).encode()).hexdigest()

    def close(self) -> None:
        """Close every connection and let go of the file."""
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        self._local = threading.local()
        if self._lock_file:
            self._lock_file.close()

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=60)
            db.execute("PRAGMA journal_mode = WAL")
            # A killed process loses nothing; only a crash of the machine may cost the last transactions.
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA temp_store = MEMORY")
            db.execute("PRAGMA cache_size = -16384")
            db.execute("PRAGMA mmap_size = 1073741824")
            db.create_function("fold", 1, fold, deterministic=True)
            self._local.db = db
            self._connections.append(db)
        return db

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Hold the write transaction: committed at the end, rolled back on an exception."""
        with self._writer:
            db = self.connection
            depth = getattr(self._local, "depth", 0)
            db.execute(f"SAVEPOINT s{depth}" if depth else "BEGIN IMMEDIATE")
            self._local.depth = depth + 1
            try:
                yield db
            except BaseException:
                db.execute(f"ROLLBACK TO s{depth}" if depth else "ROLLBACK")
                raise
            else:
                db.execute(f"RELEASE s{depth}" if depth else "COMMIT")
            finally:
                self._local.depth = depth

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Read one unchanging state of the org, inside or outside a write."""
        db = self.connection
        if db.in_transaction:
            yield db
            return
        db.execute("BEGIN")
        try:
            yield db
        finally:
            db.execute("COMMIT")

    def _migrate(self, db: sqlite3.Connection, obj: Object) -> None:
        have = {row[1].lower() for row in db.execute(f'PRAGMA table_info("{obj.name}")')}
        fields = [f for f in obj.fields.values() if f.stored]
        if not have:
            columns = ", ".join(_definition(f) for f in fields)
            db.execute(f'CREATE TABLE "{obj.name}" ({columns}) WITHOUT ROWID')
        for f in fields if have else []:
            if f.name.lower() not in have:
                db.execute(f'ALTER TABLE "{obj.name}" ADD COLUMN {_definition(f)}')
        for f in fields:
            name = f"{obj.name}_{f.name}"
            if f.external_id or f.unique:
                db.execute(
                    f'CREATE INDEX IF NOT EXISTS "{name}" ON "{obj.name}" '
                    f'("{f.name}" COLLATE {collation(f)}) WHERE "{f.name}" IS NOT NULL'
                )
            elif f.type is FieldType.REFERENCE and f.reference_to != ("User",):
                # With what roll-ups read: they are recomputed from the index alone.
                covered = quoted([f.name, *self.schema.summed(obj, f)])
                db.execute(
                    f'CREATE INDEX IF NOT EXISTS "{name}" ON "{obj.name}" ({covered}) WHERE "{f.name}" IS NOT NULL'
                )
            elif f.name == "SystemModstamp":
                db.execute(f'CREATE INDEX IF NOT EXISTS "{name}" ON "{obj.name}" ("{f.name}")')

    def take_numbers(self, db: sqlite3.Connection, name: str, count: int) -> range:
        """Reserve the next `count` numbers of a sequence (record ids of a prefix, an auto-number field)."""
        row = db.execute(
            "INSERT INTO _sequence VALUES (?, 1 + ?) ON CONFLICT (name) DO UPDATE SET next = next + ? RETURNING next",
            (name, count, count),
        ).fetchone()
        return range(row[0] - count, row[0])

    def new_ids(self, db: sqlite3.Connection, prefix: str, count: int) -> list[str]:
        """Reserve record ids."""
        return [ids.make(prefix, number) for number in self.take_numbers(db, prefix, count)]

    def setting(self, name: str) -> Any:
        """Return a stored setting of the org, or None."""
        row = self.connection.execute("SELECT value FROM _setting WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def set_setting(self, name: str, value: Any) -> None:
        """Store a setting of the org."""
        with self.write() as db:
            db.execute("INSERT OR REPLACE INTO _setting VALUES (?, ?)", (name, json.dumps(value)))

    def rows(
        self, db: sqlite3.Connection, obj: Object, record_ids: Sequence[str], columns: Sequence[str] = ()
    ) -> dict[str, dict[str, Any]]:
        """Return the stored records of these ids, deleted ones included, by id; only these columns, if any are named."""
        columns = columns or obj.columns
        cursor = db.execute(
            f'SELECT Id, {quoted(columns)} FROM "{obj.name}" WHERE Id IN (SELECT value FROM json_each(?))',
            (json.dumps(list(record_ids)),),
        )
        return {row[0]: dict(zip(columns, row[1:], strict=True)) for row in cursor}


def quoted(names: Sequence[str]) -> str:
    """Return names as an SQL list of identifiers; they come from the schema, never from a request."""
    return ", ".join(f'"{name}"' for name in names)
