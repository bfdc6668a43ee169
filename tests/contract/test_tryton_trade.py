"""Quote to cash in the real ERP: who may do what, and one order from its confirmation to its payment and credit note."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from sandbox.erp.finance import finance
from sandbox.erp.lookups import NothingToDo
from sandbox.erp.rpc import Client, TrytonError
from sandbox.erp.server import Erp
from sandbox.erp.trading import Day
from tests.parties import buys_from
from tests.stack import TestStack

pytestmark = pytest.mark.timeout(900)  # the first time on a machine the template is made
DAY = dt.date(dt.datetime.now(tz=dt.UTC).year, 6, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """The integration user's session, and what an order of one company is made of."""

    accord: Client
    day: Day
    company: int
    entity: str
    currency: int
    warehouse: int
    country: int
    term: int
    products: dict[str, dict[str, Any]]

    def rows(self, model: str, domain: list[Any], fields: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.accord.call(
            f"model.{model}.search_read", domain, 0, None, [("id", "ASC")], fields, context={"company": self.company}
        )
        return found

    def customer(self) -> tuple[str, int]:
        """A new customer at home: code and id."""
        code = f"trade-{uuid.uuid4().hex[:12]}"
        address = {"country": self.country, "invoice": True, "delivery": True}
        values = {"code": code, "name": code, "addresses": [("create", [address])]}
        values["relations"] = buys_from(self.accord, self.entity)
        (made,) = self.accord.call("model.party.party.create", [values])
        return code, made

    def order(self, customer: int, *lines: tuple[str, int, str], **values: Any) -> int:
        """A draft, lines as (product, quantity, price)."""
        (party,) = self.rows("party.party", [("id", "=", customer)], ["addresses"])
        made = []
        for code, quantity, price in lines:
            product = self.products[code]
            made.append(
                {
                    "type": "line",
                    "product": product["id"],
                    "quantity": quantity,
                    "unit_price": Decimal(price),
                    "unit": product["default_uom"],
                    "taxes": [("add", [t["id"] for t in product["taxes"] if t["company"] == self.company])],
                }
            )
        head = {
            "company": self.company, "party": customer, "currency": self.currency, "warehouse": self.warehouse,
            "invoice_address": party["addresses"][0], "shipment_address": party["addresses"][0], "payment_term": self.term,
            "reference": uuid.uuid4().hex, "lines": [("create", made)],
        }  # fmt: skip
        context = {"company": self.company}
        return int(self.accord.call("model.sale.sale.create", [head | values], context=context)[0])

    def confirmed(self, customer: int, *lines: tuple[str, int, str], **values: Any) -> str:
        """A confirmed order's number."""
        sale = self.order(customer, *lines, **values)
        for step in ("quote", "confirm"):
            self.accord.call(f"model.sale.sale.{step}", [sale])
        return str(self.rows("sale.sale", [("id", "=", sale)], ["number"])[0]["number"])

    def sale(self, number: str) -> dict[str, Any]:
        fields = ["state", "shipment_state", "invoice_state", "total_amount", "shipments", "invoices"]
        return self.rows("sale.sale", [("number", "=", number)], fields)[0]

    def open_amounts(self, invoices: list[str]) -> list[tuple[str, Decimal]]:
        found = self.rows("account.invoice", [("number", "in", invoices)], ["state", "amount_to_pay"])
        return [(row["state"], row["amount_to_pay"]) for row in found]


@pytest.fixture(scope="module")
def erp(stack: TestStack) -> Erp:
    """Tryton with nothing in it but the sample company."""
    return stack.fresh_erp("erp_trade")


def shop(erp: Erp, entity: str) -> Shop:
    accord = erp.client("accord")
    companies = accord.call(
        "model.company.company.search_read", [("party.code", "=", entity)], 0, 1, None, ["currency"]
    )
    company = {"company": companies[0]["id"]}
    fields = ["code", "default_uom", "account_category.customer_taxes.company"]
    rows = accord.call(
        "model.product.product.search_read", [("code", "!=", None)], 0, None, None, fields, context=company
    )
    products = {row["code"]: row | {"taxes": row["account_category."]["customer_taxes."]} for row in rows}
    warehouse, country = {"NL01": ("RTM", "NL"), "GB01": ("LDS", "GB")}[entity]
    return Shop(
        accord=accord,
        day=Day.of(erp),
        company=company["company"],
        entity=entity,
        currency=companies[0]["currency"],
        warehouse=accord.call("model.stock.location.search", [("code", "=", warehouse)], 0, 1, None)[0],
        country=accord.call("model.country.country.search", [("code", "=", country)], 0, 1, None)[0],
        term=accord.call("model.account.invoice.payment_term.search", [("name", "=", "NET30")], 0, 1, None)[0],
        products=products,
    )


@pytest.fixture(scope="module")
def nl(erp: Erp) -> Shop:
    return shop(erp, "NL01")


@pytest.fixture(scope="module")
def gb(erp: Erp) -> Shop:
    return shop(erp, "GB01")


def test_an_order_goes_all_the_way_with_a_back_order_part_payments_and_a_return(nl: Shop) -> None:
    code, customer = nl.customer()
    number = nl.confirmed(customer, ("MI-1002", 5, "389"), ("MI-4001", 2, "145"))
    assert number.startswith("NL01-S")
    assert (nl.sale(number)["state"], nl.sale(number)["shipment_state"]) == ("processing", "waiting")
    first = nl.day.ship(number, {"MI-1002": 3}, tracking="T-1")
    nl.day.deliver(first)
    assert nl.sale(number)["shipment_state"] == "partially shipped"
    moves = nl.rows("stock.move", [("sale", "=", nl.sale(number)["id"])], ["quantity", "state"])
    assert sorted((move["quantity"], move["state"]) for move in moves) == [(2, "draft"), (3, "done")]
    (sent,) = nl.rows(
        "stock.shipment.out", [("number", "=", first)], ["shipping_reference", "carrier.carrier_product.name"]
    )
    assert (sent["shipping_reference"], sent["carrier."]["carrier_product."]["name"]) == ("T-1", "Northline Parcel")
    invoices = nl.day.invoice(number)  # the services and what was sent
    assert nl.day.invoice(number) == []
    nl.day.ship(number, deliver=True)
    with pytest.raises(NothingToDo, match="waits"):
        nl.day.ship(number)
    invoices += nl.day.invoice(number)
    assert nl.sale(number)["shipment_state"] == "sent"
    owed = nl.open_amounts(invoices)
    assert sum(amount for _, amount in owed) == nl.sale(number)["total_amount"] == Decimal("2704.35")
    part = {invoices[0]: owed[0][1], invoices[1]: Decimal(100)}
    bank = uuid.uuid4().hex
    for _ in range(2):  # the bank says it twice
        assert nl.day.receive(code, owed[0][1] + 150, part, number=bank) == 50
    assert nl.open_amounts(invoices[:2]) == [("paid", 0), ("posted", owed[1][1] - 100)]
    assert nl.day.apply(bank, invoices[1]) == 50
    with pytest.raises(NothingToDo, match="nothing left"):
        nl.day.apply(bank, invoices[1])
    rest = {
        name: amount
        for name, (state, amount) in zip(invoices, nl.open_amounts(invoices), strict=True)
        if state == "posted"
    }
    nl.day.receive(code, sum(rest.values(), Decimal(0)), rest, number=uuid.uuid4().hex)
    assert {state for state, _ in nl.open_amounts(invoices)} == {"paid"}
    assert (nl.sale(number)["state"], nl.sale(number)["invoice_state"]) == ("done", "paid")
    back, credits = nl.day.take_back(number, {"MI-1002": 1})
    assert nl.sale(back)["shipment_state"] == "sent"
    assert nl.open_amounts(credits) == [("posted", Decimal("-470.69"))]
    receivable = nl.rows("party.party", [("id", "=", customer)], ["receivable"])[0]["receivable"]
    assert receivable == Decimal("-470.69")  # the credit note


def test_what_is_short_waits_and_a_bundle_goes_by_its_parts(nl: Shop) -> None:
    _, customer = nl.customer()
    number = nl.confirmed(customer, ("MI-1017", 3, "12600"), ("MI-9004", 1, "2450"))  # two gas analysers are there
    nl.day.ship(number, deliver=True)
    sale = nl.sale(number)
    assert sale["shipment_state"] == "partially shipped"
    assert len(sale["shipments"]) == 2
    lines = nl.rows(
        "sale.line", [("sale", "=", sale["id"])], ["product.code", "moves_progress", "components.product.code"]
    )
    assert {line["product."]["code"]: round(line["moves_progress"], 2) for line in lines} == {
        "MI-1017": 0.67,
        "MI-9004": 1,
    }
    assert {part["product."]["code"] for part in lines[1]["components."]} == {"MI-1008", "MI-2009"}
    with pytest.raises(NothingToDo, match="in stock"):
        nl.day.ship(number)


def test_the_british_company_sells_in_pounds_with_its_own_numbers_and_taxes(gb: Shop) -> None:
    code, customer = gb.customer()
    number = gb.confirmed(customer, ("MI-1002", 1, "338"), ("MI-3901", 1, "39.15"))
    assert number.startswith("GB01-S")
    gb.day.ship(number, deliver=True)
    with pytest.raises(TrytonError, match="must reopen the period"):
        gb.day.invoice(number, dt.date(DAY.year - 1, 2, 10))
    (invoice,) = gb.day.invoice(number)
    assert invoice.startswith("GB01-I")
    (seen,) = gb.rows("account.invoice", [("number", "=", invoice)], ["currency.code", "tax_amount", "taxes.tax.name"])
    assert (seen["currency."]["code"], seen["tax_amount"]) == ("GBP", Decimal("67.60"))
    assert {tax["tax."]["name"] for tax in seen["taxes."]} == {"UK VAT 20%", "UK VAT 0% zero-rated"}
    assert (
        gb.day.receive(code, Decimal("444.75"), {invoice: Decimal("444.75")}, number=uuid.uuid4().hex, entity="GB01")
        == 0
    )
    assert gb.sale(number)["state"] == "done"


def test_a_whole_invoice_is_credited(nl: Shop) -> None:
    _, customer = nl.customer()
    number = nl.confirmed(customer, ("MI-4002", 1, "165"))
    (invoice,) = nl.day.invoice(number)
    credit = nl.day.credit(invoice)
    assert credit.startswith("NL01-C")
    assert nl.open_amounts([invoice, credit]) == [("cancelled", 0), ("paid", 0)]
    (line,) = nl.rows("account.invoice.line", [("invoice.number", "=", credit)], ["amount", "origin"])
    (credited,) = nl.rows("account.invoice.line", [("invoice.number", "=", invoice)], [])
    assert (line["amount"], line["origin"]) == (-165, f"account.invoice.line,{credited['id']}")
    with pytest.raises(NothingToDo):
        nl.day.credit(invoice)


def test_an_amendment_changes_a_confirmed_order(nl: Shop) -> None:
    _, customer = nl.customer()
    number = nl.confirmed(customer, ("MI-1003", 4, "729"))
    sale = nl.sale(number)["id"]
    (line,) = nl.rows("sale.line", [("sale", "=", sale)], ["product", "unit"])
    change = {"action": "line", "line": line["id"], "product": line["product"], "unit": line["unit"], "quantity": 3,
              "unit_price": Decimal(700)}  # fmt: skip
    made = nl.accord.call("model.sale.amendment.create", [{"sale": sale, "lines": [("create", [change])]}])
    nl.accord.call("model.sale.amendment.validate_amendment", made)
    (seen,) = nl.rows("sale.sale", [("id", "=", sale)], ["untaxed_amount", "moves.quantity", "number"])
    assert (seen["untaxed_amount"], [move["quantity"] for move in seen["moves."]]) == (2100, [3])
    assert seen["number"] == number


def test_a_credit_limit_keeps_the_order_a_quotation(erp: Erp, nl: Shop) -> None:
    _, customer = nl.customer()
    erp.client("finance").call("model.party.party.write", [customer], {"credit_limit_amount": Decimal(100)})
    sale = nl.order(customer, ("MI-1003", 1, "729"))
    nl.accord.call("model.sale.sale.quote", [sale])
    with pytest.raises(TrytonError, match="will exceed their"):
        nl.accord.call("model.sale.sale.confirm", [sale])
    assert nl.rows("sale.sale", [("id", "=", sale)], ["state"])[0]["state"] == "quotation"


@pytest.mark.parametrize("code", ["MI-0901", "MI-0903"])
def test_what_is_not_sold_any_more_can_not_be_ordered(nl: Shop, code: str) -> None:
    _, customer = nl.customer()
    with pytest.raises(TrytonError, match="Product"):
        nl.order(customer, (code, 1, "1"))


def test_prices_are_the_servers(nl: Shop) -> None:
    def price(name: str, code: str, quantity: int, currency: str, date: dt.date = DAY) -> Decimal:
        (listed,) = nl.rows("product.price_list", [("name", "=", name)], [])
        (money,) = nl.rows("currency.currency", [("code", "=", currency)], [])
        asked = {"company": nl.company, "price_list": listed["id"], "currency": money["id"], "quantity": quantity}
        product = nl.products[code]["id"]
        read = nl.accord.call(
            "model.product.product.read",
            [product],
            ["sale_price_uom"],
            context=asked | {"date": date, "sale_date": date},
        )
        return Decimal(read[0]["sale_price_uom"])

    assert [price("Standard EUR", "MI-3001", quantity, "EUR") for quantity in (1, 10, 50)] == [
        Decimal("18.5"), Decimal("17.575"), Decimal("16.65"),
    ]  # fmt: skip
    assert price("Standard EUR", "MI-1006", 1, "EUR") == 8250
    assert price("Standard EUR", "MI-1006", 1, "EUR", DAY.replace(year=DAY.year + 1)) == 8690
    assert price("Export USD", "MI-1001", 1, "USD") == Decimal("742.9752")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("account.invoice.post", "not allowed to access"),
        ("account.invoice.delete", "not allowed to access"),
        ("stock.shipment.out.pick", "not allowed to access"),
        ("stock.shipment.out.do", "not allowed to access"),
        ("sale.sale.process", "not allowed"),
        ("sale.sale.delete", "not allowed to access"),
    ],
)
def test_the_integration_user_neither_ships_nor_invoices(nl: Shop, call: str, words: str) -> None:
    _, customer = nl.customer()
    number = nl.confirmed(customer, ("MI-2007", 1, "29"), ("MI-4005", 1, "85"))
    sale = nl.sale(number)
    target = {"account": sale["invoices"], "stock": sale["shipments"], "sale": [sale["id"]]}[call.partition(".")[0]]
    with pytest.raises(TrytonError, match=words):
        nl.accord.call(f"model.{call}", target)
    assert nl.sale(number) == sale


@pytest.mark.parametrize(
    "model", ["stock.move", "account.statement", "account.invoice", "product.price_list", "product.template"]
)
def test_the_integration_user_creates_orders_only(nl: Shop, model: str) -> None:
    with pytest.raises(TrytonError, match="not allowed to access"):
        nl.accord.call(f"model.{model}.create", [{}])


def test_finance_gives_each_company_its_own_customers(erp: Erp, nl: Shop, gb: Shop) -> None:
    _, dutch = nl.customer()
    _, british = gb.customer()
    finance(erp)

    def limit(where: Shop, customer: int) -> Any:
        fields = ["credit_limit_amount", "customer_tax_rule.name"]
        (row,) = where.rows("party.party", [("id", "=", customer)], fields)
        return row["credit_limit_amount"] is not None, (row["customer_tax_rule."] or {}).get("name")

    assert (limit(nl, dutch), limit(gb, dutch)) == ((True, "Domestic"), (False, None))
    assert (limit(nl, british), limit(gb, british)) == ((False, None), (True, "Domestic"))
