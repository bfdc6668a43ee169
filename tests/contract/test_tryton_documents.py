"""Shipments, invoices, credit notes and payments out of a real Tryton."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from accord.objects import OBJECTS
from accord.ports import Source
from sandbox.erp.lookups import only, rows
from sandbox.erp.server import Erp
from tests.contract.source_suite import SourceSuite
from tests.contract.tryton_server import OnTryton
from tests.contract.tryton_server import connection as connection
from tests.contract.tryton_server import one as one
from tests.erp_orders import Orders

MADE_AT_ONCE = 24  # a suite's records: one call for all costs as much as two for one each
TODAY = dt.datetime.now(dt.UTC).date()


@pytest.fixture(scope="module")
def company(orders: Orders) -> int:
    return orders.company("NL01")


@pytest.fixture(scope="module")
def orders(tryton: Erp) -> Orders:
    return Orders(tryton)


class Documents(OnTryton, SourceSuite):
    """What all of them have in common. `make_some` makes many at once: their ids."""

    made: ClassVar[dict[str, Iterator[int]]] = {}
    prefix = ""

    @pytest.fixture(autouse=True)
    def _erp(self, orders: Orders, company: int) -> None:
        self.orders = orders
        self.operations, self.finance = orders.day.operations, orders.day.finance
        self.company = company

    def make(self, source: Any, number: int) -> str:
        left = self.made.setdefault(self.definition.name, iter(()))
        found = next(left, None)
        if found is None:
            left = self.made[self.definition.name] = iter(self.make_some(MADE_AT_ONCE))
            found = next(left)
        return f"{self.prefix}{found}"

    def make_some(self, count: int) -> list[int]:
        raise NotImplementedError

    def customer(self) -> dict[str, Any]:
        """A new one, with its address."""
        code = f"doc-{uuid.uuid4().hex[:12]}"
        address = {"invoice": True, "delivery": True, "street": "Kade 1"}
        values = {"code": code, "name": code, "addresses": [("create", [address])]}
        (party,) = self.orders.accord.call("model.party.party.create", [values])
        return only(self.finance, "party.party", [("id", "=", party)], ["code", "addresses"])

    def euro(self) -> int:
        return int(only(self.finance, "currency.currency", [("code", "=", "EUR")], [])["id"])

    def account(self, kind: str) -> int:
        ours = [("company", "=", self.company), (f"type.{kind}", "=", True), ("closed", "!=", True)]
        return int(only(self.finance, "account.account", ours, [])["id"])

    def bill(self, count: int, quantity: float, customer: dict[str, Any] | None = None) -> list[int]:
        """Posted documents of one line with tax."""
        customer = customer or self.customer()
        line = {
            "type": "line", "company": self.company, "description": "Work", "quantity": quantity, "unit_price": Decimal("18.53"),
            "account": self.account("revenue"), "currency": self.euro(),
            "taxes": [("add", [only(self.finance, "account.tax", [("name", "=", "VAT 21%"), ("company", "=", self.company)], [])["id"]])],
        }  # fmt: skip
        head = {
            "type": "out", "company": self.company, "party": customer["id"], "invoice_address": customer["addresses"][0],
            "currency": self.euro(), "account": self.account("receivable"), "description": "as agreed",
            "journal": only(self.finance, "account.journal", [("type", "=", "revenue")], [])["id"],
            "payment_term": only(self.finance, "account.invoice.payment_term", [("name", "=", "NET30")], [])["id"],
        }  # fmt: skip
        made: list[int] = self.finance.call(
            "model.account.invoice.create", [head | {"lines": [("create", [line])]} for _ in range(count)]
        )
        self.finance.call("model.account.invoice.post", made)
        return made

    def number(self, native: str) -> str:
        return str(only(self.finance, "account.invoice", [("id", "=", int(native))], ["number"])["number"])


class TestInvoices(Documents):
    definition = OBJECTS["invoice"]

    def make_some(self, count: int) -> list[int]:
        return self.bill(count, 3.0)

    def change(self, source: Source, native: str) -> None:
        (row,) = rows(self.finance, "account.invoice", [("id", "=", int(native))], ["party.code"])
        payment = {self.number(native): Decimal("10.00")}
        self.orders.day.receive(row["party."]["code"], Decimal("10.00"), payment, number=uuid.uuid4().hex)

    def change_part(self, source: Source, native: str) -> None:
        self.orders.reschedule(self.number(native), TODAY + dt.timedelta(days=90))

    def remove(self, source: Source, native: str) -> None:
        self.orders.day.credit(self.number(native))

    def is_removed(self, row: dict[str, Any]) -> bool:
        return (row["status"], row["open_balance"]) == ("Cancelled", 0)

    def test_amounts_dates_and_lines(self, source: Source) -> None:
        native = self.make(source, 1)
        (row,) = self.read(source, natives=(native,))[1].values()
        amounts = [row[name] for name in ("net", "tax", "total", "open_balance")]
        assert amounts == [Decimal("55.59"), Decimal("11.67"), Decimal("67.26"), Decimal("67.26")]
        assert (row["status"], row["overdue"], row["currency"], row["legal_entity"]) == ("Posted", False, "EUR", "NL01")
        assert row["due_date"] - row["invoice_date"] == dt.timedelta(days=30)
        assert row["booking_date"] == row["invoice_date"]
        (line,) = row["lines"]
        assert {name: line[name] for name in ("product", "description", "quantity", "unit_price", "net", "tax", "tax_code")} == {
            "product": None, "description": "Work", "quantity": 3, "unit_price": Decimal("18.53"), "net": Decimal("55.59"),
            "tax": Decimal("11.67"), "tax_code": "VAT 21%",
        }  # fmt: skip

    def test_what_falls_due_is_a_change(self, source: Source) -> None:
        native = self.make(source, 1)
        self.orders.reschedule(self.number(native), TODAY - dt.timedelta(days=2))
        (row,) = self.read(source, natives=(native,))[1].values()
        assert (row["overdue"], row["status"]) == (True, "Posted")
        midnight = dt.datetime.combine(TODAY - dt.timedelta(days=1), dt.time(), dt.UTC)
        assert row["version"] >= midnight
        late = self.read(source, since=midnight, until=midnight + dt.timedelta(hours=1))[1]
        assert native not in late or late[native]["version"] < midnight + dt.timedelta(hours=1)
        self.change(source, native)
        (row,) = self.read(source, natives=(native,))[1].values()
        assert (row["overdue"], row["status"], row["open_balance"]) == (True, "Partly Paid", Decimal("57.26"))

    def test_a_payment_that_bounces_opens_it_again(self, source: Source) -> None:
        """Tryton writes only the payment's line then."""
        native = self.make(source, 1)
        self.change(source, native)
        (row,) = self.read(source, natives=(native,))[1].values()
        assert row["open_balance"] == Decimal("57.26")
        paid = [("invoice_payments", "=", int(native))]
        self.orders.take_money_back(only(self.finance, "account.move.line", paid, ["move"])["move"])
        changed = self.read(source, since=row["version"] + dt.timedelta(microseconds=1))[1]
        assert (changed[native]["open_balance"], changed[native]["status"]) == (Decimal("67.26"), "Posted")

    def test_neither_drafts_nor_credit_notes_are_invoices(self, source: Source) -> None:
        posted = only(self.finance, "account.invoice", [("id", "=", int(self.make(source, 1)))], ["party", "lines"])
        (draft,) = self.finance.call("model.account.invoice.copy", [posted["id"]])
        credit = self.bill(1, -1.0)
        assert self.read(source, natives=(str(draft), str(credit[0])))[1] == {}


class TestCreditMemos(Documents):
    definition = OBJECTS["credit_memo"]

    def make_some(self, count: int) -> list[int]:
        return self.bill(count, -2.0)

    def change(self, source: Source, native: str) -> None:
        self.orders.reschedule(self.number(native), TODAY + dt.timedelta(days=60))

    def change_part(self, source: Source, native: str) -> None:
        self.orders.reschedule(self.number(native), TODAY + dt.timedelta(days=90))

    def remove(self, source: Source, native: str) -> None:
        pytest.skip("a credit note that was posted stays")

    def test_amounts_are_positive(self, source: Source) -> None:
        native = self.make(source, 1)
        (row,) = self.read(source, natives=(native,))[1].values()
        amounts = [row[name] for name in ("net", "tax", "total", "open_balance")]
        assert amounts == [Decimal("37.06"), Decimal("7.78"), Decimal("44.84"), Decimal("44.84")]
        assert (row["status"], row["reason"], row["invoice"], row["order"]) == ("Posted", "as agreed", None, None)
        assert [(line["quantity"], line["net"], line["tax"]) for line in row["lines"]] == [
            (2, Decimal("37.06"), Decimal("7.78"))
        ]

    def test_it_names_the_invoice_it_corrects(self, source: Source) -> None:
        (invoice,) = self.bill(1, 3.0)
        credited = self.orders.day.credit(self.number(str(invoice)))
        (memo,) = rows(self.finance, "account.invoice", [("number", "=", credited)], [])
        (row,) = self.read(source, natives=(str(memo["id"]),))[1].values()
        assert (row["invoice"], row["status"], row["open_balance"]) == (f"tryton:{invoice}", "Paid", 0)


class TestPayments(Documents):
    definition = OBJECTS["payment"]

    def make_some(self, count: int) -> list[int]:
        """One statement of the bank with a payment per line."""
        customer, ours = self.customer(), [("company", "=", self.company), ("currency.code", "=", "EUR")]
        journal = only(self.finance, "account.statement.journal", ours, [])["id"]
        line = {
            "date": TODAY,
            "party": customer["id"],
            "account": self.account("receivable"),
            "amount": Decimal("10.00"),
        }
        name = uuid.uuid4().hex[:8]
        lines = [line | {"number": f"{name}-{place}"} for place in range(count)]
        statement = {
            "name": name, "company": self.company, "journal": journal, "date": TODAY, "total_amount": 10 * Decimal(count),
            "lines": [("create", lines)],
        }  # fmt: skip
        context = {"company": self.company}
        made = self.finance.call("model.account.statement.create", [statement], context=context)
        for step in ("validate_statement", "post"):
            self.finance.call(f"model.account.statement.{step}", made, context=context)
        booked = [("statement.id", "in", made)]
        return [row["move"] for row in rows(self.finance, "account.statement.line", booked, ["move"])]

    def change(self, source: Source, native: str, days: int = 1) -> None:
        owed = [("move", "=", int(native)), ("account.type.receivable", "=", True)]
        line = only(self.finance, "account.move.line", owed, [])["id"]
        due = TODAY + dt.timedelta(days=days)
        self.finance.call("model.account.move.line.write", [line], {"maturity_date": due})

    def change_part(self, source: Source, native: str) -> None:
        self.change(source, native, days=2)

    def remove(self, source: Source, native: str) -> None:
        self.orders.take_money_back(int(native))

    def is_removed(self, row: dict[str, Any]) -> bool:
        return (row["status"], row["unapplied"], row["applications"]) == ("Reversed", 0, [])

    def test_unapplied_cash_is_applied_later(self, source: Source) -> None:
        native = self.make(source, 1)
        (row,) = self.read(source, natives=(native,))[1].values()
        assert (row["status"], row["amount"], row["unapplied"]) == ("Received", Decimal("10.00"), Decimal("10.00"))
        assert (row["paid_on"], row["method"], row["applications"]) == (TODAY, "NL01 bank EUR", [])
        party = int(row["customer"].removeprefix("tryton:"))
        payer = only(self.finance, "party.party", [("id", "=", party)], ["addresses"])
        (invoice,) = self.bill(1, 3.0, payer)
        self.orders.day.apply(row["number"], self.number(str(invoice)))
        changed = self.read(source, since=row["version"] + dt.timedelta(microseconds=1))[1][native]
        assert (changed["status"], changed["unapplied"]) == ("Applied", 0)
        (part,) = changed["applications"]
        assert (part["invoice"], part["amount"]) == (f"tryton:{invoice}", Decimal("10.00"))

    def test_a_credit_note_is_no_payment(self, source: Source) -> None:
        (memo,) = self.bill(1, -2.0)
        move = only(self.finance, "account.invoice", [("id", "=", memo)], ["move"])["move"]
        assert self.read(source, natives=(str(move),))[1] == {}


class TestShipments(Documents):
    definition = OBJECTS["shipment"]
    prefix = "out/"

    def make_some(self, count: int) -> list[int]:
        customer, product = (
            self.customer(),
            only(self.operations, "product.product", [("code", "=", "MI-1001")], ["default_uom"]),
        )
        store = only(self.operations, "stock.location", [("code", "=", "RTM")], ["storage_location", "output_location"])
        move = {
            "product": product["id"], "unit": product["default_uom"], "quantity": 1.0, "from_location": store["output_location"],
            "to_location": only(self.operations, "stock.location", [("type", "=", "customer")], [])["id"],
            "company": self.company, "unit_price": Decimal(1), "currency": self.euro(),
        }  # fmt: skip
        head = {
            "company": self.company, "customer": customer["id"], "delivery_address": customer["addresses"][0],
            "warehouse": store["id"], "warehouse_output": store["output_location"], "warehouse_storage": store["storage_location"],
        }  # fmt: skip
        made: list[int] = self.operations.call(
            "model.stock.shipment.out.create", [head | {"outgoing_moves": [("create", [move])]} for _ in range(count)]
        )
        self.operations.call("model.stock.shipment.out.wait", made)
        return made

    def identity(self, native: str) -> int:
        return int(native.removeprefix(self.prefix))

    def change(self, source: Source, native: str) -> None:
        self.operations.call("model.stock.shipment.out.write", [self.identity(native)], {"shipping_reference": "1Z-1"})

    def change_part(self, source: Source, native: str) -> None:
        domain = [("id", "=", self.identity(native))]
        moves = only(self.operations, "stock.shipment.out", domain, ["outgoing_moves"])["outgoing_moves"]
        self.operations.call("model.stock.move.write", moves, {"quantity": 2.0})

    def remove(self, source: Source, native: str) -> None:
        self.operations.call("model.stock.shipment.out.cancel", [self.identity(native)])

    def is_removed(self, row: dict[str, Any]) -> bool:
        return bool(row["status"] == "Cancelled")

    def test_what_waits_is_planned(self, source: Source) -> None:
        native = self.make(source, 1)
        self.change(source, native)
        self.change_part(source, native)
        (row,) = self.read(source, natives=(native,))[1].values()
        assert (row["kind"], row["status"], row["warehouse"], row["tracking"]) == (
            "Shipment",
            "Planned",
            "Rotterdam",
            "1Z-1",
        )
        assert [line["quantity"] for line in row["lines"]] == [2]
        assert (row["shipped_date"], row["order"], row["legal_entity"]) == (None, None, "NL01")
