"""A hub of its own for every test: one PostgreSQL per session, one database per test, copied from a template.

A layer's conftest imports the fixtures it wants.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import psycopg
import pytest
from psycopg.rows import dict_row

from accord.hub import Hub
from accord.hub.connection import Session
from accord.settings import Connection
from sandbox.stack import postgres
from sandbox.stack.processes import Processes

TEMPLATE = "hub_template"


class KeptHub(Hub):
    """A hub that keeps its connection: one serves all sessions that do not overlap, as opening them takes half of a small run's
    time. A hub belongs to one thread."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self._address = address
        self._idle: Session | None = None

    @contextmanager
    def session(self) -> Iterator[Session]:
        connection = self._idle or psycopg.connect(self._address, row_factory=dict_row, autocommit=True)
        self._idle = None
        try:
            with connection.transaction():
                yield connection
        except BaseException:
            connection.close()  # as the end of a process closes it
            raise
        if self._idle is None:
            self._idle = connection
        else:
            connection.close()

    def close(self) -> None:
        if self._idle:
            self._idle.close()
            self._idle = None


@dataclass(slots=True)
class HubServer:
    """The session's PostgreSQL with an upgraded, empty hub to copy."""

    server: postgres.Server
    numbers: Iterator[int]

    def new(self) -> Connection:
        """An empty hub nobody else uses."""
        name = f"hub_{next(self.numbers)}"
        self.server.create_database(name, template=TEMPLATE, drop=True)
        return self.connection(name)

    def connection(self, database: str) -> Connection:
        """The connection `accord_hub` to `database`."""
        where = urlsplit(self.server.dsn(database))
        return Connection(
            id="accord_hub",
            kind="postgres",
            host=where.hostname or "",
            port=where.port,
            login=unquote(where.username or ""),
            password=unquote(where.password or ""),
            schema=database,
        )


@pytest.fixture(scope="session")
def hub_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    home = tmp_path_factory.mktemp("hub")
    server = postgres.ensure_running(home, careless=True, free_port=True)
    try:
        server.create_database(TEMPLATE)
        Hub(server.dsn(TEMPLATE)).upgrade()
        yield HubServer(server, itertools.count(1))
    finally:
        Processes(home).stop("postgres")


@pytest.fixture
def hub(hub_server: HubServer) -> Connection:
    return hub_server.new()
