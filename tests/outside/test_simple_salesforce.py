"""simple-salesforce, REST and Bulk 2.0, unchanged, over HTTPS."""

import csv
import datetime
import io
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from tests.salesforce_org import Org, start_org


def connect(org: Org, *, admin: bool = True, **changes: Any) -> Any:
    """Sign in by client credentials, through the org's proxy as a real address would be reached."""
    pair = {"consumer_key": org.admin_id, "consumer_secret": org.admin_secret}
    if not admin:
        pair = {"consumer_key": org.client_id, "consumer_secret": org.client_secret}
    return Salesforce(**{**pair, "domain": "accord.my", "proxies": {"https": org.proxy}, "version": "62.0", **changes})


@pytest.fixture
def sf(org: Org) -> Any:
    return connect(org)


def test_sign_in_by_client_credentials(sf: Any) -> None:
    assert sf.sf_instance == "accord.my.salesforce.com"
    assert sf.limits()["DailyApiRequests"]["Max"] == 100_000
    assert sf.api_usage["api-usage"].total == 100_000


def test_sign_in_is_refused(org: Org) -> None:
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid_client"):
        connect(org, consumer_secret="wrong")


def test_sign_in_by_jwt_bearer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = tmp_path / "public.pem"
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    org = start_org(tmp_path / "org", jwt_key=public)
    try:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(org.certificate))
        wanted: dict[str, Any] = {
            "username": org.username,
            "consumer_key": org.client_id,
            "proxies": {"https": org.proxy},
        }
        sf: Any = Salesforce(**wanted, privatekey=private.decode(), version="62.0")
        assert sf.query("SELECT Username FROM User WHERE Username LIKE 'integration%'")["totalSize"] == 1
        stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with pytest.raises(SalesforceAuthenticationFailed, match="invalid_grant"):
            Salesforce(**wanted, privatekey=stranger.decode())
    finally:
        org.stop()


def test_sign_in_by_username_and_password(org: Org) -> None:
    who = {"username": org.username, "password": "local-only-password", "proxies": {"https": org.proxy}}
    by_soap: Any = Salesforce(**who, security_token="TOKEN", version="62.0")
    assert by_soap.query("SELECT Id FROM User")["totalSize"] == 2
    app = {"consumer_key": org.client_id, "consumer_secret": org.client_secret}
    by_grant: Any = Salesforce(**who, **app, version="62.0")
    assert by_grant.limits()["DailyApiRequests"]["Max"] == 100_000
    with pytest.raises(SalesforceAuthenticationFailed, match="INVALID_LOGIN"):
        Salesforce(**{**who, "password": "wrong"}, security_token="TOKEN")


def test_an_existing_session(org: Org) -> None:
    sf: Any = Salesforce(session_id=org.token(admin=True), instance_url=org.https)
    assert sf.is_sandbox() is True
    org.expire_sessions()
    with pytest.raises(SalesforceExpiredSession):
        sf.describe()


def test_records(sf: Any, org: Org) -> None:
    created = sf.Account.create({"Name": "Acme", "BillingCountryCode": "NL"})
    assert created == {"id": created["id"], "success": True, "errors": []}
    record = created["id"]
    assert sf.Account.update(record, {"Phone": "1"}) == 204
    assert sf.Account.get(record)["BillingAddress"]["country"] == "Netherlands"
    values = {"Account__c": record, "Active__c": True}
    assert sf.ERP_Account__c.upsert("Key__c/NL01:1", values) == 201
    assert sf.ERP_Account__c.upsert("Key__c/NL01:1", {"Active__c": False}) == 200
    assert sf.ERP_Account__c.get_by_custom_id("Key__c", "NL01:1")["Account__c"] == record
    assert sf.Account.describe()["name"] == "Account"
    assert "objectDescribe" in sf.Account.metadata()
    with pytest.raises(SalesforceMalformedRequest, match="REQUIRED_FIELD_MISSING"):
        sf.Account.create({})
    with pytest.raises(SalesforceResourceNotFound):
        sf.Account.get("001gK00000009zz")
    assert sf.Account.delete(record) == 204
    with pytest.raises(SalesforceResourceNotFound, match="ENTITY_IS_DELETED"):
        sf.Account.get(record)


def test_queries(sf: Any) -> None:
    for start in range(0, 2400, 200):
        rows = [{"attributes": {"type": "Account"}, "Name": f"{n:05}"} for n in range(start, start + 200)]
        sf.restful("composite/sobjects", method="POST", json={"records": rows})
    result = sf.query("SELECT Name FROM Account ORDER BY Name")
    assert (result["totalSize"], result["done"], len(result["records"])) == (2400, False, 2000)
    rest = sf.query_more(result["nextRecordsUrl"], identifier_is_url=True)
    assert (rest["done"], len(rest["records"])) == (True, 400)
    rest = sf.query_more(result["nextRecordsUrl"].split("/")[-1])
    assert len(rest["records"]) == 400
    names = [record["Name"] for record in sf.query_all_iter("SELECT Name FROM Account ORDER BY Name")]
    assert names == [f"{n:05}" for n in range(2400)]
    sf.Account.delete(rest["records"][0]["attributes"]["url"].split("/")[-1])
    assert sf.query_all("SELECT Id FROM Account", include_deleted=True)["totalSize"] == 2400
    with pytest.raises(SalesforceMalformedRequest, match="No such column"):
        sf.query("SELECT Nope FROM Account")


def test_bulk_2(sf: Any, org: Org, tmp_path: Path) -> None:
    rows = [{"Name": f"Bulk {n}", "Phone": f'"{n}",\n'} for n in range(3000)] + [{"Name": "", "Phone": "x"}]
    [done] = sf.bulk2.Account.insert(records=rows, wait=0.05)
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (3001, 1)
    job = done["job_id"]
    failed = list(csv.DictReader(io.StringIO(sf.bulk2.Account.get_failed_records(job))))
    assert failed[0]["sf__Error"].startswith("REQUIRED_FIELD_MISSING:")
    good = list(csv.DictReader(io.StringIO(sf.bulk2.Account.get_successful_records(job), newline="")))
    assert len(good) == 3000
    assert len(sf.bulk2.Account.get_unprocessed_records(job).splitlines()) == 1
    assert set(sf.bulk2.Account.get_all_ingest_records(job)) == {
        "successfulRecords",
        "failedRecords",
        "unprocessedRecords",
    }

    ids = [row["sf__Id"] for row in good]
    [done] = sf.bulk2.Account.update(records=[{"Id": i, "Phone": "7"} for i in ids[:100]], wait=0.05)
    assert done["numberRecordsFailed"] == 0
    keyed = [{"Key__c": f"k{n}", "Account__c": i} for n, i in enumerate(ids[:50])]
    for _ in range(2):
        [done] = sf.bulk2.ERP_Account__c.upsert(records=keyed, external_id_field="Key__c", wait=0.05)
        assert done["numberRecordsFailed"] == 0
    assert sf.query("SELECT COUNT() FROM ERP_Account__c")["totalSize"] == 50

    pages = list(sf.bulk2.Account.query("SELECT Id, Name, Phone FROM Account", max_records=1000, wait=0.05))
    found = [row for page in pages for row in csv.DictReader(io.StringIO(page, newline=""))]
    assert len(pages) == 3
    assert {row["Id"] for row in found} == set(ids)
    files = sf.bulk2.Account.download("SELECT Id FROM Account", path=str(tmp_path), max_records=2000, wait=0.05)
    assert sum(item["number_of_records"] for item in files) == 3000

    [done] = sf.bulk2.Account.delete(records=[{"Id": i} for i in ids[:10]], wait=0.05)
    [gone] = sf.bulk2.Account.hard_delete(records=[{"Id": i} for i in ids[10:20]], wait=0.05)
    assert done["numberRecordsFailed"] == gone["numberRecordsFailed"] == 0
    assert sf.query_all("SELECT Id FROM Account", include_deleted=True)["totalSize"] == 2990


def test_describe_every_object(sf: Any) -> None:
    for item in sf.describe()["sobjects"]:
        assert getattr(sf, item["name"]).describe()["keyPrefix"] == item["keyPrefix"]


def test_updated_and_deleted(sf: Any) -> None:
    record = sf.Account.create({"Name": "A"})["id"]
    now = datetime.datetime.now(datetime.UTC)
    span = (now - datetime.timedelta(days=1), now + datetime.timedelta(days=1))
    assert sf.Account.updated(*span)["ids"] == [record]
    sf.Account.delete(record)
    assert [r["id"] for r in sf.Account.deleted(*span)["deletedRecords"]] == [record]


def test_missing_objects_of_taps(sf: Any) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_TYPE"):
        sf.query("SELECT Id FROM ScratchOrgInfo")
    assert sf.oauth2("userinfo")["preferred_username"] == "admin@accord.example"
