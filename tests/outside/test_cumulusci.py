"""CumulusCI and Snowfakery: made-up records loaded, upserted, extracted and deleted; and the describes it recorded."""

import json
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.outside.tool import Tool, install
from tests.salesforce_org import Org

_PROJECT = Path(__file__).with_name("cumulusci")
# What a recorded field has and the local one does not, on purpose: picklists are of today's length, people accounts and
# searches by name are not there, and Salesforce's own defaults for opportunities are made in its pages only.
_OTHER = {"inlineHelpText", "label", "picklistValues", "length", "byteLength", "idLookup", "permissionable"}
_OTHER_FIELDS = {("Account", "Name"), ("Opportunity", "Probability"), ("Opportunity", "Pricebook2Id")}


@pytest.fixture(scope="module")
def python() -> Path:
    return install("cumulusci")


@pytest.fixture
def cci(org: Org, python: Path, tmp_path: Path) -> Tool:
    shutil.copytree(_PROJECT, tmp_path, dirs_exist_ok=True)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    return Tool(python=python, folder=tmp_path, org=org)


def test_it_generates_loads_extracts_and_deletes(cci: Tool, org: Org) -> None:
    address = "https://accord.my.salesforce.com"
    app = {"client_id": org.admin_id, "client_secret": org.admin_secret}
    identity = org.session(admin=True).get("/services/oauth2/userinfo").json()
    config = app | {
        "instance_url": address,
        "refresh_token": org.refresh_token(),
        "id": f"{address}/id/{identity['organization_id']}/{identity['user_id']}",
        "connected_app": "env",
    }
    service = app | {"callback_url": "http://localhost/callback", "login_url": "https://login.salesforce.com"}
    cci.run(
        *("cci", "flow", "run", "exercise", "--org", "local"),
        CUMULUSCI_KEY="0123456789abcdef",
        CUMULUSCI_ORG_local=json.dumps(config),
        CUMULUSCI_SERVICE_connected_app=json.dumps(service),
    )
    admin = org.session(admin=True)
    accounts = admin.soql("SELECT Name, BillingCountry FROM Account")
    assert len(accounts) == 20
    assert {account["BillingCountry"] for account in accounts} == {"Netherlands"}
    products = admin.soql("SELECT Key__c, Name, IsActive FROM Product2 ORDER BY Key__c")
    assert [(p["Key__c"], p["Name"], p["IsActive"]) for p in products] == [("P1", "Bolt", True), ("P2", "Nut", False)]
    with sqlite3.connect(":memory:") as extracted:
        extracted.executescript((cci.folder / "extracted.sql").read_text(encoding="utf-8"))
        joined = extracted.execute("SELECT count(*) FROM Contact JOIN Account ON Account.id = Contact.AccountId")
        assert joined.fetchone() == (40,)
    assert admin.soql("SELECT Id FROM Contact") == []
    assert len(admin.soql("SELECT Id FROM Contact", deleted=True)) == 40


@pytest.mark.parametrize("name", ["Account", "Contact", "Opportunity"])
def test_describe_has_the_recorded_shape(python: Path, org: Org, name: str) -> None:
    where = "lib/python*/site-packages/cumulusci/tests/shared_cassettes"
    [path] = python.parents[1].glob(f"{where}/GET_sobjects_{name}_describe.yaml")
    recording = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    recorded: dict[str, Any] = json.loads(recording["response"]["body"]["string"])
    local = org.session(admin=True).get(f"/sobjects/{name}/describe").json()
    assert set(recorded) <= set(local)
    for part in ("recordTypeInfos", "childRelationships", "supportedScopes"):
        assert set(recorded[part][0]) == set(local[part][0]), part
    fields = {field["name"]: field for field in recorded["fields"]}
    shared = [field for field in local["fields"] if field["name"] in fields]
    assert len(shared) > 20
    for field in shared:
        assert set(field) == set(fields[field["name"]])
        other = {key: value for key, value in fields[field["name"]].items() if value != field[key]}
        assert set(other) <= _OTHER or (name, field["name"]) in _OTHER_FIELDS, (field["name"], other)
