"""The interface-tables adapter on a real PostgreSQL with the sandbox's legacy ERP in it."""

from __future__ import annotations

import uuid
from typing import Any

from accord.objects import CUSTOMER, CUSTOMER_ACCOUNT
from accord.ports import Source, Target
from sandbox.erp.legacy.install import finance
from tests.contract.legacy import OnLegacy, ask
from tests.contract.legacy import legacy as legacy
from tests.contract.legacy import legacy_dsn as legacy_dsn
from tests.contract.reach_suite import SourceReach, TargetReach
from tests.contract.target_suite import CustomerTargetSuite
from tests.fakes import FakeSending
from tests.tables import Row, changes


class TestCustomers(OnLegacy, TargetReach, CustomerTargetSuite):
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


class TestAccounts(OnLegacy, SourceReach):
    definition = CUSTOMER_ACCOUNT

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
