"""What follows from an order, out of the real Tryton and the legacy ERP into the real org: shipments, invoices, credit memos and
payments, field by field and to the cent."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from accord import processes
from accord.flows import flow
from accord.metrics.values import latest, measure
from accord.pipeline.runs import Params, RunKind
from sandbox.erp.lookups import rows
from sandbox.erp.rpc import TrytonError
from tests.erp_orders import Orders
from tests.integration.real.selling import Sales
from tests.integration.real.world import TRYTON_ACCOUNTS, RealWorld, counts

ORDERS = flow("order__salesforce_to_erp")
TODAY = dt.datetime.now(dt.UTC).date()
HEADER = (
    "Number__c, Account__c, Legal_Entity__c, Status__c, Invoice_Date__c, Booking_Date__c, Due_Date__c, CurrencyIsoCode, Net__c, "
    "Tax__c, Total__c, Open_Balance__c"
)
LINE = "Product__c, Description__c, Quantity__c, Unit_Price__c, Net__c, Tax__c, Tax_Code__c, CurrencyIsoCode"
BUFFER, METER, REPAIR, TRAINING = "MI-3001", "MI-1002", "MI-4004", "MI-4003"


@dataclass
class Trade:
    """One customer of one company, whose orders follow each other; what sales sees of them."""

    world: RealWorld
    orders: Orders
    sales: Sales
    account: str
    party: int
    code: str
    sold: int = 0

    @classmethod
    def begin(cls, world: RealWorld, **conditions: Any) -> Trade:
        """A customer that sales entered and finance has given its conditions."""
        account = world.account("Birch")
        assert counts(world.run(), "tryton") == {"applied": 1}
        orders = Orders(world.erp)
        return cls(world, orders, Sales(world), account, orders.customer(account, **conditions), account)

    def sell(self, *lines: tuple[str, float, str]) -> str:
        """A confirmed order; its reference. Its products are known."""
        for code, _, price in lines:
            self.sales.entry(code, float(price))
        self.sold += 1
        reference = f"documents {self.world.number}-{self.sold}"
        self.orders.sell(self.party, reference, list(lines))
        return reference

    def billed(self, *lines: tuple[str, float, str]) -> str:
        """An invoice of services, which are billed as ordered; its number."""
        reference = self.sell(*lines)
        (number,) = self.orders.day.invoice(reference)
        return number

    def bring(self, name: str) -> dict[str, int]:
        """Run the flow of the object over what this test did; how its records fared."""
        which = flow(f"{name}__tryton_to_salesforce")
        summary = self.world.run(which, kind=RunKind.MANUAL, params=Params(since=self.world.began))
        return counts(summary, "salesforce")

    def unchanged(self, *names: str) -> bool:
        """Whether running the flows again writes nothing."""
        self.world.forget()
        for name in names:
            assert set(self.bring(name)) <= {"unchanged"}
        return self.world.nothing_written()

    def see(self, fields: str, sobject: str, order: str = "Key__c") -> list[dict[str, Any]]:
        found = self.world.people.soql(f"SELECT {fields} FROM {sobject} ORDER BY {order}")  # noqa: S608 - our words
        return [{name: value for name, value in row.items() if name != "attributes"} for row in found]

    def document(self, number: str, sobject: str = "ERP_Invoice__c") -> dict[str, Any]:
        (found,) = [row for row in self.see(f"Id, Key__c, {HEADER}", sobject) if row["Number__c"] == number]
        return found

    def product(self, code: str) -> str:
        """The product's id in Salesforce."""
        (found,) = [
            row["Id"] for row in self.see("Id, ProductCode", "Product2", "ProductCode") if row["ProductCode"] == code
        ]
        return str(found)


@pytest.fixture
def trade(world: RealWorld) -> Trade:
    return Trade.begin(world)


def money(value: Any) -> Decimal:
    return Decimal(str(value))


@pytest.mark.usefixtures("open_gates")
def test_partial_shipment_back_order_and_return(trade: Trade) -> None:
    day, fields = trade.orders.day, "Number__c, Kind__c, Status__c, Tracking_Number__c, Carrier__c, Warehouse__c"
    placed = trade.sales.order(trade.account, (BUFFER, 3, 18.5), (METER, 2, 389))
    assert counts(trade.world.run(ORDERS), "tryton") == {"applied": 1}
    order = f"salesforce:{placed}"
    first = day.ship(order, {BUFFER: 2, METER: 2}, tracking="1Z999")
    assert trade.bring("shipment") == {"applied": 2}
    sent, waits = trade.see(fields, "ERP_Shipment__c", "Number__c")
    assert sent == {
        "Number__c": first, "Kind__c": "Shipment", "Status__c": "Shipped", "Tracking_Number__c": "1Z999",
        "Carrier__c": "Northline Parcel", "Warehouse__c": "Rotterdam",
    }  # fmt: skip
    assert (waits["Kind__c"], waits["Status__c"], waits["Tracking_Number__c"]) == ("Shipment", "Planned", None)
    lines = trade.see("Shipment__r.Number__c, Product__c, Quantity__c", "ERP_Shipment_Line__c")
    moved = sorted((one["Shipment__r"]["Number__c"], one["Quantity__c"], one["Product__c"]) for one in lines)
    buffer, meter = trade.product(BUFFER), trade.product(METER)
    assert moved == sorted([(first, 2.0, buffer), (first, 2.0, meter), (waits["Number__c"], 1.0, buffer)])
    about = {(row["Account__c"], row["Order__c"]) for row in trade.see("Account__c, Order__c", "ERP_Shipment__c")}
    assert about == {(trade.account, placed)}
    assert trade.unchanged("shipment")

    day.deliver(first)
    second = day.ship(order, tracking="1Z998", deliver=True)
    assert second == waits["Number__c"]
    numbers = day.invoice(order)  # one per delivery
    _, memos = day.take_back(order, {BUFFER: 1})
    assert trade.bring("shipment") == {"applied": 3}
    seen = {row["Number__c"]: row for row in trade.see(f"{fields}, Shipped_Date__c, Order__c", "ERP_Shipment__c")}
    assert {row["Order__c"] for row in seen.values()} == {placed}
    for name, sobject, told in (("invoice", "ERP_Invoice__c", numbers), ("credit_memo", "ERP_Credit_Memo__c", memos)):
        assert trade.bring(name) == {"applied": len(told)}
        found = trade.see("Number__c, Order__c", sobject, "Number__c")
        assert [(row["Number__c"], row["Order__c"]) for row in found] == [(number, placed) for number in sorted(told)]
    assert {row["Kind__c"]: row["Status__c"] for row in seen.values()} == {
        "Shipment": "Delivered",
        "Return": "Delivered",
    }
    assert seen[second]["Tracking_Number__c"] == "1Z998"
    assert all(row["Shipped_Date__c"] for row in seen.values())
    (back,) = [number for number, row in seen.items() if row["Kind__c"] == "Return"]
    (line,) = [
        one
        for one in trade.see("Shipment__r.Number__c, Quantity__c", "ERP_Shipment_Line__c")
        if one["Shipment__r"]["Number__c"] == back
    ]
    assert line["Quantity__c"] == 1.0

    # both sides agree: bill-to address and terms are the party's own, as Salesforce gave none
    assert trade.world.reconciled(ORDERS, "tryton", order)[0]["counts"] == {"agreed": 1}
    linked = "SELECT key FROM link JOIN stream s ON s.id = stream WHERE object = 'shipment'"
    keys = [row["key"] for row in trade.world.rows(linked)]
    shipments = flow("shipment__tryton_to_salesforce")
    assert trade.world.reconciled(shipments, "salesforce", *keys)[0]["counts"] == {"agreed": 3}
    assert trade.world.exceptions() == {}

    # the figures of it: 3 × 18.50 + 2 × 389 sold and billed, one buffer credited
    hub = trade.world.accord().hub
    processes.place(hub)
    measure(hub)
    figures = {(one.name, *sorted(one.labels.values())): (one.value, one.sample) for one in latest(hub).values}
    for stage, amount, number in (("ordered", "833.50", 1), ("invoiced", "833.50", 2), ("credited", "18.50", 1)):
        assert figures["pipeline_to_cash", *sorted(("EUR", "NL01", stage))] == (Decimal(amount), number)
    assert figures["invoice_latency_days", "NL01", "median"] == (0, 2)
    assert figures["order_acceptance_seconds", "NL01", "median"][1] == 1
    assert 0 < figures["invoice_visibility_seconds", "NL01", "p95"][0] < 600


def test_an_invoice_lands_field_by_field_with_tax_rounded_per_line(trade: Trade) -> None:
    """Three lines of 0.12 at 21 %: tax of 0.03 each, and 0.08 of their total, which is what is owed."""
    number = trade.billed((REPAIR, 1, "0.12"), (REPAIR, 1, "0.12"), (TRAINING, 1, "0.12"))
    assert trade.bring("invoice") == {"applied": 1}
    (erp,) = rows(trade.orders.accord, "account.invoice", [("number", "=", number)], ["invoice_date", "tax_amount"])
    row = trade.document(number)
    assert erp["tax_amount"] == Decimal("0.08")
    assert row == {
        "Id": row["Id"], "Key__c": f"tryton:{erp['id']}", "Number__c": number, "Account__c": trade.account, "Legal_Entity__c": "NL01",
        "Status__c": "Posted", "Invoice_Date__c": str(erp["invoice_date"]), "Booking_Date__c": str(erp["invoice_date"]),
        "Due_Date__c": str(erp["invoice_date"] + dt.timedelta(days=30)), "CurrencyIsoCode": "EUR", "Net__c": 0.36, "Tax__c": 0.08,
        "Total__c": 0.44, "Open_Balance__c": 0.44,
    }  # fmt: skip
    lines = trade.see(f"Invoice__c, {LINE}", "ERP_Invoice_Line__c")
    common = {
        "Invoice__c": row["Id"], "Quantity__c": 1.0, "Unit_Price__c": 0.12, "Net__c": 0.12, "Tax__c": 0.03, "Tax_Code__c": "VAT 21%",
        "CurrencyIsoCode": "EUR",
    }  # fmt: skip
    repair = common | {"Product__c": trade.product(REPAIR), "Description__c": "Repair, workshop"}
    training = common | {"Product__c": trade.product(TRAINING), "Description__c": "Operator training"}
    assert sorted(lines, key=lambda line: line["Description__c"]) == [training, repair, repair]
    assert trade.unchanged("invoice")
    assert trade.world.exceptions() == {}


@pytest.mark.usefixtures("open_gates")
def test_a_payment_before_its_invoice_and_unapplied_cash(trade: Trade) -> None:
    number, day, world = trade.billed((REPAIR, 1, "389.00")), trade.orders.day, trade.world
    early, kept = f"early {world.number}", f"kept {world.number}"
    day.receive(trade.code, Decimal("120.50"), {number: Decimal("100.00")}, number=early)
    assert trade.bring("payment") == {"parked": 1}
    ((held,),) = world.exceptions().values()
    assert (held["category"], held["awaits_object"], held["at_risk"]) == (
        "waits for its parent",
        "invoice",
        Decimal("120.50"),
    )
    assert trade.see("Id", "ERP_Payment__c") == []

    assert trade.bring("invoice") == {"applied": 1}
    assert trade.bring("payment")["applied"] == 1
    assert world.exceptions() == {}
    fields = "Id, Number__c, Account__c, Status__c, Date__c, Method__c, CurrencyIsoCode, Amount__c, Unapplied__c"
    (paid,) = trade.see(fields, "ERP_Payment__c")
    assert paid == {
        "Id": paid["Id"], "Number__c": early, "Account__c": trade.account, "Status__c": "Partly Applied", "Date__c": str(TODAY),
        "Method__c": "NL01 bank EUR", "CurrencyIsoCode": "EUR", "Amount__c": 120.5, "Unapplied__c": 20.5,
    }  # fmt: skip
    invoice = trade.document(number)
    assert (invoice["Total__c"], invoice["Open_Balance__c"], invoice["Status__c"]) == (470.69, 370.69, "Partly Paid")
    (part,) = trade.see("Payment__c, Invoice__c, Amount__c, Date__c", "ERP_Payment_Application__c")
    assert part == {"Payment__c": paid["Id"], "Invoice__c": invoice["Id"], "Amount__c": 100.0, "Date__c": str(TODAY)}
    assert trade.unchanged("invoice", "payment")

    assert day.receive(trade.code, Decimal("370.69"), {}, number=kept) == Decimal("370.69")
    assert trade.bring("payment")["applied"] == 1
    status = {row["Number__c"]: (row["Status__c"], row["Unapplied__c"]) for row in trade.see(fields, "ERP_Payment__c")}
    assert status == {early: ("Partly Applied", 20.5), kept: ("Received", 370.69)}
    day.apply(kept, number)
    assert [trade.bring(name)["applied"] for name in ("invoice", "payment")] == [1, 1]
    status = {row["Number__c"]: (row["Status__c"], row["Unapplied__c"]) for row in trade.see(fields, "ERP_Payment__c")}
    assert status == {early: ("Partly Applied", 20.5), kept: ("Applied", 0.0)}
    assert (trade.document(number)["Open_Balance__c"], trade.document(number)["Status__c"]) == (0.0, "Paid")


@pytest.mark.usefixtures("open_gates")
def test_cancellation_after_a_partial_invoice_and_credit_of_a_return(trade: Trade) -> None:
    day = trade.orders.day
    order = trade.sell((BUFFER, 4, "18.50"))
    day.ship(order, {BUFFER: 1}, deliver=True)
    (first,) = day.invoice(order)
    assert trade.bring("invoice") == {"applied": 1}
    whole = day.credit(first)
    returned = trade.sell((METER, 2, "389.00"))
    day.ship(returned, deliver=True)
    (second,) = day.invoice(returned)
    _, (partial,) = day.take_back(returned, {METER: 1})
    assert trade.bring("credit_memo") == {"applied": 1, "parked": 1}  # the second invoice is not there yet
    assert trade.bring("invoice") == {"applied": 2}
    assert trade.bring("credit_memo")["applied"] == 1

    fields = f"Id, Invoice__c, {HEADER}"
    memos = {row["Number__c"]: row for row in trade.see(fields, "ERP_Credit_Memo__c")}
    cancelled, billed = trade.document(first), trade.document(second)
    assert (cancelled["Status__c"], cancelled["Open_Balance__c"], cancelled["Total__c"]) == ("Cancelled", 0.0, 22.38)
    assert (billed["Status__c"], billed["Open_Balance__c"]) == ("Posted", 941.38)
    amounts = ("Net__c", "Tax__c", "Total__c", "Open_Balance__c", "Status__c")
    assert [memos[whole][name] for name in amounts] == [18.5, 3.88, 22.38, 0.0, "Paid"]
    assert [memos[partial][name] for name in amounts] == [389.0, 81.69, 470.69, 470.69, "Posted"]
    assert {memos[whole]["Invoice__c"], memos[partial]["Invoice__c"]} == {cancelled["Id"], billed["Id"]}
    lines = trade.see("Credit_Memo__c, Quantity__c, Net__c, Tax__c", "ERP_Credit_Memo_Line__c")
    assert {(row["Credit_Memo__c"], row["Quantity__c"], row["Net__c"], row["Tax__c"]) for row in lines} == {
        (memos[whole]["Id"], 1.0, 18.5, 3.88),
        (memos[partial]["Id"], 1.0, 389.0, 81.69),
    }
    assert trade.unchanged("invoice", "credit_memo")
    assert trade.world.exceptions() == {}


@pytest.mark.usefixtures("open_gates")
def test_what_is_overdue_agrees_with_the_account_risk_indicator(trade: Trade) -> None:
    world, day = trade.world, trade.orders.day
    late, due, later = (trade.billed((REPAIR, count, "18.50")) for count in (1, 2, 3))
    trade.orders.reschedule(late, TODAY - dt.timedelta(days=3))
    trade.orders.reschedule(due, TODAY)
    day.receive(trade.code, Decimal("5.00"), {late: Decimal("5.00")}, number=f"risk {world.number}")
    assert trade.bring("invoice") == {"applied": 3}
    day.hold(trade.code, on=False)
    assert counts(world.accounts_back(TRYTON_ACCOUNTS), "salesforce") == {"applied": 1}

    def agreed() -> tuple[Decimal, str]:
        """Overdue amount and risk, the same by invoices and by the account."""
        invoices = trade.see("Number__c, Open_Balance__c, Overdue__c", "ERP_Invoice__c")
        fields = "Legal_Entity__c, Balance__c, Overdue__c, Risk__c, Credit_Hold__c"
        (account,) = [row for row in trade.see(fields, "ERP_Account__c") if row["Legal_Entity__c"] == "NL01"]
        overdue = sum((money(row["Open_Balance__c"]) for row in invoices if row["Overdue__c"]), Decimal(0))
        assert money(account["Overdue__c"]) == overdue
        assert money(account["Balance__c"]) == sum(money(row["Open_Balance__c"]) for row in invoices)
        assert account["Credit_Hold__c"] is (account["Risk__c"] == "Blocked")
        return overdue, account["Risk__c"]

    assert {row["Number__c"]: row["Overdue__c"] for row in trade.see("Number__c, Overdue__c", "ERP_Invoice__c")} == {
        late: True, due: False, later: False,
    }  # fmt: skip
    assert agreed() == (Decimal("17.38"), "High")
    day.receive(trade.code, Decimal("17.38"), {late: Decimal("17.38")}, number=f"risk again {world.number}")
    day.hold(trade.code)
    assert trade.bring("invoice")["applied"] == 1
    world.accounts_back(TRYTON_ACCOUNTS)
    assert agreed() == (Decimal("0"), "Blocked")


@pytest.mark.usefixtures("open_gates")
def test_a_year_end_invoice_and_a_closed_period(trade: Trade) -> None:
    """Days are the legal entity's, whatever the hour in UTC. What can't be posted reaches nobody as posted."""
    year = TODAY.year - 1
    order = trade.sell((REPAIR, 2, "18.50"))
    with pytest.raises(TrytonError, match="reopen the period"):
        trade.orders.day.invoice(order, dt.date(year, 2, 10))
    assert trade.bring("invoice") == {}
    assert trade.see("Id", "ERP_Invoice__c") == []

    (sale,) = rows(trade.orders.accord, "sale.sale", [("reference", "=", order)], ["invoices"])
    agreed = {"payment_term_date": TODAY + dt.timedelta(days=1)}  # Tryton asks a person about a due date that is past
    trade.orders.day.finance.call("model.account.invoice.write", sale["invoices"], agreed)
    (number,) = trade.orders.day.invoice(order, dt.date(year, 12, 31))
    assert trade.bring("invoice") == {"applied": 1}
    row = trade.document(number)
    assert (row["Invoice_Date__c"], row["Booking_Date__c"]) == (f"{year}-12-31", f"{year}-12-31")


def test_the_legacy_erps_documents_come_the_same_way(world: RealWorld) -> None:
    account = world.account(
        "Cedar", entities="US01", BillingCountryCode="US", BillingStateCode="CA", BillingCity="Napa"
    )
    assert counts(world.run(), "legacy") == {"applied": 1}
    world.run(flow("product__legacy_to_salesforce"), kind=RunKind.MANUAL, params=Params(full_refresh=True))
    with psycopg.connect(world.server.dsn(world.legacy), autocommit=True) as erp:

        def ask(query: str, *values: Any) -> Any:
            row = erp.execute(query.encode(), values).fetchone()
            return row[0] if row else None

        customer = ask("SELECT customer_number FROM erp.customer WHERE external_ref = %s", f"salesforce:{account}")
        order = ask(
            "INSERT INTO erp.sales_order (company, customer_number, currency, order_date, payment_terms) "
            "VALUES ('US01', %s, 'USD', current_date, 'NET30') RETURNING order_number",
            customer,
        )
        erp.execute(
            "INSERT INTO erp.sales_order_line (order_number, line_ref, line_number, product_number, quantity, unit_price) "
            "VALUES (%s, 'a', 1, 'MI-1002', 5, 436)",
            [order],
        )
        ask("SELECT erp.ship(%s, %s, '1Z-1')", order, json.dumps({"a": 2}))
        invoice = ask("SELECT erp.invoice(%s)", order)
        ask("SELECT erp.receive(%s, 'US01', %s, 600, %s)", "W-1", customer, json.dumps({invoice: 500}))
        memo = ask("SELECT erp.credit(%s, %s, 'broken')", invoice, json.dumps({"a": 1}))

    def bring(name: str) -> dict[str, int]:
        which = flow(f"{name}__legacy_to_salesforce")
        return counts(world.run(which, kind=RunKind.MANUAL, params=Params(since=world.began)), "salesforce")

    names = ("shipment", "invoice", "credit_memo", "payment")
    assert [bring(name) for name in names] == [{"applied": 2}, {"applied": 1}, {"applied": 1}, {"applied": 1}]

    def see(fields: str, sobject: str) -> list[dict[str, Any]]:
        return world.people.soql(f"SELECT {fields} FROM {sobject} ORDER BY Key__c")  # noqa: S608 - our words

    billed = see("Id, Number__c, Account__c, Net__c, Tax__c, Total__c, Open_Balance__c, Status__c", "ERP_Invoice__c")[0]
    assert [billed[name] for name in ("Number__c", "Account__c", "Net__c", "Tax__c")] == [
        invoice,
        account,
        872.0,
        71.94,
    ]
    assert [billed[name] for name in ("Total__c", "Open_Balance__c", "Status__c")] == [943.94, 0.0, "Paid"]
    credited = see("Number__c, Invoice__c, Total__c, Open_Balance__c, Reason__c", "ERP_Credit_Memo__c")[0]
    assert [credited[name] for name in ("Number__c", "Invoice__c", "Total__c", "Reason__c")] == [
        memo,
        billed["Id"],
        471.97,
        "broken",
    ]
    assert credited["Open_Balance__c"] == 28.03
    paid = see("Number__c, Amount__c, Unapplied__c, Status__c", "ERP_Payment__c")[0]
    assert [paid[name] for name in ("Number__c", "Amount__c", "Unapplied__c", "Status__c")] == [
        "W-1",
        600.0,
        100.0,
        "Partly Applied",
    ]
    assert [row["Invoice__c"] for row in see("Invoice__c", "ERP_Payment_Application__c")] == [billed["Id"]]
    assert {row["Kind__c"] for row in see("Kind__c", "ERP_Shipment__c")} == {"Shipment", "Return"}
    world.forget()
    assert [bring(name) for name in names] == [{"unchanged": 2}, {"unchanged": 1}, {"unchanged": 1}, {"unchanged": 1}]
    assert world.nothing_written()
    assert world.exceptions() == {}
