"""Orders over real systems: from the org into Tryton and what became of them back, in both systems field by field."""

from __future__ import annotations

import datetime as dt

import pytest

from accord.flows import flow
from accord.pipeline.runs import Params, RunKind
from sandbox.erp.trading import Day
from tests.erp_orders import Orders
from tests.integration.real.selling import TODAY, Sales
from tests.integration.real.world import CUSTOMERS, TRYTON_ACCOUNTS, RealWorld, counts

ORDERS, STATUSES = flow("order__salesforce_to_erp"), flow("order_status__tryton_to_salesforce")
LEGACY_STATUSES = flow("order_status__legacy_to_salesforce")


@pytest.fixture
def sales(world: RealWorld) -> Sales:
    return Sales(world)


def back(world: RealWorld) -> dict[str, int]:
    """Read what became of this test's orders."""
    summary = world.run(STATUSES, kind=RunKind.MANUAL, params=Params(since=world.began))
    return counts(summary, "salesforce")


@pytest.mark.usefixtures("open_gates")
def test_there_and_back(world: RealWorld, sales: Sales) -> None:
    """An order for a customer not yet created parks and goes by itself; then acceptance, shipment and invoice come back."""
    account = world.account("Birch")
    order = sales.order(account, ("MI-1001", 2, 649), ("MI-1002", 3, 389))
    draft = sales.order(account, ("MI-1001", 1, 649), activate=False)
    first = world.run(ORDERS)
    assert first["amounts"] == {"EUR": "3114.00"}
    assert counts(first, "tryton") == {"parked": 1, "excluded": 1}
    assert sales.told(order, "ERP_Sync_Status__c")[0] == "Held"
    assert sales.sales(order) == []

    world.run(CUSTOMERS)
    again = world.run(ORDERS)
    assert counts(again, "tryton")["applied"] == 1
    assert counts(again, "legacy") == {"excluded": 2, "superseded": 1}  # read again, and released
    assert sales.told(order, "ERP_Sync_Status__c", "ERP_Error__c") == ("Synced", None)
    assert world.exceptions() == {}
    (sale,) = sales.sales(
        order, "untaxed_amount", "party.code", "currency.code", "payment_term.name", "shipping_date", "sale_date",
        "comment", "shipment_address.street", "invoice_address.city",
    )  # fmt: skip
    assert (sale["state"], str(sale["untaxed_amount"])) == ("processing", "2465.00")
    assert (sale["party."]["code"], sale["currency."]["code"], sale["payment_term."]["name"]) == (
        account,
        "EUR",
        "NET30",
    )
    assert (sale["sale_date"], sale["shipping_date"]) == (TODAY, TODAY + dt.timedelta(days=20))
    assert "PO 4711" in sale["comment"]
    assert (sale["shipment_address."]["street"], sale["invoice_address."]["city"]) == ("Dok 2", "Delft")
    assert sales.sales(draft) == []

    assert back(world) == {"applied": 1}
    names = ("ERP_Order_Number__c", "ERP_Status__c", "Booked_Date__c", "Promised_Date__c", "ERP_Total__c", "ERP_Tax__c")
    promised = (TODAY + dt.timedelta(days=20)).isoformat()
    assert sales.told(order, *names) == (sale["number"], "Accepted", TODAY.isoformat(), promised, 2982.65, 517.65)

    world.forget()
    assert counts(world.run(ORDERS), "tryton") == {"unchanged": 1, "excluded": 1}
    assert back(world) == {"unchanged": 1}
    assert world.nothing_written()

    day = Day.of(world.erp)
    day.ship(f"salesforce:{order}", {"MI-1001": 2, "MI-1002": 1}, deliver=True)
    day.invoice(f"salesforce:{order}")
    assert back(world) == {"applied": 1}
    assert sales.told(order, "ERP_Status__c") == ("In Fulfilment",)
    lines = ("ERP_Status__c", "Shipped_Quantity__c", "Back_Ordered_Quantity__c", "Invoiced_Quantity__c")
    assert [tuple(item[name] for name in lines) for item in sales.items(order, *lines)] == [
        ("Invoiced", 2, 0, 2),
        ("In Fulfilment", 1, 2, 1),
    ]
    assert counts(world.run(ORDERS), "tryton") == {"unchanged": 1, "excluded": 1}  # what we wrote does not come back

    # cancelled after a part is invoiced: refused, and sales is told why
    world.change(order, "Order", Status="Cancelled")
    assert counts(world.run(ORDERS), "tryton") == {"rejected": 1, "excluded": 1}
    (refusal,) = world.exceptions()[f"salesforce:{order}"]
    assert refusal["category"] == "already shipped or invoiced"
    assert "can't be cancelled any more" in refusal["message"]
    world.change(order, "Order", Status="Activated")
    world.run(ORDERS)
    assert world.exceptions() == {}


@pytest.mark.usefixtures("open_gates")
def test_amendments_and_cancellation(world: RealWorld, sales: Sales) -> None:
    """Quantity, price, line cancelled: changes of the same sale; then the whole order is cancelled."""
    account = world.account("Cedar")
    world.run(CUSTOMERS)
    order = sales.order(account, ("MI-1001", 2, 649), ("MI-1002", 3, 389))
    world.run(ORDERS)
    (sale,) = sales.sales(order)
    first, second = sales.items(order, "Quantity")
    world.change(first["Id"], "OrderItem", Quantity=5, UnitPrice=600)
    world.change(second["Id"], "OrderItem", Cancelled__c=True)
    assert counts(world.run(ORDERS), "tryton") == {"applied": 1}
    (amended,) = sales.sales(order, "untaxed_amount", "revision")
    assert (amended["number"], str(amended["untaxed_amount"]), amended["revision"]) == (sale["number"], "3000.00", 1)
    back(world)
    assert [item["ERP_Status__c"] for item in sales.items(order, "ERP_Status__c")] == ["Accepted", "Cancelled"]

    world.change(order, "Order", Status="Cancelled")
    assert counts(world.run(ORDERS), "tryton") == {"applied": 1}
    assert [one["state"] for one in sales.sales(order)] == ["done"]
    assert back(world) == {"applied": 1}
    assert sales.told(order, "ERP_Status__c", "ERP_Total__c") == ("Cancelled", 0)


def test_the_policy_holds_orders_before_anything_is_posted(world: RealWorld, sales: Sales) -> None:
    """Price changed between quote and order, currency mismatch, no legal entity, cross-border routing, nowhere to ship."""
    account, british = world.account("Dogwood"), world.account("Elm", entities="GB01;NL01", BillingCountryCode="GB")
    world.run(CUSTOMERS)
    sales.order(account, ("MI-1001", 2, 649))  # its price is on the list
    dearer = sales.order(account, ("MI-1004", 1, 1190))
    world.change(sales.entry("MI-1004", 1190), "PricebookEntry", UnitPrice=2000)
    nowhere = sales.order(account, ("MI-1001", 1, 649), ShippingStreet=None, ShippingCity=None, ShippingPostalCode=None,
                          ShippingCountryCode=None)  # fmt: skip
    other = sales.order(account, ("MI-1001", 1, 649), Legal_Entity__c="GB01")
    yen = Sales(world, currency="JPY")
    mismatch = yen.order(account, ("MI-1002", 1, 60000))
    routed = Sales(world, currency="GBP").order(british, ("MI-1003", 1, 634), Legal_Entity__c=None)
    assert counts(world.run(ORDERS), "tryton") == {"applied": 2, "quarantined": 4}
    held = {key.partition(":")[2]: {row["category"] for row in rows} for key, rows in world.exceptions().items()}
    assert held == {
        dearer: {"price differs from the list"},
        nowhere: {"missing value"},
        other: {"legal entity does not sell to the customer"},
        mismatch: {"currency does not fit the legal entity"},
    }
    for order in held:
        assert sales.sales(order) == []
        status, said = sales.told(order, "ERP_Sync_Status__c", "ERP_Error__c")
        assert status == "Held"
        assert said.lower().startswith(next(iter(held[order])))
    # the price list and the account are put right; the orders themselves stay as they are, and come by themselves
    since = world.people.soql(f"SELECT SystemModstamp FROM Order WHERE Id = '{routed}'")[0]["SystemModstamp"]  # noqa: S608 - ours
    world.next_second(routed, "Order")
    world.change(sales.entry("MI-1004", 1190), "PricebookEntry", UnitPrice=1190)
    world.change(account, Legal_Entities__c="GB01;NL01")
    window = Params(since=dt.datetime.fromisoformat(since) + dt.timedelta(seconds=1))
    summary = world.run(ORDERS, kind=RunKind.MANUAL, params=window)
    assert (summary["extracted"], summary["released"]) == (0, 4), "those of the account, all of them"
    assert counts(summary, "tryton") == {"applied": 2, "quarantined": 2}
    assert (len(sales.sales(dearer)), len(sales.sales(other))) == (1, 1)
    assert set(world.exceptions()) == {f"salesforce:{nowhere}", f"salesforce:{mismatch}"}
    (sale,) = sales.sales(routed, "currency.code")
    assert (sale["number"][:5], sale["currency."]["code"]) == ("GB01-", "GBP")


@pytest.mark.usefixtures("open_gates")
def test_credit_limit_refusal(world: RealWorld, sales: Sales) -> None:
    """The order waits in the ERP for finance, sales sees it on hold, and it goes by itself."""
    account = world.account("Fir")
    world.run(CUSTOMERS)
    finance = world.erp.client("finance")
    (party,) = finance.call("model.party.party.search", [["code", "=", account]], 0, None, None)
    finance.call("model.party.party.write", [party], {"credit_limit_amount": 1})
    order = sales.order(account, ("MI-1001", 2, 649))
    assert counts(world.run(ORDERS), "tryton") == {"parked": 1}
    back(world)
    status, reason, sync = sales.told(order, "ERP_Status__c", "ERP_Reason__c", "ERP_Sync_Status__c")
    assert (status, sync) == ("On Hold", "Held")
    assert "finance" in reason
    finance.call("model.party.party.write", [party], {"credit_limit_amount": None})
    assert counts(world.run(ORDERS), "tryton")["applied"] == 1
    assert [sale["state"] for sale in sales.sales(order)] == ["processing"]
    assert world.exceptions() == {}


@pytest.mark.usefixtures("open_gates")
def test_an_order_of_the_other_erp(world: RealWorld) -> None:
    """Routed to the legal entity of the interface tables, there and back; a second run writes nothing."""
    sales = Sales(world, currency="USD", legacy_list="US-STANDARD")
    account = world.account("Gum", entities="US01", BillingCountryCode="US", BillingStateCode="CA")
    world.run(CUSTOMERS)
    order = sales.order(account, ("MI-1002", 5, 436), Legal_Entity__c=None)
    summary = world.run(ORDERS)
    assert (counts(summary, "legacy"), counts(summary, "tryton")) == ({"applied": 1}, {"excluded": 1})
    assert counts(world.run(LEGACY_STATUSES), "salesforce") == {"applied": 1}
    status, total, tax, sync = sales.told(order, "ERP_Status__c", "ERP_Total__c", "ERP_Tax__c", "ERP_Sync_Status__c")
    assert (status, total, tax, sync) == ("Accepted", 2359.85, 179.85, "Synced")
    assert [item["ERP_Status__c"] for item in sales.items(order, "ERP_Status__c")] == ["Accepted"]

    world.forget()
    assert counts(world.run(ORDERS), "legacy") == {"unchanged": 1}
    assert counts(world.run(LEGACY_STATUSES), "salesforce") == {"unchanged": 1}
    assert world.nothing_written()

    (item,) = sales.items(order, "Quantity")
    world.change(item["Id"], "OrderItem", Quantity=2)
    assert counts(world.run(ORDERS), "legacy") == {"applied": 1}
    assert counts(world.run(LEGACY_STATUSES), "salesforce") == {"applied": 1}
    assert sales.told(order, "ERP_Total__c") == (943.94,)


@pytest.mark.usefixtures("open_gates")
def test_credit_hold_during_fulfilment_a_tax_exception_and_a_closed_period(world: RealWorld, sales: Sales) -> None:
    """Finance's word counts at any time: on an order that is partly shipped, on its tax, on the period it is dated in."""
    account, books, day = world.account("Hazel"), Orders(world.erp), Day.of(world.erp)
    world.run(CUSTOMERS)
    books.customer(account, rule="EU reverse charge")
    order = sales.order(account, ("MI-1001", 3, 649))
    past = sales.order(account, ("MI-1002", 1, 389), EffectiveDate=f"{TODAY.year - 1}-02-10")
    world.run(ORDERS)
    (matter,) = world.exceptions()[f"salesforce:{past}"]
    assert (matter["category"], sales.sales(past)) == ("closed period", [])
    assert sales.told(past, "ERP_Sync_Status__c")[0] in ("Held", "Rejected")
    back(world)
    assert sales.told(order, "ERP_Total__c", "ERP_Tax__c") == (1947.0, 0.0)

    day.ship(f"salesforce:{order}", {"MI-1001": 1}, deliver=True)
    day.hold(account)
    world.accounts_back(TRYTON_ACCOUNTS)
    (shown,) = world.people.soql("SELECT Credit_Hold__c, Risk__c FROM ERP_Account__c")
    assert (shown["Credit_Hold__c"], shown["Risk__c"]) == (True, "Blocked")
    (item,) = sales.items(order, "Quantity")
    world.change(item["Id"], "OrderItem", Quantity=5)
    world.run(ORDERS)
    (matter,) = world.exceptions()[f"salesforce:{order}"]
    assert (matter["category"], sales.told(order, "ERP_Sync_Status__c")) == ("customer on credit hold", ("Held",))
    assert [str(sale["untaxed_amount"]) for sale in sales.sales(order, "untaxed_amount")] == ["1947.00"]

    day.hold(account, on=False)
    world.run(ORDERS)
    assert [str(sale["untaxed_amount"]) for sale in sales.sales(order, "untaxed_amount")] == ["3245.00"]
    assert f"salesforce:{order}" not in world.exceptions()
