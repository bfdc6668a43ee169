"""Real services for tests: PostgreSQL and Tryton in a home of their own (``.local/test``), on any free ports.

Use: ``from tests.stack import …`` or add ``pytest_plugins = ["tests.stack"]``. ``ACCORD_TEST_HOME`` names another home, for
two sessions side by side that want no other's data; a worker of pytest-xdist has one within. The ERP's template and
environment are the ones of the demo's home, so that they are made once. The last session to use a home ends its processes.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.erp import server as erp_server
from sandbox.erp.server import Erp
from sandbox.stack import postgres
from sandbox.stack.home import default_home, folder, locked
from sandbox.stack.postgres import Server
from sandbox.stack.processes import Processes

OTHERS = "erps"  # the folder of a home with the homes of ERPs that are not shared


class TestStack:
    """The services of one test home; each is started when first asked for."""

    __test__ = False

    def __init__(self, home: Path, shared: Path) -> None:
        self.home = home
        self.shared = shared

    def postgres(self) -> Server:
        """PostgreSQL with careless settings: quick, and nothing survives a crash."""
        with locked(self.home, "up"):
            return postgres.ensure_running(self.home, careless=True, free_port=True)

    def erp(self) -> Erp:
        """Tryton with the sample company; its data is whatever this home's earlier tests left."""
        server = self.postgres()
        with locked(self.home, "up"):
            return erp_server.ensure_running(self.home, server, shared=self.shared, free_port=True, workers=1)

    def fresh_erp(self, database: str) -> Erp:
        """A Tryton of its own, with a database of this name that holds the sample company and nothing else.

        A server loads its databases for seconds each: another one costs less than the shared one again with one more.
        """
        server, home = self.postgres(), folder(self.home, f"{OTHERS}/{database}")
        with locked(home, "up"):
            return erp_server.reset(home, server, shared=self.shared, database=database, free_port=True, workers=1)


@contextmanager
def in_use(home: Path) -> Iterator[None]:
    """Say that a session uses the home; the last one to leave, however it ends, ends its processes."""
    handle = os.open(folder(home, "run") / "sessions.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        try:
            yield
        finally:
            _end_unused(handle, home)
    finally:
        os.close(handle)


def _end_unused(handle: int, home: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # others use it
    for one in (*folder(home, OTHERS).iterdir(), home):
        Processes(one).stop_all()


@pytest.fixture(scope="session")
def stack() -> Iterator[TestStack]:
    """The session's services, not started yet."""
    shared = default_home()
    home = Path(os.environ.get("ACCORD_TEST_HOME") or shared / "test").resolve() / os.environ.get(
        "PYTEST_XDIST_WORKER", ""
    )
    with in_use(home):
        yield TestStack(home, shared)


@pytest.fixture(scope="session")
def postgres_server(stack: TestStack) -> Server:
    """A running PostgreSQL."""
    return stack.postgres()


@pytest.fixture
def dsn(postgres_server: Server) -> Iterator[str]:
    """The address of an empty database of the test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    postgres_server.create_database(name)
    yield postgres_server.dsn(name)
    postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def tryton(stack: TestStack) -> Erp:
    """A running Tryton, shared by the session: use keys of your own."""
    return stack.erp()
