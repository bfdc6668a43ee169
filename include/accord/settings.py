"""Where things are: connections in Airflow's own form, read from the environment, so that `accord` and Airflow share one set-up.

`AIRFLOW_CONN_<ID>` holds a connection as JSON or URI
(https://airflow.apache.org/docs/apache-airflow/stable/howto/connection.html#storing-connections-in-environment-variables).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from accord.errors import Stop

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One connection. `extra` holds what its type adds. Its repr shows no secret."""

    id: str
    kind: str = ""
    host: str = ""
    port: int | None = None
    login: str = ""
    password: str = field(default="", repr=False)
    schema: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def connection_from_environment(name: str, environ: Mapping[str, str] | None = None) -> Connection:
    """The connection `name` from `AIRFLOW_CONN_<NAME>`. Raises Stop when it is absent or unreadable."""
    variable = f"AIRFLOW_CONN_{name.upper()}"
    text = (os.environ if environ is None else environ).get(variable)
    if not text:
        raise Stop(
            f"There is no connection {name}.",
            cure=f"Set {variable}, or run through Airflow with a connection of that id.",
        )
    try:
        return _from_json(name, json.loads(text)) if text.lstrip().startswith("{") else _from_uri(name, text)
    except (ValueError, TypeError, AttributeError):
        raise Stop(
            f"{variable} is neither a JSON object nor a URI.", cure="Write it as Airflow documents connections."
        ) from None


def _from_json(name: str, body: Mapping[str, Any]) -> Connection:
    extra = body.get("extra") or {}
    return Connection(
        id=name,
        kind=body.get("conn_type") or "",
        host=body.get("host") or "",
        port=int(body["port"]) if body.get("port") else None,
        login=body.get("login") or "",
        password=body.get("password") or "",
        schema=body.get("schema") or "",
        extra=json.loads(extra) if isinstance(extra, str) else extra,
    )


def _from_uri(name: str, text: str) -> Connection:
    parts = urlsplit(text)
    query = dict(parse_qsl(parts.query))
    return Connection(
        id=name,
        kind=parts.scheme,
        host=unquote(parts.hostname or ""),
        port=parts.port,
        login=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        schema=unquote(parts.path.lstrip("/")),
        extra=json.loads(query["__extra__"]) if "__extra__" in query else query,
    )


def dsn(connection: Connection) -> str:
    """A libpq connection string for a PostgreSQL connection."""
    from psycopg.conninfo import make_conninfo

    return make_conninfo(
        host=connection.host,
        port=connection.port or 5432,
        user=connection.login,
        password=connection.password,
        dbname=connection.schema,
        **{
            k: str(v)
            for k, v in connection.extra.items()
            if k in ("sslmode", "application_name", "connect_timeout", "options")
        },
    )
