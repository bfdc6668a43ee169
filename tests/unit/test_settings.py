"""Connections from the environment."""

from __future__ import annotations

import json

import pytest
from psycopg.conninfo import conninfo_to_dict

from accord.errors import Stop
from accord.settings import Connection, connection_from_environment, dsn


def read(text: str) -> Connection:
    return connection_from_environment("accord_hub", {"AIRFLOW_CONN_ACCORD_HUB": text})


@pytest.mark.parametrize("as_text", [False, True])
def test_json(as_text: bool) -> None:
    extra = {"sslmode": "require"}
    body = {"conn_type": "postgres", "host": "h", "port": 5433, "login": "l", "password": "p@ss/%", "schema": "s"}
    connection = read(json.dumps(body | {"extra": json.dumps(extra) if as_text else extra}))
    assert (connection.kind, connection.host, connection.port, connection.login) == ("postgres", "h", 5433, "l")
    assert (connection.password, connection.schema, connection.extra) == ("p@ss/%", "s", extra)


@pytest.mark.parametrize("query", ["?sslmode=require", "?__extra__=%7B%22sslmode%22%3A%22require%22%7D"])
def test_uri(query: str) -> None:
    connection = read(f"postgres://lo%40gin:p%40ss%2F%25@h:5433/s{query}")
    assert (connection.kind, connection.host, connection.port) == ("postgres", "h", 5433)
    assert (connection.login, connection.password, connection.schema) == ("lo@gin", "p@ss/%", "s")
    assert connection.extra == {"sslmode": "require"}


def test_no_secret_is_shown() -> None:
    connection = Connection(id="x", login="l", password="geheim", extra={"private_key": "geheim"})
    assert "geheim" not in repr(connection)


@pytest.mark.parametrize("text", ["{", "{}[]", '{"port": "many"}', "postgres://h:port/s", '{"extra": "{"}'])
def test_unreadable(text: str) -> None:
    with pytest.raises(Stop, match="AIRFLOW_CONN_ACCORD_HUB is neither") as raised:
        read(text)
    assert raised.value.__cause__ is None


def test_absent() -> None:
    with pytest.raises(Stop, match="Set AIRFLOW_CONN_ACCORD_HUB"):
        connection_from_environment("accord_hub", {})


def test_dsn() -> None:
    connection = Connection(
        id="x", host="h", login="l", password="a b'c\\", schema="s", extra={"sslmode": "require", "other": 1}
    )
    assert conninfo_to_dict(dsn(connection)) == {
        "host": "h", "port": "5432", "user": "l", "password": "a b'c\\", "dbname": "s", "sslmode": "require",
    }  # fmt: skip
