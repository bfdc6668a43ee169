"""A hub of its own for every test: one PostgreSQL per session, one database per test, copied from a template.

A layer's conftest imports the fixtures it wants.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import pytest

from accord.hub import Hub
from accord.settings import Connection
from sandbox.stack import postgres
from sandbox.stack.processes import Processes

TEMPLATE = "hub_template"


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
