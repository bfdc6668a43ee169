"""An Opportunity that reached its committed stage is an order, and one deal is never two orders."""

from __future__ import annotations

from typing import Any

import pytest

from accord import processes
from accord.flows import flow
from accord.pipeline.runs import Params, RunKind
from tests.integration.real.selling import Sales
from tests.integration.real.world import CUSTOMERS, RealWorld, counts

ORDERS, STATUSES = flow("order__salesforce_to_erp"), flow("order_status__tryton_to_salesforce")
SHIP_TO: dict[str, Any] = {"ShippingStreet": "Dok 2", "ShippingCity": "Delft", "ShippingPostalCode": "2611 AA",
                           "ShippingCountryCode": "NL"}  # fmt: skip
LINES = (("MI-1001", 2, 649), ("MI-1002", 3, 389))


@pytest.fixture
def sales(world: RealWorld) -> Sales:
    return Sales(world)


def back(world: RealWorld) -> dict[str, int]:
    """Read what became of this test's orders."""
    return counts(world.run(STATUSES, kind=RunKind.MANUAL, params=Params(since=world.began)), "salesforce")


def deal_told(sales: Sales, deal: str) -> tuple[Any, ...]:
    return sales.told(deal, "ERP_Process_State__c", "ERP_Error__c", "ERP_Status__c", sobject="Opportunity")


def test_duplicate_submission_of_the_same_order_from_two_sides(
    world: RealWorld, sales: Sales, request: pytest.FixtureRequest
) -> None:
    """The deal is committed and posted; then sales makes an Order of it: the same sale in the ERP, amended at most."""
    account = world.account("Hazel", **SHIP_TO)
    world.run(CUSTOMERS)
    deal = sales.opportunity(account, *LINES)
    still_open = sales.opportunity(account, ("MI-1001", 1, 649), stage="Proposal")
    assert counts(world.run(ORDERS), "tryton") == {"applied": 1}
    request.getfixturevalue("open_gates")  # they have judged it
    (sale,) = sales.sales(deal, "untaxed_amount", "shipment_address.street")
    assert (sale["state"], str(sale["untaxed_amount"]), sale["shipment_address."]["street"]) == (
        "processing", "2465.00", "Dok 2",
    )  # fmt: skip
    assert sales.sales(still_open) == []
    assert back(world) == {"applied": 1}
    assert deal_told(sales, deal) == ("Synced", None, "Accepted")
    assert sales.told(deal, "ERP_Order_Number__c", sobject="Opportunity") == (sale["number"],)

    order = sales.order(account, *LINES, OpportunityId=deal)
    assert counts(world.run(ORDERS), "tryton")["superseded"] == 1
    assert sales.sales(order) == [], "no order of its own"
    (same,) = sales.sales(deal, "untaxed_amount")
    assert (same["number"], str(same["untaxed_amount"])) == (sale["number"], "2465.00")
    assert sales.told(order, "ERP_Sync_Status__c", "ERP_Error__c") == ("Synced", None)
    assert world.exceptions() == {}
    processes.advance(world.accord())
    assert sales.told(order, "ERP_Order_Number__c", "ERP_Status__c") == (sale["number"], "Accepted")
    assert [item["ERP_Status__c"] for item in sales.items(order, "ERP_Status__c")] == ["Accepted", "Accepted"]

    world.forget()
    counts(world.run(ORDERS), "tryton")
    back(world)
    assert world.nothing_written(), "in whatever order it is read again"

    # what sales changes from now on it changes on the Order
    first, _ = sales.items(order, "Quantity")
    world.change(first["Id"], "OrderItem", Quantity=5)
    assert counts(world.run(ORDERS), "tryton")["applied"] == 1
    (amended,) = sales.sales(deal, "untaxed_amount", "revision")
    assert (str(amended["untaxed_amount"]), amended["revision"]) == ("4412.00", 1)
    found = processes.resume(world.accord(), f"salesforce:{order}", who="somebody")
    assert (found["key"], found["step"]) == (f"salesforce:{deal}", "acknowledged")
    assert sales.told(order, "ERP_Total__c") == (5338.52,)
