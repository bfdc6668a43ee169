"""Airflow's SalesforceHook, unchanged, with connections as its documentation describes them."""

import json
from typing import Any

import pytest

from tests.salesforce_org import Org


def hook(monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any], **more: Any) -> Any:
    # Airflow reads its settings when it is first imported, and other tests of the session make them while being collected
    from airflow.providers.salesforce.hooks.salesforce import SalesforceHook

    connection = {"conn_type": "salesforce", "extra": {"version": "62.0", **extra}}
    monkeypatch.setenv("AIRFLOW_CONN_LOCAL_ORG", json.dumps(connection))
    return SalesforceHook(salesforce_conn_id="local_org", **more)


@pytest.fixture(params=["client credentials through the proxy", "session"])
def connected(org: Org, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Any:
    if request.param == "session":
        return hook(monkeypatch, {"instance_url": org.https}, session_id=org.token(admin=True))
    pair = {"consumer_key": org.admin_id, "consumer_secret": org.admin_secret}
    return hook(monkeypatch, {**pair, "domain": "accord.my", "proxies": {"https": org.proxy}})


def test_reading(connected: Any, org: Org) -> None:
    admin = org.session(admin=True)
    admin.create("Account", Name="Acme", AnnualRevenue=5)
    fields = connected.get_available_fields("Account")
    assert {"Id", "Name", "ERP_Sync_Status__c", "BillingCountryCode"} <= set(fields)
    found = connected.get_object_from_salesforce("Account", fields)
    assert (found["totalSize"], found["records"][0]["Name"]) == (1, "Acme")
    frame = connected.object_to_df(found["records"], record_time_added=True)
    assert frame["annualrevenue"].tolist() == [5.0]
    assert connected.describe_object("Account")["name"] == "Account"
    assert connected.make_query("SELECT Id FROM Account", include_deleted=True)["totalSize"] == 1


def test_connection_check(connected: Any) -> None:
    assert connected.test_connection() == (True, "Connection successfully tested")


def test_wrong_secret(org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = {"consumer_key": org.admin_id, "consumer_secret": "wrong"}
    broken = hook(monkeypatch, {**pair, "domain": "accord.my", "proxies": {"https": org.proxy}})
    passed, message = broken.test_connection()
    assert not passed
    assert "invalid_client" in message
