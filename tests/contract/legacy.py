"""A legacy ERP of the test module's own, and its users."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from accord.settings import Connection
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


def ask(dsn: str, query: str, *parameters: Any) -> list[Any]:
    """What the ERP's own people see or do; rows of what the query gives."""
    with psycopg.connect(dsn) as connection:
        cursor = connection.execute(query.encode(), parameters)
        return cursor.fetchall() if cursor.description else []
