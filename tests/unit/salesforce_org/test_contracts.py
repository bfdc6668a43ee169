# ruff: noqa: S608 - the statements are SOQL made of the test's own words
"""Contracts: term, approval, activation."""

from typing import Any

import pytest


@pytest.fixture
def account(admin: Any) -> str:
    return str(admin.create("Account", Name="Acme"))


def contract(admin: Any, account: str, **more: Any) -> str:
    return str(admin.create("Contract", AccountId=account, **more))


def read(admin: Any, record: str, *names: str) -> list[Any]:
    found = admin.send("GET", f"/sobjects/Contract/{record}").data
    return [found[name] for name in names]


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-01", 12, "2026-12-31"),
        ("2026-03-15", 1, "2026-04-14"),
        ("2024-01-31", 1, "2024-02-28"),
        ("2026-11-01", 14, "2027-12-31"),
        (None, 12, None),
        ("2026-01-01", None, None),
    ],
)
def test_the_end_follows_from_start_and_term(admin: Any, account: str, start: Any, months: Any, end: Any) -> None:
    record = contract(admin, account, StartDate=start, ContractTerm=months)
    assert read(admin, record, "EndDate") == [end]
    admin.send("PATCH", f"/sobjects/Contract/{record}", {"StartDate": "2030-01-01", "ContractTerm": 1})
    assert read(admin, record, "EndDate") == ["2030-01-31"]
    admin.send("PATCH", f"/sobjects/Contract/{record}", {"ContractTerm": None})
    assert read(admin, record, "EndDate") == [None]
    refusal = (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    assert admin.refused("PATCH", f"/sobjects/Contract/{record}", {"EndDate": "2030-01-31"}) == refusal


def test_a_contract_goes_from_draft_through_approval_to_activated(admin: Any, account: str) -> None:
    record = contract(admin, account)
    names = ("ContractNumber", "Status", "StatusCode", "ActivatedDate")
    assert read(admin, record, *names) == ["00000001", "Draft", "Draft", None]
    for status, code in (("In Approval Process", "InApproval"), ("Draft", "Draft"), ("Activated", "Activated")):
        assert admin.send("PATCH", f"/sobjects/Contract/{record}", {"Status": status}).status == 204
        assert read(admin, record, "StatusCode") == [code]
    assert read(admin, record, "ActivatedDate") != [None]


def test_moves_that_are_not_there(admin: Any, account: str) -> None:
    answer = admin.send("POST", "/sobjects/Contract", {"AccountId": account, "Status": "Activated"})
    assert (answer.status, answer.data[0]["errorCode"], answer.data[0]["fields"]) == (
        400,
        "FAILED_ACTIVATION",
        ["Status"],
    )
    assert answer.data[0]["message"].startswith("Choose a valid contract status and save your changes.")
    record = contract(admin, account)
    admin.send("PATCH", f"/sobjects/Contract/{record}", {"Status": "Activated"})
    for status in ("Draft", "In Approval Process", "Nonsense"):
        path = f"/sobjects/Contract/{record}"
        assert admin.refused("PATCH", path, {"Status": status}) == (400, "FAILED_ACTIVATION")
    # Saying again what is so changes nothing.
    assert admin.send("PATCH", f"/sobjects/Contract/{record}", {"Status": "Activated"}).status == 204


def test_an_activated_contract_is_deleted_by_permission_only(admin: Any, api: Any, account: str) -> None:
    record = contract(admin, account)
    api.send("POST", "/sandbox/permissions", {"object": "Contract", "actions": ["read", "edit", "delete"]})
    admin.send("PATCH", f"/sobjects/Contract/{record}", {"Status": "Activated"})
    refusal = (403, "INSUFFICIENT_ACCESS_OR_READONLY")
    assert api.refused("DELETE", f"/sobjects/Contract/{record}") == refusal
    assert admin.refused("DELETE", f"/sobjects/Account/{account}") == (400, "DELETE_FAILED")
    assert admin.send("DELETE", f"/sobjects/Contract/{record}").status == 204


def test_lines_and_instalments_go_with_their_contract(admin: Any, api: Any, account: str) -> None:
    record = contract(admin, account)
    line = api.create("Contract_Line__c", Contract__c=record, Key__c="c#1", Billing_Period__c="Monthly", Quantity__c=2)
    api.create("Billing_Schedule__c", Contract__c=record, Key__c="c#2", Amount__c=10)
    names = "(SELECT Key__c FROM Contract_Lines__r), (SELECT Amount__c FROM Billing_Schedules__r)"
    [found] = api.run(f"SELECT Id, {names} FROM Contract")["records"]
    assert [r["Key__c"] for r in found["Contract_Lines__r"]["records"]] == ["c#1"]
    assert [r["Amount__c"] for r in found["Billing_Schedules__r"]["records"]] == [10.0]
    admin.send("DELETE", f"/sobjects/Contract/{record}")
    assert api.refused("GET", f"/sobjects/Contract_Line__c/{line}") == (404, "ENTITY_IS_DELETED")
    assert api.column("SELECT Id FROM Billing_Schedule__c") == []
