"""Systems in memory behind Accord's own registry, so that a DAG that is run meets everything real but these."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from accord import systems
from accord.hub import Hub
from accord.objects.customer import CUSTOMER
from accord.objects.definition import Owner
from accord.settings import Connection
from accord.systems.tryton.adapter import places as places
from sandbox.stack.postgres import Server
from tests.fakes import FakeSource, FakeTarget

CHANGED = datetime(2026, 5, 1, 12, tzinfo=UTC)


@dataclass(slots=True)
class Salesforce(FakeSource):
    """The source, which is also told how its customers fared."""

    told: FakeTarget = field(default_factory=lambda: FakeTarget(name="salesforce", side=Owner.SALESFORCE))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.told, name)


@dataclass(slots=True, kw_only=True)
class World:
    """Salesforce, two ERPs and a hub."""

    dsn: str
    reports: Path
    salesforce: Salesforce = field(default_factory=lambda: Salesforce(name="salesforce"))
    tryton: FakeTarget = field(default_factory=lambda: FakeTarget(name="tryton"))
    legacy: FakeTarget = field(default_factory=lambda: FakeTarget(name="legacy"))
    opened: list[tuple[str, str]] = field(default_factory=list)

    def customer(self, native: str, **values: Any) -> str:
        """An account in Salesforce that has all it needs, but for what is given. Returns its key."""
        usual: dict[str, Any] = {
            "name": f"Customer {native}",
            "country": "NL",
            "currency": "EUR",
            "legal_entities": ["NL01"],
        }
        return self.salesforce.put(CUSTOMER, native, at=CHANGED, **(usual | values))

    def hub(self, question: str) -> list[dict[str, Any]]:
        """Rows of the hub."""
        with psycopg.connect(self.dsn, row_factory=dict_row) as session:
            return session.execute(question.encode()).fetchall()


WORLD: list[World] = []  # the one that openers, found by name, give access to


def open_system(name: str, connection: Connection) -> Any:
    """What the registry opens during a test."""
    WORLD[0].opened.append((name, connection.id))
    return getattr(WORLD[0], name)


@pytest.fixture(scope="session")
def upgraded(postgres_server: Server) -> str:
    """The name of an upgraded, empty hub to copy."""
    name = f"dags_hub_{uuid.uuid4().hex[:12]}"
    postgres_server.create_database(name)
    Hub(postgres_server.dsn(name)).upgrade()
    return name


@pytest.fixture
def hub_dsn(postgres_server: Server, upgraded: str) -> Iterator[str]:
    """The address of an empty hub of the test's own."""
    name = f"hub_{uuid.uuid4().hex[:12]}"
    postgres_server.create_database(name, template=upgraded)
    yield postgres_server.dsn(name)
    postgres_server.drop_database(name)


@pytest.fixture
def world(hub_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A fresh hub, empty systems, and the connections and folders Airflow would be given."""
    found = conninfo_to_dict(hub_dsn)
    connection = {
        "conn_type": "postgres",
        "host": found["host"],
        "port": int(str(found["port"])),
        "login": found["user"],
        "password": found["password"],
        "schema": found["dbname"],
    }
    monkeypatch.setenv("AIRFLOW_CONN_ACCORD_HUB", json.dumps(connection))
    for name in ("accord_salesforce", "accord_tryton", "accord_legacy", "sales_org"):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": "generic", "host": "nowhere"}))
    monkeypatch.setenv("ACCORD_STAGING", f"file://{tmp_path}/staging")
    monkeypatch.setenv("ACCORD_REPORTS", f"{tmp_path}/reports")
    for name in ("salesforce", "tryton", "legacy"):
        monkeypatch.setitem(systems.ADAPTERS, name, "tests.dags.world:open_system")
    monkeypatch.setattr("tests.dags.world.WORLD", [World(dsn=hub_dsn, reports=tmp_path / "reports")])
    return WORLD[0]
