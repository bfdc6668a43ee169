"""A legal entity moves from the real Tryton to the legacy ERP: what is open goes with it, what is begun is finished where it is."""

from __future__ import annotations

import psycopg
import pytest

from accord.flows import flow
from accord.migration import migrate
from accord.pipeline.runs import Params, RunKind
from sandbox.erp.trading import Day
from tests.integration.real.selling import Sales
from tests.integration.real.world import CUSTOMERS, RealWorld, counts
from tests.moving import move

ORDERS = flow("order__salesforce_to_erp")
STATUSES = {erp: flow(f"order_status__{erp}_to_salesforce") for erp in ("tryton", "legacy")}
INVOICES = flow("invoice__tryton_to_salesforce")

# what master data and finance set up in the new ERP before the move
_BOOKS = """
INSERT INTO erp.company (code, name, currency) VALUES ('GB01', 'Meridian Instruments Ltd.', 'GBP');
INSERT INTO erp.price_list (price_list, company, name, currency) VALUES ('GB-STANDARD', 'GB01', 'Standard GBP', 'GBP');
INSERT INTO erp.price (price_list, product_number, unit_price) VALUES ('GB-STANDARD', 'MI-1001', 565), ('GB-STANDARD', 'MI-1002', 338);
INSERT INTO erp.stock (company, warehouse, product_number, on_hand) VALUES ('GB01', 'Leeds', 'MI-1001', 10);
"""


@pytest.mark.usefixtures("open_gates")
def test_a_legal_entity_moves(world: RealWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(world.server.dsn(world.legacy)) as erp:
        erp.execute(_BOOKS)
    british = {"BillingCountryCode": "GB", "BillingCity": "Leeds", "CurrencyIsoCode": "GBP"}
    alone, both = (
        world.account("Oak", entities="GB01", **british),
        world.account("Yew", entities="GB01;NL01", **british),
    )
    world.run(CUSTOMERS)
    sales = Sales(world, currency="GBP", tryton_list="Standard GBP")
    open_, begun = (
        sales.order(account, ("MI-1001", 2, 565), ("MI-1002", 1, 338), Legal_Entity__c="GB01")
        for account in (alone, alone)
    )
    assert counts(world.run(ORDERS), "tryton") == {"applied": 2}
    day = Day.of(world.erp)
    first = day.ship(f"salesforce:{begun}", {"MI-1001": 1})

    def back(erp: str) -> None:
        world.run(STATUSES[erp], kind=RunKind.MANUAL, params=Params(since=world.began))

    back("tryton")
    numbers = {order: sales.told(order, "ERP_Order_Number__c")[0] for order in (open_, begun)}
    assert sales.told(begun, "ERP_Status__c") == ("In Fulfilment",)

    move(monkeypatch, "GB01", "legacy")
    world.read_from_the_beginning(*STATUSES.values())
    accord = world.accord()
    done = migrate(accord, "GB01")
    assert done.waiting == []
    assert [(row["system"], row["state"], row["orders"]) for row in done.left] == [("tryton", "In Fulfilment", 1)]
    products = next(one for one in done.matched if one.object == "product")
    assert products.matched > 20

    with psycopg.connect(world.server.dsn(world.legacy)) as erp:
        held = erp.execute("SELECT external_ref, company, net, cancelled FROM erp.sales_order").fetchall()
        customers = erp.execute("SELECT external_ref, active FROM erp.customer ORDER BY name").fetchall()
    assert [(ref, company, str(net), gone) for ref, company, net, gone in held] == [
        (f"salesforce:{open_}", "GB01", "1468.00", False)
    ]
    assert customers == [(f"salesforce:{alone}", True), (f"salesforce:{both}", True)]
    parties = world.erp.client("accord").call(
        "model.party.party.search_read", [["code", "in", [alone, both]], ["active", "in", [True, False]]], 0, None,
        [["name", "ASC"]], ["active"],
    )  # fmt: skip
    assert [party["active"] for party in parties] == [False, True], (
        "only who buys from another legal entity of it stays"
    )
    number, status = sales.told(open_, "ERP_Order_Number__c", "ERP_Status__c")
    assert (number[:3], status) == ("SO-", "Accepted")
    accounts = world.people.soql(
        "SELECT Account__c, ERP_System__c, Active__c FROM ERP_Account__c WHERE Legal_Entity__c = 'GB01'"
    )
    assert {(row["Account__c"], row["ERP_System__c"]) for row in accounts if row["Active__c"]} == {
        (alone, "legacy"), (both, "legacy"),
    }  # fmt: skip

    # the old ERP finishes what it had begun, though its customer is inactive there by now
    day.deliver(first)
    day.ship(f"salesforce:{begun}", deliver=True)
    invoiced = day.invoice(f"salesforce:{begun}")
    back("tryton")
    assert sales.told(begun, "ERP_Order_Number__c", "ERP_Status__c") == (numbers[begun], "Invoiced")
    assert sales.told(open_, "ERP_Order_Number__c", "ERP_Status__c") == (number, "Accepted")
    world.run(INVOICES, kind=RunKind.MANUAL, params=Params(since=world.began))
    shown = world.people.soql("SELECT Number__c, Account__c, Order__c FROM ERP_Invoice__c")
    assert {(row["Number__c"], row["Account__c"], row["Order__c"]) for row in shown} == {
        (one, alone, begun) for one in invoiced
    }

    world.forget()
    everything = Params(full_refresh=True)
    for which in (CUSTOMERS, ORDERS):
        world.run(which, kind=RunKind.MANUAL, params=everything)
    assert world.nothing_written()
