# ruff: noqa: S608 - the statements are SOQL made of the test's own words
"""Insert, update, upsert: identity, uniqueness, references, stamps."""

from datetime import timedelta
from typing import Any

import pytest


@pytest.fixture
def account(admin: Any) -> str:
    return str(admin.create("Account", Name="Acme"))


def erp(account: str, key: str = "NL01:1", **more: Any) -> dict[str, Any]:
    return {"Account__c": account, "Key__c": key, **more}


def test_upsert_creates_then_updates(api: Any, account: str) -> None:
    values = erp(account)
    del values["Key__c"]
    created = api.send("PATCH", "/sobjects/ERP_Account__c/Key__c/NL01:1", values)
    updated = api.send("PATCH", "/sobjects/ERP_Account__c/Key__c/NL01:1", {"Active__c": True})
    assert (created.status, created.data["created"]) == (201, True)
    assert (updated.status, updated.data["created"]) == (200, False)
    assert created.data["id"] == updated.data["id"]
    assert api.column("SELECT Name FROM ERP_Account__c") == ["CA-000001"]


def test_case_sensitive_external_id_tells_letters_apart(api: Any, account: str) -> None:
    for key in ("k1", "K1"):
        assert api.send("PATCH", f"/sobjects/ERP_Account__c/Key__c/{key}", {"Account__c": account}).status == 201
    assert api.column("SELECT Key__c FROM ERP_Account__c WHERE Key__c = 'K1'") == ["K1"]


def test_an_external_id_found_without_regard_to_case_is_stored_as_given(admin: Any) -> None:
    for key in ("tier", "TIER"):
        row = {"attributes": {"type": "ERP_Price_Tier__c"}, "Price_Key__c": key}
        answer = admin.send("PATCH", "/composite/sobjects/ERP_Price_Tier__c/Price_Key__c", {"records": [row]})
        assert answer.data[0]["success"], answer.data
    assert admin.column("SELECT Price_Key__c FROM ERP_Price_Tier__c") == ["TIER"]


def test_several_matches_answer_300(api: Any, org: Any, account: str) -> None:
    first = api.create("ERP_Account__c", **erp(account, "k"))
    second = api.create("ERP_Account__c", **erp(account, "other"))
    with org.store.write() as db:
        db.execute("UPDATE ERP_Account__c SET Key__c = 'k' WHERE Id = ?", (second,))
    answer = api.send("PATCH", "/sobjects/ERP_Account__c/Key__c/k", {"Active__c": True})
    assert answer.status == 300
    assert answer.data == [f"/services/data/v62.0/sobjects/ERP_Account__c/{record}" for record in (first, second)]


def test_unique_value(api: Any, account: str) -> None:
    first = api.create("ERP_Account__c", **erp(account))
    answer = api.send("POST", "/sobjects/ERP_Account__c", erp(account))
    assert answer.data[0]["errorCode"] == "DUPLICATE_VALUE"
    assert answer.data[0]["message"] == f"duplicate value found: Key__c duplicates value on record with id: {first}"
    # Saving the record itself again is no duplicate, and a deleted record holds no value.
    assert api.send("PATCH", f"/sobjects/ERP_Account__c/{first}", {"Key__c": "NL01:1"}).status == 204
    assert api.send("DELETE", f"/sobjects/ERP_Account__c/{first}").status == 204
    api.create("ERP_Account__c", **erp(account))


def test_parent_by_external_id(api: Any, admin: Any, account: str) -> None:
    body = {"LastName": "A", "Account": {"Legal_Name__c": "x"}}
    assert admin.refused("POST", "/sobjects/Contact", body) == (400, "INVALID_FIELD")
    answer = admin.send("POST", "/sobjects/Contact", {"LastName": "A", "Account": {"Id": account}})
    assert answer.status == 201
    assert admin.column("SELECT AccountId FROM Contact") == [account]


def test_hierarchy_has_no_loops(admin: Any) -> None:
    top = admin.create("Account", Name="top")
    middle = admin.create("Account", Name="middle", ParentId=top)
    low = admin.create("Account", Name="low", ParentId=middle)
    for parent in (top, low):
        refused = admin.refused("PATCH", f"/sobjects/Account/{top}", {"ParentId": parent})
        assert refused == (400, "CIRCULAR_DEPENDENCY")
    # Two updates of one request that only together make a loop.
    answer = admin.send(
        "PATCH",
        "/composite/sobjects",
        {
            "records": [
                {"attributes": {"type": "Account"}, "Id": middle, "ParentId": None},
                {"attributes": {"type": "Account"}, "Id": top, "ParentId": low},
                {"attributes": {"type": "Account"}, "Id": low, "ParentId": top},
            ]
        },
    )
    assert [result["success"] for result in answer.data] == [True, True, False]


def test_stamps(admin: Any, org: Any, account: str) -> None:
    fields = "CreatedDate, LastModifiedDate, SystemModstamp, LastModifiedBy.Username"
    org.clock.offset = timedelta(hours=1)
    admin.send("PATCH", f"/sobjects/Account/{account}", {"Name": "Acme"})
    [found] = admin.run(f"SELECT {fields} FROM Account")["records"]
    assert found["CreatedDate"] < found["LastModifiedDate"] == found["SystemModstamp"]
    assert found["SystemModstamp"].endswith(".000+0000")
    assert found["LastModifiedBy"]["Username"] == "admin@accord.example"


def test_late_commit_carries_an_older_stamp(admin: Any, org: Any, account: str) -> None:
    org.faults.add({"kind": "late_commit", "path": ".*/sobjects/Account", "value": 60, "times": 1})
    late = admin.create("Account", Name="late")
    assert admin.column("SELECT Id FROM Account ORDER BY SystemModstamp") == [late, account]


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        (
            "POST",
            "/sobjects/Account",
            {"Id": "001gK0000000001QAA", "Name": "A"},
            (400, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ),
        ("PATCH", "/sobjects/Account/001gK00000009zz", {"Name": "A"}, (404, "NOT_FOUND")),
        ("PATCH", "/sobjects/Account/nonsense", {"Name": "A"}, (404, "NOT_FOUND")),
        ("PATCH", "/sobjects/Account/Nope__c/1", {"Name": "A"}, (404, "NOT_FOUND")),
        ("PATCH", "/sobjects/ERP_Account__c/Key__c/1", {"Key__c": "1"}, (400, "INVALID_FIELD")),
        ("POST", "/sobjects/Nothing", {"Name": "A"}, (404, "NOT_FOUND")),
        ("POST", "/sobjects/User", {"LastName": "A"}, (403, "INSUFFICIENT_ACCESS_OR_READONLY")),
        ("POST", "/sobjects/Account", b"{", (400, "JSON_PARSER_ERROR")),
        ("POST", "/sobjects/Account", [1], (400, "JSON_PARSER_ERROR")),
        ("POST", "/sobjects/ERP_Account__c", {"Key__c": "a"}, (400, "REQUIRED_FIELD_MISSING")),
    ],
)
def test_refused(admin: Any, method: str, path: str, body: Any, expected: tuple[int, str]) -> None:
    assert admin.refused(method, path, body) == expected


def test_null_clears_and_absence_leaves_alone(admin: Any) -> None:
    record = admin.create("Account", Name="A", Phone="1", Fax="2")
    admin.send("PATCH", f"/sobjects/Account/{record}", {"Phone": None})
    [found] = admin.run("SELECT Phone, Fax FROM Account")["records"]
    assert (found["Phone"], found["Fax"]) == (None, "2")
