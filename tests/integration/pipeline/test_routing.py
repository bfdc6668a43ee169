"""Which ERP holds a customer, and what happens when that changes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accord.objects import CUSTOMER, CUSTOMER_ACCOUNT
from tests.oracle import complaints
from tests.world import TRYTON_ACCOUNTS, World, counts

pytestmark = pytest.mark.usefixtures("open_gates")


def test_a_customer_that_leaves_a_legal_entity_is_deactivated_there(world: World) -> None:
    key = world.customer("1", entities=("NL01", "US01"))
    world.run()
    world.change("1", legal_entities=["US01"])
    assert counts(world.run(), "tryton") == {"applied": 1}
    assert [r["gone"] for r in world.tryton.held(CUSTOMER, key)] == [True]
    assert [r["gone"] for r in world.legacy.held(CUSTOMER, key)] == [False]
    before = world.writes()
    world.run()
    assert world.writes() == before

    world.change("1", legal_entities=["NL01", "US01"])
    world.run()
    assert [r["gone"] for r in world.tryton.held(CUSTOMER, key)] == [False]
    assert complaints(world) == []


def test_a_customer_of_no_entity_of_the_erp_is_excluded(world: World) -> None:
    world.customer("1", entities=("US01",))
    assert counts(world.run(), "tryton") == {"excluded": 1}
    assert world.tryton.writes == []


def test_a_parent_that_is_not_routed_is_left_out(world: World) -> None:
    parent = world.customer("1", entities=("US01",))
    child = world.customer("2", parent=parent)
    summary = world.run()
    assert counts(summary, "tryton") == {"applied": 1, "excluded": 1}
    assert world.tryton.held(CUSTOMER, child)[0]["parent"] is None
    assert world.exceptions() == []

    later = world.customer("3", parent=parent)  # its parent comes with no later batch
    world.run()
    assert world.tryton.held(CUSTOMER, later)[0]["parent"] is None


@pytest.mark.usefixtures("open_gates")
def test_a_parent_given_while_it_does_not_belong_comes_once_it_does(world: World) -> None:
    """Below nobody, then below one that is left out: the same to the ERP, and yet not forgotten."""
    parent, child = world.customer("1", entities=("US01",)), world.customer("2")
    world.run()
    world.change("2", parent=parent)
    assert counts(world.run(), "tryton")["unchanged"] == 1
    world.tick(timedelta(hours=1))
    world.run()  # from here on the child is beyond the overlap
    world.change("1", legal_entities=["NL01"])
    assert world.run()["extracted"] == 1  # the parent arrives alone
    world.run()
    assert world.tryton.held(CUSTOMER, child)[0]["parent"] == parent
    assert complaints(world) == []


@pytest.mark.usefixtures("open_gates")
def test_a_parent_routed_later_reaches_the_children_that_were_sent_without_it(world: World) -> None:
    parent = world.customer("1", entities=("US01",))
    children = [world.customer(n, parent=parent) for n in ("2", "3")]
    world.run()
    assert [world.tryton.held(CUSTOMER, c)[0]["parent"] for c in children] == [None, None]
    assert counts(world.run(), "tryton")["unchanged"] == 2

    world.tick(timedelta(hours=1))
    world.run()  # the watermark moves; from here on the children are beyond the overlap
    world.change("1", legal_entities=["NL01", "US01"])
    assert world.run()["extracted"] == 1  # the parent arrives alone
    summary = world.run()  # its children are told, though nobody touched them
    assert summary["released"] == 2
    assert [world.tryton.held(CUSTOMER, c)[0]["parent"] for c in children] == [parent, parent]
    assert world.run()["released"] == 0
    assert complaints(world) == []


def test_a_deleted_customer_is_deactivated_and_an_unknown_one_is_not_created(world: World) -> None:
    key = world.customer("1", entities=("NL01", "US01"))
    world.run()
    world.change("1", gone=True)
    world.customer("2", gone=True)
    summary = world.run()
    assert counts(summary, "tryton") == {"applied": 1, "excluded": 1}
    assert [r["gone"] for r in world.tryton.held(CUSTOMER, key)] == [True]
    assert world.rows("SELECT gone FROM link WHERE key = %s", key)[0]["gone"]
    world.change("1", gone=False)
    world.run()
    assert complaints(world) == []


@pytest.mark.parametrize("deleted", [False, True], ids=["left the legal entity", "deleted"])
def test_what_the_erp_says_of_a_customer_that_left_is_still_told(world: World, deleted: bool) -> None:
    """Only where the customer itself is deleted is there nobody to tell it of."""
    key = world.customer("1", entities=("NL01", "US01"))
    world.run()
    party = str(world.tryton.native(CUSTOMER, key))
    account = world.account("001", party, balance="100.00")
    assert counts(world.run(TRYTON_ACCOUNTS), "salesforce") == {"applied": 1}

    world.change("1", **{"gone": True} if deleted else {"legal_entities": ["US01"]})
    world.run()
    world.account("001", party, balance="0.00", active=False)
    bucket = "excluded" if deleted else "applied"
    assert counts(world.run(TRYTON_ACCOUNTS), "salesforce") == {bucket: 1}
    (record,) = world.salesforce.held(CUSTOMER_ACCOUNT, account)
    assert (str(record["balance"]), record["active"]) == (("100.00", True) if deleted else ("0.00", False))
    assert world.exceptions() == []
