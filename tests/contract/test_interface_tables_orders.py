"""Orders in the interface tables, on the sandbox's legacy ERP."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from decimal import Decimal
from typing import Any

from accord.objects.order import ORDER
from accord.objects.order_status import ORDER_STATUS
from accord.ports import Source, Target
from tests.contract.legacy import OnLegacy, ask
from tests.contract.legacy import legacy as legacy
from tests.contract.legacy import legacy_dsn as legacy_dsn
from tests.contract.source_suite import SourceSuite
from tests.contract.target_suite import TargetSuite
from tests.fakes import FakeSending
from tests.tables import EARLY, Row, changes

DAY = dt.date(2026, 11, 20)
MINUTES = itertools.count(1)


class Selling(OnLegacy):
    """What both suites need."""

    def customer(self) -> dict[str, str]:
        key = f"salesforce:001{uuid.uuid4().hex[:15]}"
        ((number,),) = ask(
            self.dsn,
            "WITH c AS (INSERT INTO erp.customer (name, country, currency, external_ref) VALUES ('Buyer', 'US', 'USD', %s) "
            "RETURNING customer_number) "
            "INSERT INTO erp.account (customer_number, company) SELECT customer_number, 'US01' FROM c RETURNING customer_number",
            key,
        )
        return {"customer": key, "customer__native": str(number)}

    def line(self, code: str, quantity: str, price: str, **values: Any) -> dict[str, Any]:
        return {
            "id": f"salesforce:802{uuid.uuid4().hex[:15]}",
            "product": f"legacy:{code}",
            "product__native": code,
            "description": "As agreed",
            "quantity": Decimal(quantity),
            "unit_price": Decimal(price),
            "cancelled": False,
        } | values

    def order(self, *lines: dict[str, Any], **values: Any) -> dict[str, Any]:
        """An order; every one is a later version than those before."""
        return {
            "key": f"salesforce:801{uuid.uuid4().hex[:15]}",
            "version": EARLY + dt.timedelta(minutes=next(MINUTES)),
            "number": "00000101",
            "legal_entity": "US01",
            "currency": "USD",
            "price_list": "legacy:US01/US-STANDARD",
            "price_list__native": "US01/US-STANDARD",
            "status": "Activated",
            "order_date": DAY,
            "requested_date": DAY,
            "customer_reference": "PO 4711",
            "payment_terms": "NET30",
            "lines": list(lines) or [self.line("MI-1002", "5", "436"), self.line("MI-4001", "3", "162")],
            **({} if "customer" in values else self.customer()),
        } | values


class TestOrders(Selling, TargetSuite):
    definition = ORDER
    text_field = "customer_reference"

    def send(self, target: Target, *rows: Row) -> dict[str, dict[str, Any]]:
        """What is sent again is said later: the same version again changes nothing."""
        later = [{**row, "version": EARLY + dt.timedelta(minutes=next(MINUTES))} for row in rows]
        return super().send(target, *later)

    def count(self, target: Target, key: str) -> int:
        ((count,),) = ask(self.dsn, "SELECT count(*) FROM erp.sales_order WHERE external_ref = %s", key)
        return int(count)

    def sample(self, number: int, **values: Any) -> dict[str, Any]:
        return self.order(**values)

    def changed(self, row: Row) -> dict[str, Any]:
        first, second = row["lines"]
        lines = [{**first, "quantity": Decimal(6)}, {**second, "cancelled": True}]
        return {**row, "lines": lines, "customer_reference": "PO 4712", "payment_terms": "NET60"}

    def spoilt(self, target: Target, row: Row) -> dict[str, Any]:
        first, second = row["lines"]
        return {**row, "lines": [{**first, "unit_price": Decimal("435.00")}, second]}  # not the list's

    def test_comes_back_from_gone(self, target: Target) -> None:
        """It does not: the ERP keeps a cancelled order cancelled."""
        (row,) = self.create(target, self.sample(1))
        (row,) = self.create(target, row | {"gone": True})
        answer = self.send(target, row | {"gone": False})[row["key"]]
        assert (answer["outcome"], answer["category"]) == ("reject", "fixed once the order is accepted")

    def test_duplicate_submission_changes_nothing(self, target: Target) -> None:
        row = self.sample(1)
        table = changes(ORDER, [row])
        first, second = (target.send(ORDER, table, FakeSending()).to_pylist()[0] for _ in range(2))
        assert (first["outcome"], second) == ("applied", first)
        assert ask(self.dsn, "SELECT amendment FROM erp.sales_order WHERE external_ref = %s", row["key"]) == [(0,)]

    def test_a_discount_that_is_stated(self, target: Target) -> None:
        row = self.sample(1)
        row["lines"] = [self.line("MI-1001", "1", "690.65", discount=Decimal("5.00"))]
        (sent,) = self.create(target, row)
        assert ask(self.dsn, "SELECT net FROM erp.sales_order WHERE order_number = %s", sent["native"]) == [
            (Decimal("690.65"),)
        ]

    def test_refusals_in_business_words(self, target: Target) -> None:
        held = self.sample(1)
        ask(self.dsn, "SELECT erp.hold(%s, 'US01')", held["customer__native"])
        limited = self.sample(1)
        ask(
            self.dsn,
            "UPDATE erp.account SET credit_limit = 1 WHERE customer_number = %s",
            limited["customer__native"],
        )
        cases = {
            ("hold", "customer on credit hold"): held,
            ("hold", "credit limit exceeded"): limited,
            ("reject", "price differs from the list"): self.spoilt(target, self.sample(1)),
            ("reject", "closed period"): self.sample(1, order_date=dt.date(2025, 2, 3)),
            ("reject", "currency does not fit the legal entity"): self.sample(1, currency="CAD"),
            ("reject", "product no longer sold"): self.order(self.line("MI-0901", "1", "330")),
            ("reject", "missing value"): self.order(self.line("MI-1002", "5", "436", cancelled=True)),
        }
        answers = self.send(target, *cases.values())
        told = {key: (answers[row["key"]]["outcome"], answers[row["key"]]["category"]) for key, row in cases.items()}
        assert told == {key: key for key in cases}
        assert not [row for row in cases.values() if self.count(target, row["key"])]

    def test_what_is_shipped_stays(self, target: Target) -> None:
        (row,) = self.create(target, self.sample(1))
        ask(self.dsn, "SELECT erp.ship(%s)", row["native"])
        for wrong in (
            self.changed(row) | {"lines": [{**row["lines"][0], "quantity": Decimal(1)}]},
            row | {"gone": True},
        ):
            answer = self.send(target, wrong)[row["key"]]
            assert (answer["outcome"], answer["category"]) == ("reject", "already shipped or invoiced")


class TestStatuses(Selling, SourceSuite):
    definition = ORDER_STATUS

    def send(self, source: Any, row: Row) -> str:
        (result,) = source.send(ORDER, changes(ORDER, [row]), FakeSending()).to_pylist()
        assert result["outcome"] == "applied", result
        return str(result["native"])

    def number(self, native: str) -> str:
        ((number,),) = ask(self.dsn, "SELECT order_number FROM erp.sales_order WHERE external_ref = %s", native)
        return str(number)

    def make(self, source: Any, number: int) -> str:
        row = self.order()
        self.send(source, row)
        return str(row["key"])

    def change(self, source: Source, native: str) -> None:
        ask(self.dsn, "UPDATE erp.sales_order SET po_number = 'X' WHERE external_ref = %s", native)

    def change_part(self, source: Source, native: str) -> None:
        ask(self.dsn, "SELECT erp.ship(%s)", self.number(native))

    def remove(self, source: Any, native: str) -> None:
        self.send(source, self.order(key=native, gone=True, native=self.number(native)))

    def is_removed(self, row: dict[str, Any]) -> bool:
        return bool(row["status"] == "Cancelled")

    def test_what_became_of_it(self, source: Source) -> None:
        native = self.make(source, 1)
        row = self.read(source, natives=(native,))[1][native]
        assert (row["key"], row["number"], row["status"]) == (native, self.number(native), "Accepted")
        assert (row["currency"], row["total"] - row["tax"]) == ("USD", Decimal("2666.00"))
        assert [line["status"] for line in row["lines"]] == ["Accepted", "Accepted"]
        ask(self.dsn, "UPDATE erp.account a SET on_hold = true FROM erp.sales_order o WHERE o.external_ref = %s "
            "AND a.customer_number = o.customer_number", native)  # fmt: skip
        row = self.read(source, natives=(native,))[1][native]
        assert (row["status"], row["reason"]) == ("On Hold", "Finance has the customer on credit hold.")

    def test_orders_of_the_erps_own_stay_out(self, source: Any) -> None:
        native = self.make(source, 1)
        ask(self.dsn, "UPDATE erp.sales_order SET external_ref = NULL WHERE external_ref = %s", native)
        assert native not in self.read(source)[1]
        assert None not in self.read(source)[1]
