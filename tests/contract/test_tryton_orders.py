"""Orders as sales of a real Tryton."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, ClassVar

import psycopg
import pytest

from accord.errors import InDoubt
from accord.objects.order import ORDER
from accord.objects.order_status import ORDER_STATUS
from accord.ports import Source, Target
from accord.settings import Connection
from accord.systems import open_system
from sandbox.erp.rpc import Client
from sandbox.erp.server import Erp
from sandbox.erp.trading import Day
from tests.contract.selling import Shop, later
from tests.contract.source_suite import SourceSuite
from tests.contract.target_suite import TargetSuite
from tests.contract.tryton_server import OnTryton
from tests.contract.tryton_server import connection as connection
from tests.contract.tryton_server import finance as finance
from tests.contract.tryton_server import one as one
from tests.fakes import FakeSending
from tests.stack import TestStack
from tests.tables import Row, changes, wanted

MADE_AT_ONCE = 8  # orders: one call for all costs as much as two for one each


@pytest.fixture(scope="session")
def shop(tryton: Erp) -> Shop:
    return Shop(tryton.client("accord"))


@pytest.fixture(scope="session")
def day(tryton: Erp) -> Day:
    return Day.of(tryton)


class Selling(OnTryton, TargetSuite):
    definition = ORDER
    text_field = "customer_reference"
    accepted: ClassVar[
        list[dict[str, Any]]
    ] = []  # nobody has asked for them yet: many at once cost little more than one

    @pytest.fixture(autouse=True)
    def _people(self, shop: Shop, day: Day) -> None:
        self.shop, self.day = shop, day

    def existing(self, target: Target) -> dict[str, Any]:
        if not self.accepted:
            self.accepted.extend(self.create(target, *(self.sample(1) for _ in range(MADE_AT_ONCE))))
        return self.accepted.pop()

    def sales(self, key: str) -> list[dict[str, Any]]:
        """The sales of an order that are not cancelled."""
        fields = ["state", "number", "total_amount", "tax_amount", "untaxed_amount", "revision", "company"]
        domain = [["reference", "=", key], ["state", "!=", "cancelled"]]
        found: list[dict[str, Any]] = self.shop.client.call(
            "model.sale.sale.search_read", domain, 0, None, [["id", "ASC"]], fields
        )
        return found

    def count(self, target: Target, key: str) -> int:
        return len(self.sales(key))

    def sample(self, number: int, **values: Any) -> dict[str, Any]:
        return self.shop.order(**values)

    def changed(self, row: Row) -> dict[str, Any]:
        first, second = row["lines"]
        lines = [{**first, "quantity": Decimal(5), "unit_price": Decimal("590.0000"), "description": "New"}, second]
        return later(dict(row), lines=lines, payment_terms="NET60", customer_reference="PO 4712")

    def spoilt(self, target: Target, row: Row) -> dict[str, Any]:
        first, second = row["lines"]
        return {**row, "lines": [{**first, "quantity": Decimal("2.5")}, second]}  # nobody sells half a meter


class TestOrders(Selling):
    def test_eight_at_once_create_one(self, open_target: Callable[[], Target], target: Target) -> None:
        row, start = self.sample(1), threading.Barrier(8)

        def one(_: int) -> dict[str, Any]:
            own = open_target()
            try:
                own.read_back(self.definition, wanted([("nobody:0", None)]))
                start.wait(timeout=30)
                return self.send(own, row)[row["key"]]
            finally:
                own.close()

        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(one, range(8)))
        assert {o["outcome"] for o in outcomes} <= {"applied", "retry"}, outcomes
        assert [sale["state"] for sale in self.sales(row["key"])] == ["processing"]
        assert len({o["native"] for o in outcomes if o["outcome"] == "applied"}) == 1

    # ------------------------------------------------------------------------------------------------ duplicates, doubt
    def test_duplicate_submission_of_the_same_order(self, target: Target) -> None:
        """From two sides, one of which left its draft half-way: one sale is confirmed, no other stays open."""
        row = self.sample(1)
        left = {"reference": row["key"], "party": int(row["customer__native"]), "company": 1}
        self.shop.client.call("model.sale.sale.create", [left, left], context={"company": 1})
        (sent,) = self.create(target, row)
        assert [(sale["state"], str(sale["id"])) for sale in self.sales(row["key"])] == [("processing", sent["native"])]
        self.assert_held(target, sent)

    def test_failed_acknowledgement(self, target: Target, connection: Connection) -> None:
        """The confirmation succeeded, its answer was lost: it is read back, and sending again makes no second order."""
        row, lost = self.sample(1), open_system("tryton", connection)
        inner = lost._context.client.call

        def call(method: str, *parameters: Any, **more: Any) -> Any:
            answer = inner(method, *parameters, **more)
            if method == "model.sale.sale.confirm":
                raise InDoubt("The answer was lost.")
            return answer

        lost._context.client.call = call
        assert self.send(lost, row)[row["key"]]["outcome"] == "unknown"
        lost.close()
        self.assert_held(target, row)  # so nothing is sent again; and if it were:
        (sent,) = self.create(target, row)
        assert [str(sale["id"]) for sale in self.sales(row["key"])] == [sent["native"]]

    def test_what_was_not_confirmed_is_not_there(self, target: Target, connection: Connection) -> None:
        """The sender dies before it confirms: what it left counts for nothing, and is taken up."""
        row, dying = self.sample(1), open_system("tryton", connection)
        inner = dying._context.client.call

        def call(method: str, *parameters: Any, **more: Any) -> Any:
            if method == "model.sale.sale.confirm":
                raise InDoubt("Never sent.")
            return inner(method, *parameters, **more)

        dying._context.client.call = call
        self.send(dying, row)
        dying.close()
        (left,) = self.sales(row["key"])
        assert left["state"] == "quotation"
        assert self.held(target, row) == {}
        (sent,) = self.create(target, row)
        assert sent["native"] == str(left["id"])

    # ----------------------------------------------------------------------------------------------- taxes, legal entity
    def test_taxes_and_totals_of_both_legal_entities(self, target: Target) -> None:
        here = self.sample(1)
        line = self.shop.line("MI-1001", "2", "100.0000")
        there = self.shop.order(line, legal_entity="GB01", currency="GBP")
        self.create(target, here, there)
        (one,), (two,) = self.sales(here["key"]), self.sales(there["key"])
        assert (one["untaxed_amount"], one["tax_amount"]) == (
            Decimal("2368.50"),
            Decimal("497.38"),
        )  # 21 %, of each line: 252.00 + 245.38
        assert (two["untaxed_amount"], two["tax_amount"]) == (Decimal("200.00"), Decimal("40.00"))  # 20 %
        assert one["number"].startswith("NL01-")
        assert two["number"].startswith("GB01-")

    def test_tax_exception_of_a_customer(self, target: Target, finance: Client) -> None:
        """Reverse charge: the invoice can be posted, so the taxes are the ones Tryton expects."""
        row = self.shop.order(self.shop.line("MI-1001", "1", "649.0000"))
        rule = [["name", "=", "EU reverse charge"], ["company", "=", 1]]
        (rule_id,) = finance.call("model.account.tax.rule.search", rule, 0, None, None)
        finance.call("model.party.party.write", [int(row["customer__native"])], {"customer_tax_rule": rule_id})
        self.create(target, row)
        assert self.sales(row["key"])[0]["tax_amount"] == 0
        self.day.ship(row["key"], {"MI-1001": 1}, deliver=True)
        assert len(self.day.invoice(row["key"])) == 1

    # ---------------------------------------------------------------------------------------------------------- refusals
    def refused(self, target: Target, row: Row) -> tuple[str, str, str]:
        answer = self.send(target, row)[row["key"]]
        return answer["outcome"], answer["category"], answer["message"]

    def test_credit_limit_refusal(self, target: Target, finance: Client) -> None:
        """It waits in the ERP for finance, and is accepted by itself once the limit allows it."""
        row = self.sample(1)
        limit = "model.party.party.write"
        finance.call(limit, [int(row["customer__native"])], {"credit_limit_amount": Decimal("100.00")})
        outcome, category, message = self.refused(target, row)
        assert (outcome, category) == ("hold", "credit limit exceeded")
        assert "100" not in message
        assert [sale["state"] for sale in self.sales(row["key"])] == ["quotation"]
        finance.call(limit, [int(row["customer__native"])], {"credit_limit_amount": Decimal("100000.00")})
        self.create(target, row)
        assert [sale["state"] for sale in self.sales(row["key"])] == ["processing"]

    def test_other_work_holds_a_table(self, target: Target, finance: Client, stack: TestStack, tryton: Erp) -> None:
        """Confirming an order of a customer with a credit limit locks the receivables, or fails: PostgreSQL is asked not to wait."""
        row = self.sample(1)
        limit = {"credit_limit_amount": Decimal("100000.00")}
        finance.call("model.party.party.write", [int(row["customer__native"])], limit)
        with psycopg.connect(stack.postgres().dsn(tryton.database)) as holder:
            holder.execute("LOCK account_move_line IN EXCLUSIVE MODE")
            assert self.refused(target, row)[:2] == ("retry", "tables locked")
        self.create(target, row)
        assert [sale["state"] for sale in self.sales(row["key"])] == ["processing"]

    def test_credit_hold(self, target: Target) -> None:
        row = self.sample(1)
        code = row["customer"].partition(":")[2]
        self.day.hold(code)
        assert self.refused(target, row)[:2] == ("hold", "customer on credit hold")
        assert self.sales(row["key"]) == []
        self.day.hold(code, on=False)
        (row,) = self.create(target, row)
        self.day.hold(code)
        first, second = row["lines"]
        less = later(row, lines=[{**first, "quantity": Decimal(1)}, second])
        (less,) = self.create(target, less)  # less is always possible
        more = later(less, lines=[{**first, "quantity": Decimal(9)}, second])
        assert self.refused(target, more)[:2] == ("hold", "customer on credit hold")

    def test_refusals_in_business_words(self, target: Target) -> None:
        cases = {
            "product no longer sold": self.shop.order(self.shop.line("MI-0901", "1", "10.0000")),
            "closed period": self.sample(1, order_date=dt.date(2025, 2, 10)),
            "payment terms unknown": self.sample(1, payment_terms="NET999"),
            "invalid value": self.sample(1, requested_date=self.sample(1)["order_date"] - dt.timedelta(days=1)),
            "unknown reference": self.sample(1, customer__native="99999999"),
        }
        answers = self.send(target, *cases.values())
        assert {row["key"]: answers[row["key"]]["category"] for row in cases.values()} == {
            row["key"]: category for category, row in cases.items()
        }
        assert all(self.count(target, row["key"]) in (0, 1) for row in cases.values())
        assert not [row for row in cases.values() if self.held(target, row)]

    # -------------------------------------------------------------------------------------------------------- amendments
    def test_amendment_of_quantity_price_and_terms(self, target: Target) -> None:
        row = self.existing(target)
        (before,) = self.sales(row["key"])
        (row,) = self.create(target, self.changed(row))
        (after,) = self.sales(row["key"])
        assert (after["id"], after["number"]) == (before["id"], before["number"])
        assert after["untaxed_amount"] == Decimal("4118.50")  # 5 × 590 + 3 × 389.50
        assert after["revision"] == before["revision"] + 1
        self.create(target, row)  # the same version again changes nothing
        assert self.sales(row["key"])[0]["revision"] == after["revision"]

    def test_an_amendment_that_was_left_is_applied_once(self, target: Target, connection: Connection) -> None:
        row = self.existing(target)
        row, dying = self.changed(row), open_system("tryton", connection)
        inner = dying._context.client.call

        def call(method: str, *parameters: Any, **more: Any) -> Any:
            if method.endswith("validate_amendment"):
                raise InDoubt("Never sent.")
            return inner(method, *parameters, **more)

        dying._context.client.call = call
        assert self.send(dying, row)[row["key"]]["outcome"] == "unknown"
        dying.close()
        (row,) = self.create(target, row)
        self.assert_held(target, row)
        domain = [["sale", "=", int(row["native"])]]
        search = "model.sale.amendment.search_read"
        made = self.shop.client.call(search, domain, 0, None, None, ["state", "description"])
        assert [amendment["state"] for amendment in made] == ["validated"]
        assert made[0]["description"] == "Salesforce, version 2026-01-01T00:01:00+00:00"

    def test_line_cancelled(self, target: Target) -> None:
        row = self.existing(target)
        first, second = row["lines"]
        (row,) = self.create(target, later(row, lines=[first, {**second, "cancelled": True}]))
        self.assert_held(target, row)
        assert self.sales(row["key"])[0]["untaxed_amount"] == Decimal("1200.00")
        (row,) = self.create(target, later(row, lines=[first, second]))  # wanted after all
        assert self.sales(row["key"])[0]["untaxed_amount"] == Decimal("2368.50")

    def test_what_an_accepted_order_does_not_allow(self, target: Target) -> None:
        row = self.existing(target)
        first, second = row["lines"]
        reasons = {
            "add lines": later(row, lines=[first, second, self.shop.line("MI-1003", "1", "729.0000")]),
            "the requested date": later(row, requested_date=row["requested_date"] + dt.timedelta(days=1)),
            "the currency": later(row, currency="USD"),
            "another product": later(row, lines=[{**first, "product__native": str(self.shop.product("MI-1003"))}, second]),
        }  # fmt: skip
        for words, wrong in reasons.items():
            outcome, category, message = self.refused(target, wrong)
            assert (outcome, category) == ("reject", "fixed once the order is accepted")
            assert words in message
        assert self.sales(row["key"])[0]["revision"] == 0
        self.assert_held(target, row)

    def test_what_left_or_is_invoiced_stays(self, target: Target) -> None:
        """Amendment and cancellation after a partial shipment, and after a partial invoice."""
        row = self.existing(target)
        first, second = row["lines"]
        self.day.ship(row["key"], {"MI-1001": 1}, deliver=False)
        none = later(row, lines=[{**first, "quantity": Decimal(0)}, second])
        assert self.refused(target, none)[1:] == (
            "already shipped or invoiced",
            "More than the new quantity of a line is already shipped. Agree a return or a credit note with finance.",
        )
        assert self.refused(target, {**row, "gone": True})[:2] == ("reject", "already shipped or invoiced")
        (row,) = self.create(
            target, later(row, lines=[{**first, "quantity": Decimal(1)}, second])
        )  # what was sent stays
        (shipment,) = self.shop.client.call(
            "model.stock.shipment.out.search_read",
            [["state", "=", "shipped"], ["customer", "=", int(row["customer__native"])]], 0, None, None, ["number"],
        )  # fmt: skip
        self.day.deliver(shipment["number"])
        assert len(self.day.invoice(row["key"])) == 1
        dearer = later(row, lines=[{**first, "quantity": Decimal(1), "unit_price": Decimal("650.0000")}, second])
        assert self.refused(target, dearer)[1:] == (
            "already shipped or invoiced",
            "A line is already invoiced: its price can't be changed any more. Agree a return or a credit note with finance.",
        )
        assert self.refused(target, {**row, "gone": True})[1] == "already shipped or invoiced"
        (row,) = self.create(
            target, later(row, lines=[{**first, "quantity": Decimal(1)}, {**second, "cancelled": True}])
        )
        assert self.sales(row["key"])[0]["untaxed_amount"] == Decimal("600.00")  # what is left can still be dropped

    def test_cancellation_before_anything_left(self, target: Target) -> None:
        row = self.existing(target)
        (row,) = self.create(target, {**row, "gone": True})
        (sale,) = self.sales(row["key"])
        assert (sale["state"], sale["total_amount"]) == ("done", 0)

    def test_cancelled_in_the_erp(self, target: Target, finance: Client) -> None:
        """Somebody cancelled what waited for finance: the order is not placed again behind their back."""
        row = self.sample(1)
        finance.call(
            "model.party.party.write", [int(row["customer__native"])], {"credit_limit_amount": Decimal("1.00")}
        )
        self.refused(target, row)
        (sale,) = self.sales(row["key"])
        self.day.operations.call("model.sale.sale.cancel", [sale["id"]])
        answer = self.refused(target, later(row, native=str(sale["id"])))
        assert answer[:2] == ("reject", "fixed once the order is accepted")
        assert self.sales(row["key"]) == []


class TestStatuses(OnTryton, SourceSuite):
    definition = ORDER_STATUS
    made: ClassVar[list[str]] = []  # orders nobody has asked for yet

    @pytest.fixture(autouse=True)
    def _people(self, shop: Shop, day: Day) -> None:
        self.shop, self.day = shop, day

    def sold(self, source: Any, *lines: tuple[str, str], **values: Any) -> dict[str, Any]:
        """An order of these products and quantities, accepted."""
        lines = lines or (("MI-1001", "2"), ("MI-1002", "3"))
        row = self.shop.order(*(self.shop.line(code, quantity, "100.0000") for code, quantity in lines), **values)
        (result,) = source.send(ORDER, changes(ORDER, [row]), FakeSending()).to_pylist()
        return row | {"native": result["native"]}

    def make(self, source: Any, number: int) -> str:
        if not self.made:
            lines = (("MI-1001", "2"), ("MI-1002", "3"))
            rows = [
                self.shop.order(*(self.shop.line(code, quantity, "100.0000") for code, quantity in lines))
                for _ in range(MADE_AT_ONCE)
            ]
            results = source.send(ORDER, changes(ORDER, rows), FakeSending()).to_pylist()
            assert {result["outcome"] for result in results} == {"applied"}
            self.made.extend(result["key"] for result in results)
        return self.made.pop()

    def change(self, source: Any, native: str) -> None:
        """An amendment: one line less."""
        (sale,) = self.shop.client.call(
            "model.sale.sale.search_read", [["reference", "=", native]], 0, None, None,
            [f"lines.{name}" for name in ("product", "unit", "unit_price", "quantity")],
        )  # fmt: skip
        line = sale["lines."][1]
        action = {"action": "line", "line": line["id"]} | {
            name: line[name] for name in ("product", "unit", "unit_price")
        }
        values = {"sale": sale["id"], "lines": [["create", [action | {"quantity": line["quantity"] - 1}]]]}
        made = self.shop.client.call("model.sale.amendment.create", [values])
        self.shop.client.call("model.sale.amendment.validate_amendment", made)

    def change_part(self, source: Source, native: str) -> None:
        self.day.ship(native, {"MI-1001": 1})

    def remove(self, source: Any, native: str) -> None:
        (row,) = self.read(source, natives=(native,))[1].values()
        order = self.shop.order(key=native, gone=True)
        source.send(ORDER, changes(ORDER, [order]), FakeSending())
        assert row["status"] != "Cancelled"

    def is_removed(self, row: dict[str, Any]) -> bool:
        return bool(row["status"] == "Cancelled")

    def of(self, source: Source, key: str) -> dict[str, Any]:
        (row,) = self.read(source, natives=(key,))[1].values()
        return row

    def lines(self, row: dict[str, Any]) -> list[tuple[str, Decimal, Decimal, Decimal]]:
        return [(line["status"], line["shipped"], line["back_ordered"], line["invoiced"]) for line in row["lines"]]

    def test_from_acceptance_to_payment(self, source: Any) -> None:
        """Partial shipment, back-order, partial invoice, payment: the order and its lines step by step."""
        order = self.sold(source)
        row = self.of(source, order["key"])
        assert (row["key"], row["status"], row["reason"]) == (order["key"], "Accepted", None)
        assert (row["booked_date"], row["promised_date"]) == (order["order_date"], order["requested_date"])
        assert (row["currency"], row["total"], row["tax"]) == ("EUR", Decimal("605.00"), Decimal("105.00"))
        assert [line["id"] for line in row["lines"]] == [line["id"] for line in order["lines"]]
        assert self.lines(row) == [("Accepted", 0, 0, 0), ("Accepted", 0, 0, 0)]

        first = self.day.ship(order["key"], {"MI-1001": 2, "MI-1002": 1})
        row = self.of(source, order["key"])
        assert (row["status"], self.lines(row)) == ("In Fulfilment", [("Shipped", 2, 0, 0), ("In Fulfilment", 1, 2, 0)])
        self.day.deliver(first)
        assert self.of(source, order["key"])["status"] == "In Fulfilment"
        (invoice,) = self.day.invoice(order["key"])
        assert self.lines(self.of(source, order["key"])) == [("Invoiced", 2, 0, 2), ("In Fulfilment", 1, 2, 1)]
        self.day.ship(order["key"], deliver=True)
        assert self.of(source, order["key"])["status"] == "Shipped"
        (rest,) = self.day.invoice(order["key"])
        row = self.of(source, order["key"])
        assert (row["status"], self.lines(row)) == ("Invoiced", [("Invoiced", 2, 0, 2), ("Invoiced", 3, 0, 3)])
        code = order["customer"].partition(":")[2]
        parts = {invoice: Decimal("363.00"), rest: Decimal("242.00")}
        self.day.receive(code, Decimal("605.00"), parts, number=order["key"])
        assert self.of(source, order["key"])["status"] == "Paid"

    def test_what_waits_for_finance_is_on_hold(self, source: Any, finance: Client) -> None:
        row = self.shop.order()
        finance.call(
            "model.party.party.write", [int(row["customer__native"])], {"credit_limit_amount": Decimal("1.00")}
        )
        source.send(ORDER, changes(ORDER, [row]), FakeSending())
        told = self.of(source, row["key"])
        assert (told["status"], told["number"][:5]) == ("On Hold", "NL01-")
        assert "finance" in told["reason"]

    def test_services_and_kits(self, source: Any) -> None:
        """A service is invoiced without a shipment; a kit counts as whole kits."""
        kit = self.shop.client.call(
            "model.product.product.search_read", [["type", "=", "kit"], ["salable", "=", True]], 0, 1, None, ["code"]
        )
        service = self.shop.client.call(
            "model.product.product.search_read",
            [["type", "=", "service"], ["code", "!=", None], ["salable", "=", True]], 0, 1, None, ["code"],
        )  # fmt: skip
        order = self.sold(source, (kit[0]["code"], "2"), (service[0]["code"], "1"))
        row = self.of(source, order["key"])
        assert self.lines(row)[0] == ("Accepted", 0, 0, 0)
        self.day.ship(order["key"], deliver=True)
        row = self.of(source, order["key"])
        assert self.lines(row) == [("Shipped", 2, 0, 0), ("Accepted", 0, 0, 0)]
        self.day.invoice(order["key"])
        assert self.of(source, order["key"])["status"] == "Invoiced"

    def test_a_sale_made_by_hand_stays_out(self, source: Any) -> None:
        party = int(self.shop.customer()["customer__native"])
        self.shop.client.call("model.sale.sale.create", [{"party": party, "company": 1, "reference": "by hand"}])
        assert not [native for native in self.read(source)[1] if not native.startswith("salesforce:")]
