"""PostgreSQL for the sandbox: one server per home, on 127.0.0.1, with a generated password.

Settings trade crash safety for speed, as the data can be made again: the demo's home may lose the last moments in a
power cut (``synchronous_commit=off``), a test home everything (``fsync=off`` too).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from sandbox.stack.binaries import Binaries, find
from sandbox.stack.errors import ServiceFailed, ToolMissing
from sandbox.stack.home import folder, locked, secret, write_whole
from sandbox.stack.ports import LOOPBACK, Ports
from sandbox.stack.processes import Processes
from sandbox.stack.unprivileged import Disguise, disguises

USER = "accord"
_FAST = {
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_directories": "",
    "listen_addresses": LOOPBACK,
}
_CARELESS = {"fsync": "off", "full_page_writes": "off"}
_COPIES_FILES = 15  # the version that has a choice of how a database is copied
_DROP = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running PostgreSQL. Its ``repr`` shows no password."""

    port: int
    binaries: Binaries
    password: str = field(repr=False)
    host: str = LOOPBACK
    user: str = USER

    def dsn(self, database: str) -> str:
        """The connection address of a database: ``postgresql://user:password@host:port/database``."""
        login = f"{self.user}:{quote(self.password, safe='')}"
        return f"postgresql://{login}@{self.host}:{self.port}/{quote(database, safe='')}"

    def exists(self, database: str) -> bool:
        """Whether the database is there."""
        with self._administer() as connection:
            row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
        return row is not None

    def create_database(self, name: str, *, template: str | None = None, drop: bool = False) -> bool:
        """Have a database. Returns whether it was made now.

        Args:
            template: the database to copy; nobody may be connected to it.
            drop: replace an existing one, sending its users away.
        """
        words = "CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8'"
        if self.binaries.major >= _COPIES_FILES:
            # a third of the time that copying through the log takes, which is the default since then
            words += " STRATEGY file_copy"
        with self._administer() as connection:
            if drop:
                connection.execute(_DROP.format(sql.Identifier(name)))
            try:
                connection.execute(sql.SQL(words).format(sql.Identifier(name), sql.Identifier(template or "template0")))
            except psycopg.errors.DuplicateDatabase:
                return False
        return True

    def drop_database(self, name: str) -> None:
        """Remove a database, if there, sending its users away."""
        with self._administer() as connection:
            connection.execute(_DROP.format(sql.Identifier(name)))

    def rename_database(self, old: str, new: str) -> None:
        """Give a database its final name: the last step of making one that must be whole or absent."""
        with self._administer() as connection:
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new))
            )

    def dump(self, database: str, path: Path) -> None:
        """Write a database to ``path`` in pg_dump's custom form; the file is whole or absent."""
        half = path.with_name(f".{path.name}.half")
        self._run("pg_dump", "-Fc", "--no-owner", "-f", str(half), "-d", database)
        half.replace(path)

    def restore(self, path: Path, database: str) -> None:
        """Make ``database`` from a dump; it is whole or absent."""
        half = f"{database}__half"
        self.create_database(half, drop=True)
        self._run("pg_restore", "--no-owner", "--exit-on-error", "-j", "2", "-d", half, str(path))
        self.rename_database(half, database)

    def _run(self, program: str, *words: str) -> None:
        access = {"PGPASSWORD": self.password, "PGHOST": self.host, "PGPORT": str(self.port), "PGUSER": self.user}
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own programs with our words
            [self.binaries[program], *words], env=os.environ | access, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ServiceFailed(f"{program} failed: {done.stderr.strip()[-600:]}")

    @contextmanager
    def _administer(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.dsn("postgres"), autocommit=True, connect_timeout=10) as connection:
            yield connection


def ensure_running(
    home: Path, *, careless: bool = False, free_port: bool = False, tell: Callable[[str], None] = lambda _: None
) -> Server:
    """Start the home's PostgreSQL, making its data folder at first, or find it running.

    Args:
        careless: test settings: faster, and nothing survives a crash of the machine.
        free_port: take any free port instead of the configured one.
        tell: hears, in words, what takes long.

    Raises:
        ToolMissing: no PostgreSQL programs, or no way to run them as somebody who is not root.
        PortTaken: another program holds the port.
        ServiceFailed: the server did not come up.
    """
    processes = Processes(home)
    port = Ports(home, free=free_port).get("postgres", held=processes.is_running("postgres"))
    password = secret(home, "postgres")
    with locked(home, "postgres-data"):
        binaries, disguise, data = _prepared(home, password, tell)
    server = Server(port=port, binaries=binaries, password=password)
    settings = _FAST | (_CARELESS if careless else {}) | {"port": str(port)}
    words = [f"--{name}={value}" for name, value in settings.items()]
    if not processes.is_running("postgres"):
        _clear_stale_lock(data)
    processes.start(
        "postgres",
        [*disguise.prefix, binaries["postgres"], "-D", data, *words],
        env={"LC_ALL": "C.UTF-8"},
        cwd=data.parent,
        ready=lambda: _answers(server),
        timeout=60,
        ports={"postgres": port},
        stop_signal=signal.SIGINT,
    )
    return server


def _prepared(home: Path, password: str, tell: Callable[[str], None]) -> tuple[Binaries, Disguise, Path]:
    """Programs, disguise and an initialised data folder that fit each other."""
    ways = disguises()
    for disguise in ways:
        base = _base(home, disguise)
        data = base / "data"
        major = _major(data)
        binaries = find(home, data_major=major, tell=tell)
        if not disguise.can_use(binaries["postgres"], base):
            continue
        if major is None:
            tell(f"making a PostgreSQL {binaries.major} data folder")
            _initialise(binaries, disguise, base, data, password)
        return binaries, disguise, data
    raise ToolMissing(
        f"PostgreSQL does not run as root and no other account can use {home} and its programs: "
        "run this as an ordinary user, or install PostgreSQL from the distribution (apt-get install postgresql)."
    )


def _base(home: Path, disguise: Disguise) -> Path:
    """The folder above the data: in the home, or, when a real account can't reach that, in /var/tmp."""
    base = folder(home, "postgres")
    if disguise.user:
        disguise.give(base)
        if subprocess.run([*disguise.prefix, "test", "-w", base], check=False).returncode:  # noqa: S603 - own words
            base = Path("/var/tmp") / f"accord-{home.stat().st_ino}"  # noqa: S108 - owned below, and mode 0700
            base.mkdir(mode=0o700, exist_ok=True)
            disguise.give(base)
    return base


def _initialise(binaries: Binaries, disguise: Disguise, base: Path, data: Path, password: str) -> None:
    """initdb into a folder beside, renamed when it is whole."""
    half = base / "data.half"
    shutil.rmtree(half, ignore_errors=True)
    password_file = base / "password"
    write_whole(password_file, password, mode=0o600)
    disguise.give(password_file)
    try:
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own program with our words
            [
                *disguise.prefix,
                binaries["initdb"],
                *("-D", half, "-U", USER, "-A", "scram-sha-256", "--pwfile", password_file),
                *("-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=base,
        )
    finally:
        password_file.unlink()
    if done.returncode:
        raise ServiceFailed(f"initdb failed: {done.stderr.strip()[-600:]}")
    half.rename(data)


def _major(data: Path) -> int | None:
    try:
        return int((data / "PG_VERSION").read_text().strip())
    except FileNotFoundError:
        return None


def _clear_stale_lock(data: Path) -> None:
    """Remove a lock file whose process is gone: another program may have its id by now, which PostgreSQL can't tell."""
    lock = data / "postmaster.pid"
    try:
        process = psutil.Process(int(lock.read_text().splitlines()[0]))
        if str(data) in process.cmdline():
            return
    except FileNotFoundError:
        return
    except (psutil.Error, ValueError, IndexError):
        pass
    lock.unlink(missing_ok=True)


def _answers(server: Server) -> bool:
    try:
        with psycopg.connect(server.dsn("postgres"), connect_timeout=5) as connection:
            query: LiteralString = "SELECT 1"
            connection.execute(query)
    except psycopg.OperationalError:
        return False
    return True
