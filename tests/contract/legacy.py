"""A legacy ERP of the test module's own, and its users."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from accord.settings import Connection
from accord.systems import open_system
from sandbox.erp.legacy.install import install
from sandbox.stack.postgres import Server


@pytest.fixture(scope="module")
def legacy_dsn(postgres_server: Server) -> Iterator[str]:
    """The address of its database."""
    name = f"contract_legacy_{uuid.uuid4().hex[:8]}"
    postgres_server.create_database(name)
    install(postgres_server.dsn(name))
    yield postgres_server.dsn(name)
    postgres_server.drop_database(name)


@pytest.fixture(scope="module")
def legacy(legacy_dsn: str) -> Connection:
    """The connection as Accord has it."""
    where = conninfo_to_dict(legacy_dsn)
    return Connection(
        id="accord_legacy",
        kind="postgres",
        host=str(where["host"]),
        port=int(str(where["port"])),
        login=str(where["user"]),
        password=str(where["password"]),
        schema=str(where["dbname"]),
    )


class OnLegacy:
    """For a suite's class: the adapter it is about, anew, without a server and with a wrong password, and `dsn` for `ask`."""

    dsn: str

    @pytest.fixture(autouse=True)
    def _dsn(self, legacy_dsn: str) -> None:
        self.dsn = legacy_dsn

    @pytest.fixture
    def open_source(self, legacy: Connection) -> Callable[[], Any]:
        return lambda: open_system("legacy", legacy)

    @pytest.fixture
    def open_target(self, open_source: Callable[[], Any]) -> Callable[[], Any]:
        return open_source

    @pytest.fixture
    def unreachable(self, legacy: Connection) -> Any:
        return open_system("legacy", replace(legacy, port=1))

    @pytest.fixture
    def wrong_login(self, legacy: Connection) -> Any:
        return open_system("legacy", replace(legacy, password="wrong"))


def ask(dsn: str, query: str, *parameters: Any) -> list[Any]:
    """What the ERP's own people see or do; rows of what the query gives."""
    with psycopg.connect(dsn) as connection:
        cursor = connection.execute(query.encode(), parameters)
        return cursor.fetchall() if cursor.description else []
