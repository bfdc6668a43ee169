"""Both directions over real systems: a customer of both ERPs exists once in each and once in Salesforce; a second run writes
nothing anywhere."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from sandbox.company.registrations import registration
from sandbox.erp.finance import decide, finance
from sandbox.erp.legacy.install import finance as legacy_finance
from tests.integration.real.oracle import complaints
from tests.integration.real.world import CUSTOMERS, LEGACY_ACCOUNTS, TRYTON_ACCOUNTS, RealWorld, counts

VAT = registration("NL", Random(15))  # noqa: S311 - a number that is the same every time


def test_there_and_back_twice(world: RealWorld) -> None:
    group = world.account("Alder Group", entities="NL01;US01", Tax_Registration__c=VAT, Phone="+31 15 1")
    works = world.account("Alder Works", ParentId=group, ShippingCity="Gouda", ShippingCountryCode="NL")
    west = world.account(
        "Alder West",
        entities="US01",
        ParentId=group,
        BillingCountryCode="US",
        BillingStateCode="CA",
        BillingCity="Napa",
    )
    ours = [group, works, west]
    world.people.create("Contact", AccountId=group, LastName="Alder", FirstName="Ann", Email="ann@alder.example")

    first = world.run()
    assert first["extracted"] == 3
    assert counts(first, "tryton") == {"applied": 2, "excluded": 1}
    assert counts(first, "legacy") == {"applied": 2, "excluded": 1}
    assert complaints(world) == []
    assert [world.status(account) for account in ours] == [("Synced", None)] * 3
    assert world.written("tryton")["party_party", "INSERT", group] == 1
    assert world.written("legacy")["erp.customer", "INSERT", f"salesforce:{group}"] == 1

    assert finance(world.erp) >= 2
    assert legacy_finance(world.server.dsn(world.legacy)) == 2
    back = [world.accounts_back(TRYTON_ACCOUNTS), world.accounts_back(LEGACY_ACCOUNTS)]
    assert [counts(summary, "salesforce") for summary in back] == [{"applied": 2}, {"applied": 2}]
    for summary in back:
        assert summary["amounts"] == summary["targets"]["salesforce"]["amounts"].get("applied", {})
    rows = {
        (row["Account__c"], row["Legal_Entity__c"]): row
        for row in world.people.soql(
            "SELECT Account__c, Legal_Entity__c, Customer_Number__c, Credit_Limit__c, Balance__c, Credit_Hold__c FROM ERP_Account__c"
        )
    }
    assert rows.keys() == {(group, "NL01"), (group, "US01"), (works, "NL01"), (west, "US01")}
    for account in (group, works):
        decision = decide(account)
        told = rows[account, "NL01"]
        assert told["Customer_Number__c"] == account
        assert Decimal(str(told["Credit_Limit__c"])) == decision.limit
        assert Decimal(str(told["Balance__c"])) == sum((amount for _, amount in decision.items), Decimal(0))
    assert world.shown(group, "ERP_Accounts__c") == (2,)

    assert world.org_writes()
    world.forget()
    again = [world.run(CUSTOMERS), world.accounts_back(TRYTON_ACCOUNTS), world.accounts_back(LEGACY_ACCOUNTS)]
    assert [world.org_writes(), world.written("tryton"), world.written("legacy")] == [[], {}, {}]
    assert counts(again[0], "tryton") == {"unchanged": 2, "excluded": 1}
    assert counts(again[0], "legacy") == {"unchanged": 2, "excluded": 1}
    assert [counts(summary, "salesforce") for summary in again[1:]] == [{"unchanged": 2}, {"unchanged": 2}]
    assert world.rows("SELECT state, count(*)::int AS n FROM run GROUP BY state") == [{"state": "succeeded", "n": 6}]
    assert world.exceptions() == {}
