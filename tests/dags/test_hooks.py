"""Hooks reach what their connection names, and "test connection" says what to mend."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from accord.errors import BadCredentials
from accord_airflow.hooks.erp import ErpHook
from accord_airflow.hooks.hub import HubHook
from accord_airflow.hooks.salesforce import AccordSalesforceHook
from tests.dags.world import World
from tests.salesforce_org import Org, start_org


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Org]:
    running = start_org(tmp_path)
    yield running
    running.stop()


def connect(monkeypatch: pytest.MonkeyPatch, org: Org, secret: str | None = None) -> None:
    extra = {"login_url": org.http, "consumer_key": org.client_id, "consumer_secret": secret or org.client_secret}
    monkeypatch.setenv("AIRFLOW_CONN_ACCORD_SALESFORCE", json.dumps({"conn_type": "salesforce", "extra": extra}))


def test_the_salesforce_hook_does_what_the_provider_s_does(monkeypatch: pytest.MonkeyPatch, org: Org) -> None:
    connect(monkeypatch, org)
    hook = AccordSalesforceHook()
    assert hook.make_query("SELECT Id FROM Account")["totalSize"] == 0
    assert "Legal_Entities__c" in hook.get_available_fields("Account")
    assert hook.conn is hook.get_conn()


def test_the_salesforce_hook_tells_whether_the_org_is_usable(monkeypatch: pytest.MonkeyPatch, org: Org) -> None:
    connect(monkeypatch, org)
    well, found = AccordSalesforceHook().test_connection()
    assert well, found
    assert "checks passed" in found


def test_the_salesforce_hook_names_the_cure_of_a_refused_login(monkeypatch: pytest.MonkeyPatch, org: Org) -> None:
    connect(monkeypatch, org, secret="wrong")
    with pytest.raises(BadCredentials, match="accord_salesforce"):
        _ = AccordSalesforceHook().conn
    well, found = AccordSalesforceHook().test_connection()
    assert not well
    assert "consumer_secret" in found
    assert "wrong" not in found


def test_the_hub_hook_is_a_postgres_hook_that_knows_the_schema(world: World) -> None:
    hook = HubHook()
    assert hook.get_first("SELECT count(*) FROM exception") == (0,)
    assert hook.test_connection() == (True, f"The hub answers; its schema is {hook.hub().expected_revision()}.")


def test_the_hub_hook_tells_of_an_empty_hub(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = conninfo_to_dict(dsn)
    given = {"conn_type": "postgres", "host": found["host"], "port": int(str(found["port"])), "schema": found["dbname"]}
    monkeypatch.setenv(
        "AIRFLOW_CONN_ACCORD_HUB", json.dumps(given | {"login": found["user"], "password": found["password"]})
    )
    well, said = HubHook().test_connection()
    assert not well
    assert said.endswith("Run `accord hub upgrade`.")
    monkeypatch.setenv("AIRFLOW_CONN_ACCORD_HUB", json.dumps(given | {"login": found["user"], "password": "wrong"}))
    well, said = HubHook().test_connection()
    assert not well
    assert "password of connection accord_hub" in said


def test_the_erp_hook_opens_the_registered_adapter(world: World) -> None:
    assert ErpHook("tryton").system() is world.tryton
    assert world.opened == [("tryton", "accord_tryton")]
    assert ErpHook("tryton", "sales_org").test_connection()[0]
    world.tryton.bad_login = True
    well, said = ErpHook("tryton").test_connection()
    assert not well
    assert "Correct the password" in said
    assert world.tryton.closed
    with pytest.raises(KeyError, match="unknown system 'moon'"):
        ErpHook("moon", "sales_org").system()
