"""What sales does to accounts after they were sent: changes, merges, deletes, an undelete; who owns which field; no loops."""

from __future__ import annotations

import pytest

from accord.pipeline.runs import Params, RunKind
from tests.integration.real.oracle import complaints, legacy_customers, tryton_customers
from tests.integration.real.world import LEGACY_ACCOUNTS, TRYTON_ACCOUNTS, RealWorld, counts

pytestmark = pytest.mark.usefixtures("open_gates")

BOTH = "NL01;US01"


def active(world: RealWorld, account: str) -> list[bool]:
    """Whether each ERP does business with the account."""
    parties, customers = tryton_customers(world, [account])[account], legacy_customers(world)[account]
    assert len(parties) == len(customers) == 1
    return [parties[0]["active"], customers[0]["active"]]


def test_a_legal_name_seeds_and_never_updates(world: RealWorld) -> None:
    typed = world.account("Ivy", entities=BOTH, Legal_Name__c="Ivy Holding")
    world.run()
    assert complaints(world) == []
    assert tryton_customers(world, [typed])[typed][0]["legal_name"] == "Ivy Holding"

    client = world.erp.client("finance")
    party = client.call("model.party.party.search", [("code", "=", typed)])
    client.call("model.party.party.write", party, {"name": "Ivy Holding N.V."})
    world.change(typed, Legal_Name__c="Something Sales Made Up", Phone="+31 15 9")
    world.forget()
    world.run()
    party_now, customer_now = tryton_customers(world, [typed])[typed][0], legacy_customers(world)[typed][0]
    assert [party_now["legal_name"], customer_now["legal_name"]] == ["Ivy Holding N.V.", "Ivy Holding"]
    assert [party_now["phone"], customer_now["phone"]] == ["+31 15 9"] * 2
    assert complaints(world, seeds=False) == []

    # a change of nothing but the seed is no change to an ERP
    world.change(typed, Legal_Name__c="Something Else Again")
    world.forget()
    assert counts(world.run(), "tryton") == {"unchanged": 1}
    assert not world.written("tryton")
    assert not world.written("legacy")


def test_what_the_erp_owns_comes_back_and_starts_nothing(world: RealWorld) -> None:
    account = world.account("Juniper", entities=BOTH, Legal_Name__c="Juniper B.V.", Phone="+31 15 4")
    world.run()
    client = world.erp.client("finance")
    party = client.call("model.party.party.search", [("code", "=", account)])
    client.call("model.party.party.write", party, {"name": "Juniper Beheer B.V."})
    fields = ("Name", "Legal_Name__c", "Phone", "Tax_Registration__c", "Legal_Entities__c", "ParentId")
    before = world.shown(account, *fields)
    for back in (TRYTON_ACCOUNTS, LEGACY_ACCOUNTS):
        assert counts(world.accounts_back(back), "salesforce") == {"applied": 1}
    assert world.shown(account, *fields) == before
    accounts = world.people.soql("SELECT Legal_Entity__c, Legal_Name__c FROM ERP_Account__c")
    told = {row["Legal_Entity__c"]: row["Legal_Name__c"] for row in accounts}
    assert told == {"NL01": "Juniper Beheer B.V.", "US01": "Juniper B.V."}

    # the roll-up has touched the Account, but nothing an ERP keeps has changed
    world.forget()
    assert counts(world.run(), "tryton") == {"unchanged": 1}
    assert world.nothing_written()
    for back in (TRYTON_ACCOUNTS, LEGACY_ACCOUNTS):
        assert counts(world.accounts_back(back), "salesforce") == {"unchanged": 1}
    assert world.nothing_written()


def test_a_deleted_account_is_deactivated_and_wakes_again(world: RealWorld) -> None:
    account = world.account("Kauri", entities=BOTH, Phone="+31 15 5")
    other = world.account("Larch", entities=BOTH)
    world.run()
    world.delete(account)
    world.forget()
    gone = world.run()
    assert counts(gone, "tryton") == counts(gone, "legacy") == {"applied": 1, "unchanged": 1}
    assert active(world, account) == [False, False]
    assert active(world, other) == [True, True]
    world.forget()
    world.run()
    assert world.nothing_written()

    world.org.undelete(account)
    world.run()
    assert active(world, account) == [True, True]
    assert complaints(world) == []
    world.forget()
    world.run()
    assert world.nothing_written()


def test_a_merge_leaves_the_survivor(world: RealWorld) -> None:
    survivor = world.account("Maple", entities=BOTH)
    loser = world.account("Maple Trading", entities=BOTH)
    below = world.account("Maple Works", entities=BOTH, ParentId=loser)
    world.people.create("Contact", AccountId=loser, LastName="Moved")
    world.run()
    assert complaints(world) == []
    for back in (TRYTON_ACCOUNTS, LEGACY_ACCOUNTS):
        world.accounts_back(back)

    world.org.merge(survivor, loser)
    world.run()
    assert active(world, loser) == [False, False]
    assert active(world, survivor) == active(world, below) == [True, True]
    assert complaints(world) == []  # the contact and the child went with the survivor
    merged = world.rows(
        "SELECT DISTINCT merged_into FROM link WHERE key = %s AND merged_into IS NOT NULL", f"salesforce:{loser}"
    )
    assert merged == [{"merged_into": f"salesforce:{survivor}"}]

    for back in (TRYTON_ACCOUNTS, LEGACY_ACCOUNTS):
        assert world.accounts_back(back)["error"] is None
    assert world.exceptions() == {}
    owners = {
        row["Account__c"] for row in world.people.soql("SELECT Account__c FROM ERP_Account__c WHERE Active__c = true")
    }
    assert owners == {survivor, below}


def test_leaving_a_legal_entity_deactivates_there_only(world: RealWorld) -> None:
    account = world.account("Nutmeg", entities=BOTH)
    world.run()
    world.change(account, Legal_Entities__c="US01")
    world.run()
    assert active(world, account) == [False, True]
    assert complaints(world) == []


def test_an_account_follows_its_legal_entities(world: RealWorld) -> None:
    account = world.account("Olive", entities="NL01")

    def books(expected: dict[str, int]) -> set[str]:
        world.run()
        assert complaints(world) == []
        assert counts(world.accounts_back(TRYTON_ACCOUNTS), "salesforce") == expected
        rows = world.people.soql("SELECT Account__c, Legal_Entity__c FROM ERP_Account__c WHERE Active__c = true")
        assert {row["Account__c"] for row in rows} == {account}
        return {row["Legal_Entity__c"] for row in rows}

    assert books({"applied": 1}) == {"NL01"}
    world.change(account, Legal_Entities__c="NL01;GB01")
    assert books({"applied": 1, "unchanged": 1}) == {"NL01", "GB01"}
    world.change(account, Legal_Entities__c="NL01")
    assert books({"applied": 1, "unchanged": 1}) == {"NL01"}
    world.change(account, Legal_Entities__c="GB01")
    assert books({"applied": 2}) == {"GB01"}
    world.forget()
    assert books({"unchanged": 2}) == {"GB01"}
    assert world.nothing_written()


def test_a_dry_run_and_a_manual_run_move_nothing(world: RealWorld) -> None:
    account = world.account("Oak", entities=BOTH)
    world.forget()
    dry = world.run(kind=RunKind.MANUAL, params=Params(dry_run=True))
    assert counts(dry, "tryton") == {"changed": 1}
    assert world.nothing_written()
    one = world.run(kind=RunKind.MANUAL, params=Params(keys=(account,)))
    assert counts(one, "legacy") == {"applied": 1}
    assert world.watermark() is None
    assert complaints(world) == []


def test_a_duplicate_waits_until_it_is_merged(world: RealWorld) -> None:
    first = world.account("Pine Supply")
    world.run()
    second = world.account("PINE  Supply")
    summary = world.run()
    assert counts(summary, "tryton") == {"parked": 1, "unchanged": 1}
    assert [row["category"] for row in world.exceptions()[f"salesforce:{second}"]] == ["possible duplicate"]
    status, error = world.status(second)
    assert status == "Held"
    assert error
    assert complaints(world) == []
    world.org.merge(first, second)
    world.run()
    assert world.exceptions() == {}
    assert complaints(world) == []
