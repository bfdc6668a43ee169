"""The Tryton adapter on a real Tryton with the sandbox's company in it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from accord.objects import CUSTOMER, CUSTOMER_ACCOUNT
from accord.ports import Source, Target
from accord.settings import Connection
from accord.systems import open_system
from accord.systems.tryton.customer.mapping import code_of
from sandbox.erp.rpc import Client
from tests.contract.source_suite import SourceSuite
from tests.contract.target_suite import CustomerTargetSuite
from tests.contract.tryton_server import connection as connection
from tests.contract.tryton_server import finance as finance
from tests.contract.tryton_server import one as one
from tests.contract.tryton_server import open_item
from tests.fakes import FakeSending
from tests.tables import Row, changes


@pytest.fixture
def unreachable(connection: Connection) -> Any:
    return open_system("tryton", replace(connection, port=1))


@pytest.fixture
def wrong_login(connection: Connection) -> Any:
    # a wrong password of a real login would lock it for everybody, and so does the same unknown one over and over
    return open_system("tryton", replace(connection, login=f"nobody-{uuid.uuid4().hex}", password="wrong"))


class TestCustomers(CustomerTargetSuite):
    @pytest.fixture(autouse=True)
    def _users(self, finance: Client) -> None:
        self.finance = finance

    @pytest.fixture
    def open_target(self, connection: Connection) -> Callable[[], Target]:
        return lambda: open_system("tryton", connection)

    @pytest.fixture
    def target(self, one: Any) -> Any:
        return one

    @pytest.fixture
    def unreachable(self, unreachable: Any) -> Any:
        return unreachable

    @pytest.fixture
    def wrong_login(self, wrong_login: Any) -> Any:
        return wrong_login

    def edit(self, target: Target, native: str, **values: Any) -> None:
        assert set(values) == {"legal_name"}
        self.finance.call("model.party.party.write", [int(native)], {"name": values["legal_name"]})

    def count(self, target: Target, key: str) -> int:
        domain = [["code", "=", code_of(key)], ["active", "in", [True, False]]]
        return int(self.finance.call("model.party.party.search_count", domain))

    def spoilt(self, target: Target, row: Row) -> dict[str, Any]:
        return {**row, "tax_registration": "NL123456789B01"}  # its check digit is wrong


class TestAccounts(SourceSuite):
    definition = CUSTOMER_ACCOUNT

    @pytest.fixture(autouse=True)
    def _users(self, finance: Client) -> None:
        self.finance = finance

    @pytest.fixture
    def open_source(self, connection: Connection) -> Callable[[], Source]:
        return lambda: open_system("tryton", connection)

    @pytest.fixture
    def source(self, one: Any) -> Any:
        return one

    @pytest.fixture
    def unreachable(self, unreachable: Any) -> Any:
        return unreachable

    @pytest.fixture
    def wrong_login(self, wrong_login: Any) -> Any:
        return wrong_login

    def make(self, source: Any, number: int) -> str:
        row = TestCustomers().sample(number)
        (result,) = source.send(CUSTOMER, changes(CUSTOMER, [row]), FakeSending()).to_pylist()
        return f"NL01/{result['native']}"

    def party(self, native: str) -> int:
        return int(native.partition("/")[2])

    def change(self, source: Source, native: str) -> None:
        self.finance.call("model.party.party.write", [self.party(native)], {"credit_limit_amount": Decimal("123.00")})

    def change_part(self, source: Source, native: str) -> None:
        open_item(self.finance, self.party(native), Decimal("80.00"), due_in=30)

    def remove(self, source: Source, native: str) -> None:
        self.finance.call("model.party.party.write", [self.party(native)], {"active": False})

    def is_removed(self, row: dict[str, Any]) -> bool:
        return row["active"] is False

    def test_balance_overdue_hold_and_risk(self, source: Source) -> None:
        native = self.make(source, 1)
        write = "model.party.party.write"
        self.finance.call(write, [self.party(native)], {"credit_limit_amount": Decimal("100.00")})
        open_item(self.finance, self.party(native), Decimal("30.00"), due_in=10)
        open_item(self.finance, self.party(native), Decimal("50.00"), due_in=-10)
        (row,) = self.read(source, natives=(native,))[1].values()
        assert (row["balance"], row["overdue"]) == (Decimal("80.00"), Decimal("50.00"))
        assert (row["credit_hold"], row["risk"], row["risk_level"]) == (False, "Medium", 1)
        assert (
            row["balance"]
            == self.finance.call("model.party.party.read", [self.party(native)], ["receivable"])[0]["receivable"]
        )
        open_item(self.finance, self.party(native), Decimal("0.01"), due_in=-1)
        (row,) = self.read(source, natives=(native,))[1].values()
        assert (row["risk"], row["risk_level"]) == ("High", 2)
        open_item(self.finance, self.party(native), Decimal("20.00"), due_in=0)
        (row,) = self.read(source, natives=(native,))[1].values()
        assert (row["overdue"], row["credit_hold"], row["risk"]) == (Decimal("50.01"), True, "Blocked")

    def test_finance_puts_on_hold_by_hand(self, source: Source) -> None:
        native = self.make(source, 1)
        (hold,) = self.finance.call(
            "model.party.category.search", [["rec_name", "=", "Credit hold / NL01"]], 0, None, None
        )
        self.finance.call("model.party.party.write", [self.party(native)], {"categories": [["add", [hold]]]})
        (row,) = self.read(source, natives=(native,))[1].values()
        assert (row["credit_hold"], row["risk"]) == (True, "Blocked")

    def test_an_item_that_falls_due_is_a_change(self, source: Source) -> None:
        native = self.make(source, 1)
        open_item(self.finance, self.party(native), Decimal("10.00"), due_in=-1)
        (row,) = self.read(source, natives=(native,))[1].values()
        midnight = dt.datetime.combine(dt.datetime.now(dt.UTC).date(), dt.time(), dt.UTC)
        assert row["version"] >= midnight

    def test_the_company_itself_is_no_customer(self, source: Source) -> None:
        assert "NL01" not in {row["customer_number"] for row in self.read(source)[1].values()}
