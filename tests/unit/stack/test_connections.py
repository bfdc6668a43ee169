"""The connections file says what Airflow and `accord` need, to its owner only."""

from __future__ import annotations

import json
from pathlib import Path

from sandbox.erp.server import Erp
from sandbox.stack import connections
from sandbox.stack.binaries import Binaries
from sandbox.stack.postgres import Server


def test_what_is_written_is_read_back_by_its_owner_only(home: Path) -> None:
    server = Server(port=5, password="p'w", binaries=Binaries(folder=Path("/nowhere"), major=15))
    erp = Erp(home=home, port=6)
    path = connections.write(home, connections.of(server, erp, "http://127.0.0.1:7"))
    assert path.stat().st_mode & 0o777 == 0o600
    found = {name: json.loads(value) for name, value in connections.read(home).items()}
    assert set(found) == {f"AIRFLOW_CONN_ACCORD_{name}" for name in ("HUB", "LEGACY", "TRYTON", "SALESFORCE")}
    assert found["AIRFLOW_CONN_ACCORD_HUB"]["schema"] == "accord_hub"
    assert found["AIRFLOW_CONN_ACCORD_LEGACY"]["password"] == "p'w"
    tryton = found["AIRFLOW_CONN_ACCORD_TRYTON"]
    assert (tryton["port"], tryton["login"], tryton["password"]) == (6, "accord", erp.password("accord"))
    assert tryton["extra"] == {"database": "tryton", "company": "NL01"}
    assert found["AIRFLOW_CONN_ACCORD_SALESFORCE"]["extra"]["login_url"] == "http://127.0.0.1:7"


def test_connections_of_other_services_stay(home: Path) -> None:
    connections.write(home, connections.of(None, Erp(home=home, port=6), None))
    connections.write(home, connections.of(None, None, "http://127.0.0.1:7"))
    assert set(connections.read(home)) == {"AIRFLOW_CONN_ACCORD_TRYTON", "AIRFLOW_CONN_ACCORD_SALESFORCE"}


def test_the_token_of_metrics_is_made_once_and_its_owner_s_only(home: Path) -> None:
    made = connections.metrics(home)
    file = home / connections.METRICS_TOKEN
    assert file.read_text() == made["accord_metrics"]["password"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(file.read_text()) >= 32
    assert connections.metrics(home) == made


def test_the_orgs_login_comes_from_the_environment(home: Path) -> None:
    environ = {"SANDBOX_SALESFORCE_CLIENT_ID": "mine", "SANDBOX_SALESFORCE_CLIENT_SECRET": "hidden"}
    found = connections.of(None, None, "http://127.0.0.1:7", environ)["accord_salesforce"]["extra"]
    assert (found["consumer_key"], found["consumer_secret"]) == ("mine", "hidden")


def test_no_password_shows_in_a_repr(home: Path) -> None:
    server = Server(port=5, password="hidden", binaries=Binaries(folder=Path("/nowhere"), major=15))
    assert "hidden" not in repr(server)
