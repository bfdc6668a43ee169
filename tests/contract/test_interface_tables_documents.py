"""Shipments, invoices, credit memos and payments out of interface tables."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import pytest

from accord.objects import OBJECTS
from accord.ports import Source
from tests.contract.legacy import OnLegacy, ask
from tests.contract.legacy import legacy as legacy
from tests.contract.legacy import legacy_dsn as legacy_dsn
from tests.contract.source_suite import SourceSuite

TODAY = dt.datetime.now(dt.UTC).date()


class Documents(OnLegacy, SourceSuite):
    """What all of them have in common: an order of three lines, of which two are goods, that was sent."""

    def ask(self, query: str, *parameters: Any) -> Any:
        """The one value an answer has."""
        rows = ask(self.dsn, query, *parameters)
        return rows[0][0] if rows else None

    def customer(self) -> str:
        return str(
            self.ask(
                "WITH c AS (INSERT INTO erp.customer (name, country, currency) VALUES ('Bills', 'US', 'USD') RETURNING customer_number) "
                "INSERT INTO erp.account (customer_number, company) SELECT customer_number, 'US01' FROM c RETURNING customer_number"
            )
        )

    def order(self) -> str:
        batch, ref = uuid.uuid4().hex, uuid.uuid4().hex
        now = dt.datetime.now(dt.UTC)
        ask(
            self.dsn,
            "INSERT INTO inbound.sales_order (batch, external_ref, action, version, read_at, company, customer_number, currency, "
            "price_list, order_date, payment_terms) VALUES (%s, %s, 'place', %s, %s, 'US01', %s, 'USD', 'US-STANDARD', %s, 'NET30')",
            *(batch, ref, now, now, self.customer(), TODAY),
        )
        for place, (line, product, quantity, price) in enumerate(
            (("a", "MI-1002", 5, "436"), ("b", "MI-3001", 10, "19.684"), ("c", "MI-4001", 3, "162")), start=1
        ):
            ask(
                self.dsn,
                "INSERT INTO inbound.sales_order_line (batch, external_ref, line_ref, line_number, product_number, quantity, "
                "unit_price, cancelled) VALUES (%s, %s, %s, %s, %s, %s, %s, false)",
                *(batch, ref, line, place, product, quantity, price),
            )
        ask(self.dsn, "CALL inbound.post_orders(%s)", batch)
        number = self.ask("SELECT answered_number FROM inbound.sales_order WHERE batch = %s", batch)
        assert number, self.ask("SELECT code FROM inbound.sales_order WHERE batch = %s", batch)
        return str(number)

    def invoiced(self) -> str:
        order = self.order()
        self.ask('SELECT erp.ship(%s, \'{"a": 2, "b": 10}\')', order)
        return str(self.ask("SELECT erp.invoice(%s)", order))

    def number(self, native: str) -> str:
        return native.partition("/")[2]

    def one(self, source: Source, native: str) -> dict[str, Any]:
        (row,) = self.read(source, natives=(native,))[1].values()
        return row

    def remove(self, source: Source, native: str) -> None:
        pytest.skip("nothing that was posted or sent is taken back")


class TestInvoices(Documents):
    definition = OBJECTS["invoice"]

    def make(self, source: Source, number: int) -> str:
        return f"US01/{self.invoiced()}"

    def change(self, source: Source, native: str) -> None:
        customer = self.ask("SELECT customer_number FROM erp.document WHERE document_number = %s", self.number(native))
        applied = f'{{"{self.number(native)}": 10}}'
        self.ask("SELECT erp.receive(%s, 'US01', %s, 25, %s)", uuid.uuid4().hex, customer, applied)

    def change_part(self, source: Source, native: str) -> None:
        due = "UPDATE erp.document SET due_date = due_date + 30 WHERE document_number = %s"
        self.ask(due, self.number(native))

    def test_amounts_dates_and_lines(self, source: Source) -> None:
        native = self.make(source, 1)
        row = self.one(source, native)
        assert (row["net"], row["tax"]) == (Decimal("1554.84"), Decimal("88.18"))
        assert (row["total"], row["open_balance"], row["status"]) == (Decimal("1643.02"), Decimal("1643.02"), "Posted")
        assert (row["invoice_date"], row["due_date"], row["overdue"]) == (TODAY, TODAY + dt.timedelta(days=30), False)
        assert (row["currency"], row["legal_entity"], row["number"]) == ("USD", "US01", self.number(native))
        lines = {
            line["product"]: (line["quantity"], line["net"], line["tax"], line["tax_code"]) for line in row["lines"]
        }
        assert lines["legacy:MI-3001"] == (10, Decimal("196.84"), Decimal("16.24"), "TX-8.25")
        assert sum(tax for _, _, tax, _ in lines.values()) == row["tax"]
        assert row["order"].startswith("legacy:SO-")
        self.change(source, native)
        row = self.one(source, native)
        assert (row["status"], row["open_balance"]) == ("Partly Paid", Decimal("1633.02"))

    def test_what_falls_due_is_a_change(self, source: Source) -> None:
        native = self.make(source, 1)
        self.ask("UPDATE erp.document SET due_date = %s WHERE document_number = %s", TODAY, self.number(native))
        assert self.one(source, native)["overdue"] is False
        yesterday = TODAY - dt.timedelta(days=1)
        self.ask("UPDATE erp.document SET due_date = %s WHERE document_number = %s", yesterday, self.number(native))
        row = self.one(source, native)
        assert row["overdue"] is True
        assert row["version"] >= dt.datetime.combine(TODAY, dt.time(), dt.UTC)


class TestCreditMemos(Documents):
    definition = OBJECTS["credit_memo"]

    def make(self, source: Source, number: int) -> str:
        made = self.ask("SELECT erp.credit(%s, '{\"a\": 1}', 'broken')", self.invoiced())
        return f"US01/{made}"

    def change(self, source: Source, native: str) -> None:
        self.ask("UPDATE erp.document SET reason = 'lost' WHERE document_number = %s", self.number(native))

    def change_part(self, source: Source, native: str) -> None:
        due = "UPDATE erp.document SET due_date = due_date + 30 WHERE document_number = %s"
        self.ask(due, self.number(native))

    def test_what_it_corrects(self, source: Source) -> None:
        row = self.one(source, self.make(source, 1))
        assert (row["net"], row["tax"], row["total"]) == (Decimal("436.00"), Decimal("35.97"), Decimal("471.97"))
        assert (row["open_balance"], row["status"], row["reason"]) == (Decimal(0), "Paid", "broken")
        assert row["invoice"].startswith("legacy:US01/INV-")


class TestPayments(Documents):
    definition = OBJECTS["payment"]

    def make(self, source: Source, number: int) -> str:
        made = uuid.uuid4().hex
        self.ask("SELECT erp.receive(%s, 'US01', %s, 100)", made, self.customer())
        return f"US01/{made}"

    def change(self, source: Source, native: str) -> None:
        self.ask("UPDATE erp.payment SET method = 'Check' WHERE payment_number = %s", self.number(native))

    def change_part(self, source: Source, native: str) -> None:
        invoice, payment = self.invoiced(), self.number(native)
        payer = self.ask("SELECT customer_number FROM erp.document WHERE document_number = %s", invoice)
        self.ask("UPDATE erp.payment SET customer_number = %s WHERE payment_number = %s", payer, payment)
        self.ask("SELECT erp.apply(%s, %s)", payment, f'{{"{invoice}": 60}}')

    def remove(self, source: Source, native: str) -> None:
        self.ask("UPDATE erp.payment SET reversed = true WHERE payment_number = %s", self.number(native))

    def is_removed(self, row: dict[str, Any]) -> bool:
        return (row["status"], row["unapplied"]) == ("Reversed", 0)

    def test_unapplied_cash_is_applied_later(self, source: Source) -> None:
        invoice = self.invoiced()
        customer = self.ask("SELECT customer_number FROM erp.document WHERE document_number = %s", invoice)
        made = uuid.uuid4().hex
        self.ask("SELECT erp.receive(%s, 'US01', %s, 100)", made, customer)
        row = self.one(source, f"US01/{made}")
        assert (row["status"], row["unapplied"], row["applications"]) == ("Received", Decimal(100), [])
        self.ask("SELECT erp.apply(%s, %s)", made, f'{{"{invoice}": 60}}')
        changed = self.read(source, since=row["version"] + dt.timedelta(microseconds=1))[1][f"US01/{made}"]
        assert (changed["status"], changed["unapplied"], changed["method"]) == ("Partly Applied", Decimal(40), "Wire")
        (part,) = changed["applications"]
        assert (part["invoice"], part["amount"], part["applied_on"]) == (f"legacy:US01/{invoice}", Decimal(60), TODAY)


class TestShipments(Documents):
    definition = OBJECTS["shipment"]

    def make(self, source: Source, number: int) -> str:
        return f"US01/{self.ask('SELECT erp.ship(%s, NULL, %s)', self.order(), '1Z-7')}"

    def change(self, source: Source, native: str) -> None:
        self.ask("UPDATE erp.shipment SET tracking_number = '1Z-8' WHERE shipment_number = %s", self.number(native))

    def change_part(self, source: Source, native: str) -> None:
        self.ask("SELECT erp.deliver(%s)", self.number(native))

    def test_partial_shipments_and_a_return(self, source: Source) -> None:
        order = self.order()
        first = self.ask("SELECT erp.ship(%s, '{\"a\": 2}', '1Z-1')", order)
        second = self.ask("SELECT erp.ship(%s)", order)
        self.ask("SELECT erp.deliver(%s)", first)
        invoice = self.ask("SELECT erp.invoice(%s)", order)
        self.ask("SELECT erp.credit(%s, '{\"a\": 1}', 'broken')", invoice)
        back = self.ask("SELECT shipment_number FROM erp.shipment WHERE order_number = %s AND kind = 'Return'", order)
        rows = self.read(source, natives=tuple(f"US01/{number}" for number in (first, second, back)))[1]
        seen = {self.number(n): (r["kind"], r["status"], r["tracking"], len(r["lines"])) for n, r in rows.items()}
        assert seen == {
            first: ("Shipment", "Delivered", "1Z-1", 1),
            second: ("Shipment", "Shipped", None, 2),
            back: ("Return", "Delivered", None, 1),
        }
        quantities = {n: {line["product"]: line["quantity"] for line in row["lines"]} for n, row in rows.items()}
        assert quantities[f"US01/{second}"] == {"legacy:MI-1002": 3, "legacy:MI-3001": 10}
        assert {row["order"] for row in rows.values()} == {f"legacy:{order}"}
