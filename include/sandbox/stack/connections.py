"""``<home>/connections.env``: the sandbox's services as Airflow connections, one ``AIRFLOW_CONN_<ID>='<json>'`` per line.

Airflow and `accord` both read them from the environment
(https://airflow.apache.org/docs/apache-airflow/stable/howto/connection.html#storing-connections-in-environment-variables).
The file holds passwords: only its owner can read it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sandbox.erp.server import Erp
from sandbox.stack.home import secret, write_whole
from sandbox.stack.ports import LOOPBACK
from sandbox.stack.postgres import Server

FILE = "connections.env"
METRICS_TOKEN = "metrics.token"  # noqa: S105 - a file's name
_PREFIX = "AIRFLOW_CONN_"


def salesforce_login(environ: Mapping[str, str]) -> dict[str, str]:
    """The integration user's client id and secret, as the variables the org reads.

    The defaults are no secrets: the org listens on the loopback address only and holds made-up data.
    """
    return {
        "SANDBOX_SALESFORCE_CLIENT_ID": environ.get("SANDBOX_SALESFORCE_CLIENT_ID") or "accord-integration",
        "SANDBOX_SALESFORCE_CLIENT_SECRET": environ.get("SANDBOX_SALESFORCE_CLIENT_SECRET") or "local-only-secret",
    }


def of(
    server: Server | None, erp: Erp | None, salesforce_url: str | None, environ: Mapping[str, str] | None = None
) -> dict[str, dict[str, Any]]:
    """The connections of the services that run, by connection id."""
    found: dict[str, dict[str, Any]] = {}
    if server:
        for name, database in (("accord_hub", "accord_hub"), ("accord_legacy", "legacy")):
            found[name] = {
                "conn_type": "postgres",
                "host": server.host,
                "port": server.port,
                "schema": database,
                "login": server.user,
                "password": server.password,
            }
    if erp:
        found["accord_tryton"] = {
            "conn_type": "http",
            "host": LOOPBACK,
            "port": erp.port,
            "schema": "http",
            "login": "accord",
            "password": erp.password("accord"),
            "extra": {"database": erp.database, "company": "NL01"},
        }
    if salesforce_url:
        login = salesforce_login(os.environ if environ is None else environ)
        found["accord_salesforce"] = {
            "conn_type": "salesforce",
            "host": LOOPBACK,
            "port": urlsplit(salesforce_url).port,
            "extra": {
                "login_url": salesforce_url,
                "consumer_key": login["SANDBOX_SALESFORCE_CLIENT_ID"],
                "consumer_secret": login["SANDBOX_SALESFORCE_CLIENT_SECRET"],
                # a local org answers at once, so a call without an answer need not be waited for as long as a real one
                "request_timeout_s": 30,
                "longest_request_s": 5,
            },
        }
    return found


def metrics(home: Path) -> dict[str, dict[str, Any]]:
    """The connection whose password opens /accord/metrics to a scraper; the home's METRICS_TOKEN has it too, as Prometheus'
    ``credentials_file`` and ``curl`` want it."""
    token = secret(home, "metrics")
    write_whole(home / METRICS_TOKEN, token, mode=0o600)
    return {"accord_metrics": {"conn_type": "generic", "password": token}}


def write(home: Path, found: Mapping[str, Mapping[str, Any]]) -> Path:
    """Put connections into the home's file; those of services that were not asked for stay."""
    lines = read(home) | {_PREFIX + name.upper(): json.dumps(body) for name, body in found.items()}
    path = home / FILE
    write_whole(path, "".join(f"{name}='{value}'\n" for name, value in sorted(lines.items())), mode=0o600)
    return path


def read(home: Path) -> dict[str, str]:
    """The file as environment variables; none when there is no file."""
    try:
        text = (home / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    pairs = (line.partition("=") for line in text.splitlines() if line.startswith(_PREFIX))
    return {name: value.removeprefix("'").removesuffix("'") for name, _, value in pairs}
