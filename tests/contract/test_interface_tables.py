"""The interface-tables adapter on a real PostgreSQL with the sandbox's legacy ERP in it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from accord.objects import CUSTOMER, CUSTOMER_ACCOUNT
from accord.ports import Source, Target
from accord.settings import Connection
from accord.systems import open_system
from sandbox.erp.legacy.install import finance
from tests.contract.legacy import ask
from tests.contract.legacy import legacy as legacy
from tests.contract.legacy import legacy_dsn as legacy_dsn
from tests.contract.source_suite import SourceSuite
from tests.contract.target_suite import CustomerTargetSuite
from tests.fakes import FakeSending
from tests.tables import Row, changes


class TestCustomers(CustomerTargetSuite):
    @pytest.fixture(autouse=True)
    def _dsn(self, legacy_dsn: str) -> None:
        self.dsn = legacy_dsn

    @pytest.fixture
    def open_target(self, legacy: Connection) -> Callable[[], Target]:
        return lambda: open_system("legacy", legacy)

    @pytest.fixture
    def unreachable(self, legacy: Connection) -> Any:
        return open_system("legacy", replace(legacy, port=1))

    @pytest.fixture
    def wrong_login(self, legacy: Connection) -> Any:
        return open_system("legacy", replace(legacy, password="wrong"))

    def edit(self, target: Target, native: str, **values: Any) -> None:
        assert set(values) == {"legal_name"}
        ask(
            self.dsn, "UPDATE erp.customer SET legal_name = %s WHERE customer_number = %s", values["legal_name"], native
        )

    def count(self, target: Target, key: str) -> int:
        ((count,),) = ask(self.dsn, "SELECT count(*) FROM erp.customer WHERE external_ref = %s", key)
        return int(count)

    def spoilt(self, target: Target, row: Row) -> dict[str, Any]:
        return {**row, "name": "Very Long Company Name " * 6}  # the ERP takes 120 characters


class TestAccounts(SourceSuite):
    definition = CUSTOMER_ACCOUNT

    @pytest.fixture(autouse=True)
    def _dsn(self, legacy_dsn: str) -> None:
        self.dsn = legacy_dsn

    @pytest.fixture
    def open_source(self, legacy: Connection) -> Callable[[], Source]:
        return lambda: open_system("legacy", legacy)

    @pytest.fixture
    def unreachable(self, legacy: Connection) -> Any:
        return open_system("legacy", replace(legacy, port=1))

    @pytest.fixture
    def wrong_login(self, legacy: Connection) -> Any:
        return open_system("legacy", replace(legacy, password="wrong"))

    def make(self, source: Any, number: int) -> str:
        row = {"key": f"salesforce:{uuid.uuid4().hex}", "name": f"Account {number}", "country": "US", "currency": "USD"}
        (result,) = source.send(CUSTOMER, changes(CUSTOMER, [row]), FakeSending()).to_pylist()
        finance(self.dsn)
        return f"US01/{result['native']}"

    def execute(self, statement: str, native: str) -> None:
        ask(self.dsn, statement, native.partition("/")[2])

    def change(self, source: Source, native: str) -> None:
        self.execute("UPDATE erp.account SET credit_limit = 123 WHERE customer_number = %s", native)

    def change_part(self, source: Source, native: str) -> None:
        self.execute(
            "INSERT INTO erp.ledger_item (customer_number, company, document, posted, due, amount, open_amount) "
            "VALUES (%s, 'US01', 'X-1', current_date, current_date + 30, 5, 5)",
            native,
        )

    def remove(self, source: Source, native: str) -> None:
        self.execute("UPDATE erp.customer SET closed = true WHERE customer_number = %s", native)

    def is_removed(self, row: dict[str, Any]) -> bool:
        return row["active"] is False
