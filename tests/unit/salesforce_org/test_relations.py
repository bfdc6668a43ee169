# ruff: noqa: S608 - the statements are SOQL made of the test's own words
"""What a change does to related records: roll-ups, deletes, undelete, merge."""

from datetime import timedelta
from typing import Any
from unittest.mock import ANY

import pytest


def later(org: Any) -> None:
    org.clock.offset += timedelta(minutes=1)


@pytest.fixture
def account(admin: Any) -> str:
    return str(admin.create("Account", Name="Acme"))


def child(api: Any, account: str, key: str, **more: Any) -> str:
    return str(api.create("ERP_Account__c", Account__c=account, Key__c=key, **more))


def figures(admin: Any, account: str) -> list[Any]:
    fields = "ERP_Accounts__c, ERP_Accounts_On_Hold__c, ERP_Highest_Risk__c, SystemModstamp"
    [found] = admin.run(f"SELECT {fields} FROM Account WHERE Id = '{account}'")["records"]
    return [found[name] for name in fields.split(", ")]


def test_roll_ups_follow_children_and_touch_the_parent(admin: Any, api: Any, org: Any, account: str) -> None:
    *nothing, stamp = figures(admin, account)
    assert nothing == [0.0, 0.0, None]
    later(org)
    one = child(api, account, "1", Active__c=True, Risk_Level__c=2)
    child(api, account, "2", Active__c=True, Credit_Hold__c=True, Risk_Level__c=4)
    counts = figures(admin, account)
    assert counts[:3] == [2.0, 1.0, 4.0]
    assert counts[3] > stamp
    later(org)
    api.send("PATCH", f"/sobjects/ERP_Account__c/{one}", {"Payment_Terms__c": "30 days"})
    assert figures(admin, account) == counts  # nothing summarized changed: the parent is left alone
    api.send("PATCH", f"/sobjects/ERP_Account__c/{one}", {"Active__c": False})
    assert figures(admin, account)[:3] == [1.0, 1.0, 4.0]
    assert figures(admin, account)[3] > counts[3]


def test_roll_ups_follow_a_child_to_its_new_parent(admin: Any, api: Any, account: str) -> None:
    other = admin.create("Account", Name="Other")
    record = child(api, account, "1", Active__c=True, Risk_Level__c=3)
    api.send("PATCH", f"/sobjects/ERP_Account__c/{record}", {"Account__c": other})
    assert figures(admin, account)[:3] == [0.0, 0.0, None]
    assert figures(admin, other)[:3] == [1.0, 0.0, 3.0]


def test_delete_takes_details_along_and_undelete_brings_them_back(admin: Any, api: Any, account: str) -> None:
    below = admin.create("Account", Name="below", ParentId=account)
    contact = admin.create("Contact", LastName="Doe", AccountId=account)
    detail = child(api, account, "1", Active__c=True)
    assert admin.send("DELETE", f"/sobjects/Account/{account}").status == 204
    assert admin.refused("GET", f"/sobjects/Account/{account}") == (404, "ENTITY_IS_DELETED")
    assert admin.refused("PATCH", f"/sobjects/Contact/{contact}", {"LastName": "x"}) == (404, "ENTITY_IS_DELETED")
    assert admin.column("SELECT ParentId FROM Account") == [None]
    deleted = admin.run("SELECT Id, IsDeleted FROM Account ORDER BY Id", deleted=True)["records"]
    assert [(r["Id"], r["IsDeleted"]) for r in deleted] == [(account, True), (below, False)]
    assert admin.column("SELECT Id FROM ERP_Account__c WHERE IsDeleted = true", deleted=True) == [detail]

    assert admin.send("POST", "/sandbox/undelete", {"ids": [account]}).status == 204
    assert admin.column(f"SELECT ParentId FROM Account WHERE Id = '{below}'") == [account]
    assert admin.column("SELECT AccountId FROM Contact") == [account]
    assert figures(admin, account)[0] == 1.0
    assert admin.send("POST", "/sandbox/undelete", {"ids": [account]}).status == 400


def test_nothing_new_points_to_a_deleted_record(admin: Any, account: str) -> None:
    admin.send("DELETE", f"/sobjects/Account/{account}")
    refused = admin.refused("POST", "/sobjects/Contact", {"LastName": "Doe", "AccountId": account})
    assert refused == (400, "ENTITY_IS_DELETED")


def test_deleted_child_leaves_the_roll_up(admin: Any, api: Any, account: str) -> None:
    record = child(api, account, "1", Active__c=True)
    api.send("DELETE", f"/sobjects/ERP_Account__c/{record}")
    assert figures(admin, account)[0] == 0.0


def test_undelete_refuses_a_taken_unique_value(admin: Any, api: Any, account: str) -> None:
    record = child(api, account, "1")
    api.send("DELETE", f"/sobjects/ERP_Account__c/{record}")
    child(api, account, "1")
    answer = admin.send("POST", "/sandbox/undelete", {"ids": [record]})
    assert answer.data[0]["errorCode"] == "DUPLICATE_VALUE"
    assert admin.run("SELECT COUNT() FROM ERP_Account__c")["totalSize"] == 1


def test_merge(admin: Any, api: Any, org: Any, account: str) -> None:
    loser = admin.create("Account", Name="Acme BV", Phone="1")
    below = admin.create("Account", Name="below", ParentId=loser)
    contact = admin.create("Contact", LastName="Doe", AccountId=loser)
    child(api, account, "1", Active__c=True)
    moved = child(api, loser, "2", Active__c=True)
    before = figures(admin, account)[-1]
    later(org)
    answer = admin.send("POST", "/sandbox/merge", {"master": account, "losers": [loser], "values": {"Phone": "1"}})
    assert answer.data["mergedRecordIds"] == [loser]
    assert set(answer.data["updatedRelatedIds"]) == {below, contact, moved}
    [gone] = admin.run(f"SELECT MasterRecordId, IsDeleted FROM Account WHERE Id = '{loser}'", deleted=True)["records"]
    assert (gone["MasterRecordId"], gone["IsDeleted"]) == (account, True)
    assert admin.column("SELECT AccountId FROM Contact") == [account]
    assert admin.column(f"SELECT ParentId FROM Account WHERE Id = '{below}'") == [account]
    assert figures(admin, account)[0] == 2.0
    assert figures(admin, account)[3] > before
    assert admin.column(f"SELECT Phone FROM Account WHERE Id = '{account}'") == ["1"]
    assert admin.column(f"SELECT SystemModstamp FROM Contact WHERE Id = '{contact}'")[0] > before


def test_merge_with_ones_own_parent_makes_no_loop(admin: Any) -> None:
    loser = admin.create("Account", Name="parent")
    master = admin.create("Account", Name="child", ParentId=loser)
    assert admin.send("POST", "/sandbox/merge", {"master": master, "losers": [loser]}).status == 200
    assert admin.column("SELECT ParentId FROM Account") == [None]


@pytest.mark.parametrize("losers", [0, 3])
def test_merge_takes_one_or_two(admin: Any, account: str, losers: int) -> None:
    others = [admin.create("Account", Name=str(n)) for n in range(losers)]
    assert admin.refused("POST", "/sandbox/merge", {"master": account, "losers": others}) == (400, "INVALID_OPERATION")


def test_emptied_recycle_bin_hides_from_query_all(admin: Any, account: str) -> None:
    admin.send("DELETE", f"/sobjects/Account/{account}")
    assert admin.send("POST", "/sandbox/empty_recycle_bin").status == 204
    assert admin.column("SELECT Id FROM Account", deleted=True) == []


def test_get_deleted_and_updated(admin: Any, account: str) -> None:
    gone = admin.create("Account", Name="gone")
    admin.send("DELETE", f"/sobjects/Account/{gone}")
    span = "start=2020-01-01T00:00:00Z&end=2999-01-01T00:00:00Z"
    assert admin.send("GET", f"/sobjects/Account/updated?{span}").data["ids"] == [account]
    assert [r["id"] for r in admin.send("GET", f"/sobjects/Account/deleted?{span}").data["deletedRecords"]] == [gone]
    assert admin.refused("GET", "/sobjects/Account/updated?start=x&end=y") == (400, "INVALID_PARAMETER")


def test_polymorphic_references(admin: Any) -> None:
    account = admin.create("Account", Name="Acme")
    product = admin.create("Product2", Name="Bolt", Key__c="P1")
    lead = admin.create("Lead", LastName="Doe", Company="Doe Ltd", Status="Open - Not Contacted")
    contact = admin.create("Contact", LastName="Roe")
    for subject, what, who in (("a", account, lead), ("b", product, contact), ("c", None, None)):
        admin.create("Task", Subject=subject, WhatId=what, WhoId=who)
    query = "SELECT Subject, What.Name, What.Type, Who.Id FROM Task ORDER BY Subject"
    first, second, third = admin.run(query)["records"]
    assert first["What"] == {
        "attributes": {"type": "Name", "url": f"/services/data/v62.0/sobjects/Account/{account}"},
        "Name": "Acme",
        "Type": "Account",
    }
    assert (second["What"]["Name"], second["What"]["Type"], second["Who"]["Id"]) == ("Bolt", "Product2", contact)
    assert (third["What"], third["Who"]) == (None, None)
    assert admin.column("SELECT Subject FROM Task WHERE What.Type = 'Product2' AND Who.Name LIKE 'r%'") == ["b"]
    assert admin.column("SELECT COUNT(Id) FROM Task GROUP BY What.Type ORDER BY What.Type NULLS LAST") == [1, 1, 1]
    [found] = admin.run("SELECT Id, (SELECT Subject FROM Tasks) FROM Account")["records"]
    assert found["Tasks"]["records"][0]["Subject"] == "a"
    assert admin.refused("POST", "/sobjects/Task", {"Subject": "d", "WhatId": lead}) == (
        400,
        "FIELD_INTEGRITY_EXCEPTION",
    )
    described = {f["name"]: f for f in admin.send("GET", "/sobjects/Task/describe").data["fields"]}
    assert described["WhoId"]["polymorphicForeignKey"]
    assert described["WhoId"]["referenceTo"] == ["Contact", "Lead"]
    assert not described["OwnerId"]["polymorphicForeignKey"]
    assert admin.send("DELETE", f"/sobjects/Account/{account}").status == 204
    assert admin.column("SELECT WhatId FROM Task WHERE Subject = 'a'") == [None]
    by_key = {"Subject": "e", "Product2:What": {"Key__c": "P1"}}
    assert admin.send("POST", "/sobjects/Task", by_key).status == 201
    assert admin.column("SELECT What.Name FROM Task WHERE Subject = 'e'") == [{"attributes": ANY, "Name": "Bolt"}]
    assert admin.refused("POST", "/sobjects/Task", {"What": {"Key__c": "P1"}}) == (400, "INVALID_FIELD")
