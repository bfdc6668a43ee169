"""The ERP server: one per home, on 127.0.0.1, serving one database."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sandbox.erp.rpc import Client
from sandbox.erp.template import Template, ensure_template, is_cached, python, write_config
from sandbox.stack.errors import ServiceFailed
from sandbox.stack.home import folder, secret
from sandbox.stack.ports import LOOPBACK, Ports
from sandbox.stack.postgres import Server
from sandbox.stack.postgres import ensure_running as ensure_postgres
from sandbox.stack.probe import answers
from sandbox.stack.processes import Processes

SERVICE = "tryton"
DATABASE = "tryton"
LOGINS = ("admin", "accord", "finance", "operations")
WORKERS, THREADS = 2, 8  # processes × callers each; a process computes on one core at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Erp:
    """A running ERP."""

    home: Path
    port: int
    database: str = DATABASE

    @property
    def url(self) -> str:
        """Where it answers, e.g. ``http://127.0.0.1:18000``."""
        return f"http://{LOOPBACK}:{self.port}"

    def password(self, login: str) -> str:
        """The generated password of ``admin``, ``accord`` (the integration user), ``finance`` or ``operations``."""
        return secret(self.home, f"tryton_{login}")

    def client(self, login: str = "accord") -> Client:
        """A logged-in session; a thread's own is kept, as the ERP takes its time over passwords."""
        return _session(self.url, self.database, login, self.password(login), threading.get_ident())


@lru_cache
def _session(url: str, database: str, login: str, password: str, _thread: int) -> Client:
    client = Client(url, database)
    client.login(login, password)
    return client


def of_home(home: Path, *, database: str = DATABASE, free_port: bool = False) -> Erp:
    """Where the ERP of this home answers, or will once it is started.

    Raises:
        PortTaken: another program holds the port.
    """
    held = Processes(home).is_running(SERVICE)
    return Erp(home=home, port=Ports(home, free=free_port).get("tryton", held=held), database=database)


def ensure_running(
    home: Path,
    postgres: Server,
    *,
    shared: Path | None = None,
    database: str = DATABASE,
    free_port: bool = False,
    workers: int = WORKERS,
    tell: Callable[[str], None] = lambda _: None,
) -> Erp:
    """Start the ERP, making its database at first from the template, or find it running.

    Args:
        home: where its state lives.
        postgres: the server its database is in.
        shared: the home whose cached template and Tryton environment are used; ``home`` when not given.
        free_port: take any free port instead of the configured one.
        workers: processes of the server. What one has just written, another may still remember otherwise for a moment.
        tell: hears, in words, what takes long.

    Raises:
        PortTaken: another program holds the port.
        ServiceFailed: the set-up failed or the server did not come up.
    """
    shared = shared or home
    keeper = Processes(home)
    erp = of_home(home, database=database, free_port=free_port)
    interpreter = python(shared, tell)
    template = None
    if not _is_whole(home, postgres, database):
        keeper.stop(SERVICE)  # it may hold connections to a half-made database of that name
        template = _make_database(shared, postgres, database, tell)
    _serve(keeper, interpreter, erp, postgres, workers)
    if template:
        _set_passwords(erp, template)
        _mark(home, database).touch()
    return erp


def prepare(home: Path, *, tell: Callable[[str], None] = lambda _: None) -> None:
    """Install Tryton and make the template, if that was not done: the part that takes minutes. Nothing is left running."""
    python(home, tell)
    if is_cached(home):
        return
    keeper = Processes(home)
    ran = keeper.is_running("postgres")
    ensure_template(home, ensure_postgres(home, tell=tell), tell=tell)
    if not ran:
        keeper.stop("postgres")


def reset(
    home: Path,
    postgres: Server,
    *,
    shared: Path | None = None,
    database: str = DATABASE,
    free_port: bool = False,
    workers: int = WORKERS,
    tell: Callable[[str], None] = lambda _: None,
) -> Erp:
    """Throw the ERP's data away and start afresh from the template; otherwise as `ensure_running`."""
    Processes(home).stop(SERVICE)
    _mark(home, database).unlink(missing_ok=True)
    return ensure_running(
        home, postgres, shared=shared, database=database, free_port=free_port, workers=workers, tell=tell
    )


def is_healthy(url: str) -> bool:
    """Whether the server answers; it does once its database is loaded."""
    return answers(f"{url}/rpc/", {"id": 0, "method": "common.server.version", "params": []})


def _serve(keeper: Processes, interpreter: Path, erp: Erp, postgres: Server, workers: int) -> None:
    config = write_config(folder(erp.home, SERVICE) / "trytond.conf", postgres)
    argv: list[str | Path] = [interpreter, "-m", "gunicorn", "trytond.application:app"]
    argv += ["--bind", f"{LOOPBACK}:{erp.port}", "--workers", str(workers), "--threads", str(THREADS)]
    argv += ["--timeout", "600", "--keep-alive", "75", "--no-control-socket"]
    argv += ["--preload"]  # the database is loaded once, which takes seconds, and not by every process

    def start() -> None:
        keeper.start(
            SERVICE,
            argv,
            env={"TRYTOND_CONFIG": str(config), "TRYTOND_DATABASE_NAMES": erp.database},
            cwd=config.parent,
            ready=lambda: is_healthy(erp.url),
            timeout=120,
            ports={"tryton": erp.port},
            stop_signal=signal.SIGINT,  # at once, without waiting for idle connections
        )

    try:
        start()
    except ServiceFailed as failed:
        # trytond 8.2 gives up when a thread that loaded a database is a moment late in ending: seen on busy machines
        if "threads running after initializing" not in str(failed):
            raise
        start()


def _make_database(shared: Path, postgres: Server, database: str, tell: Callable[[str], None]) -> Template:
    template = ensure_template(shared, postgres, tell=tell)
    postgres.create_database(database, template=template.database, drop=True)
    return template


def _set_passwords(erp: Erp, template: Template) -> None:
    """The template's only login is its admin with a password of its own: give every login this home's."""
    client = Client(erp.url, erp.database)
    client.login("admin", template.admin_password)
    for user in client.call("model.res.user.search_read", [("login", "in", LOGINS)], 0, None, None, ["login"]):
        client.call("model.res.user.write", [user["id"]], {"password": erp.password(user["login"])})


def _mark(home: Path, database: str) -> Path:
    """Present once a database is whole: copied, and its passwords set."""
    return folder(home, SERVICE) / f"{database}.ready"


def _is_whole(home: Path, postgres: Server, database: str) -> bool:
    return _mark(home, database).exists() and postgres.exists(database)
