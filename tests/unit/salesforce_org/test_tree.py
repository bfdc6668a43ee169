"""sObject trees and batches: many records, or many requests, in one."""

from typing import Any

import pytest


def node(type: str, reference: str, *children: dict[str, Any], via: str = "", **values: Any) -> dict[str, Any]:
    nested = {via: {"records": list(children)}} if children else {}
    return {"attributes": {"type": type, "referenceId": reference}, **values, **nested}


def account(reference: str, *contacts: dict[str, Any], **values: Any) -> dict[str, Any]:
    return node("Account", reference, *contacts, via="Contacts", **{"Name": reference, **values})


def test_a_tree_is_created_with_its_children(admin: Any) -> None:
    records = [account("a", node("Contact", "c1", LastName="1"), node("Contact", "c2", LastName="2")), account("b")]
    answer = admin.send("POST", "/composite/tree/Account", {"records": records})
    assert (answer.status, answer.data["hasErrors"]) == (201, False)
    assert [result["referenceId"] for result in answer.data["results"]] == ["a", "c1", "c2", "b"]
    assert admin.column("SELECT Id FROM Account WHERE Name = 'a'") == [answer.data["results"][0]["id"]]
    assert admin.column("SELECT LastName FROM Contact WHERE Account.Name = 'a' ORDER BY LastName") == ["1", "2"]


def test_a_tree_is_created_whole_or_not_at_all(admin: Any) -> None:
    records = [account("a", node("Contact", "c1", FirstName="no last name"), node("Contact", "c2", LastName="2"))]
    answer = admin.send("POST", "/composite/tree/Account", {"records": records})
    assert (answer.status, answer.data["hasErrors"]) == (400, True)
    [result] = answer.data["results"]
    assert (result["referenceId"], result["errors"][0]["statusCode"]) == ("c1", "REQUIRED_FIELD_MISSING")
    assert admin.column("SELECT Id FROM Account") == admin.column("SELECT Id FROM Contact") == []


def deep(levels: int) -> dict[str, Any]:
    more = [deep(levels - 1)] if levels > 1 else []
    return node("Account", f"a{levels}", *more, via="ChildAccounts", Name="A")


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([], "INVALID_INPUT"),
        ([{"Name": "A"}], "INVALID_INPUT"),
        ([account("a"), account("a")], "INVALID_INPUT"),
        ([account(str(n)) for n in range(201)], "INVALID_INPUT"),
        ([node("Contact", "c", LastName="C")], "INVALID_INPUT"),
        ([deep(6)], "INVALID_INPUT"),
        ([node("Account", "a", node("Contact", "c"), via="Nope", Name="A")], "INVALID_FIELD"),
        ([account("a", Nope=1)], "INVALID_FIELD"),
    ],
)
def test_refused_trees(admin: Any, records: Any, code: str) -> None:
    assert admin.refused("POST", "/composite/tree/Account", {"records": records}) == (400, code)
    assert admin.column("SELECT Id FROM Account") == []


def test_five_levels_are_a_tree(admin: Any) -> None:
    answer = admin.send("POST", "/composite/tree/Account", {"records": [deep(5)]})
    assert answer.status == 201
    assert admin.column(
        "SELECT Parent.Parent.Parent.Parent.Name FROM Account WHERE Parent.Parent.Parent.Parent.Id != null"
    )


def test_a_batch_answers_each_request_for_itself(admin: Any) -> None:
    requests = [
        {"method": "POST", "url": "v62.0/sobjects/Account", "richInput": {"Name": "A"}},
        {"method": "GET", "url": "v62.0/sobjects/Nope"},
        {"method": "GET", "url": "/services/data/v62.0/query?q=SELECT+Name+FROM+Account"},
    ]
    answer = admin.send("POST", "/composite/batch", {"batchRequests": requests}).data
    assert (answer["hasErrors"], [r["statusCode"] for r in answer["results"]]) == (True, [201, 404, 200])
    assert answer["results"][2]["result"]["records"][0]["Name"] == "A"
    answer = admin.send("POST", "/composite/batch", {"batchRequests": requests, "haltOnError": True}).data
    assert [r["statusCode"] for r in answer["results"]] == [201, 404, 412]
    assert answer["results"][2]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"
    assert admin.refused("POST", "/composite/batch", {"batchRequests": requests * 9}) == (400, "LIMIT_EXCEEDED")
    nested = {"batchRequests": [{"method": "POST", "url": "v62.0/composite/batch", "richInput": {}}]}
    assert admin.send("POST", "/composite/batch", nested).data["results"][0]["statusCode"] == 400
