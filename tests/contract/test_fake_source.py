"""The fake source keeps the contract, for an object with constituents and for one without."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accord.objects import CUSTOMER, CUSTOMER_ACCOUNT
from accord.ports import Source
from tests.contract.reach_suite import SourceReach
from tests.fakes import FakeSource

TICK = timedelta(seconds=1)


class TestFakeCustomers(SourceReach):
    definition = CUSTOMER

    @pytest.fixture
    def open_source(self) -> Callable[[], Source]:
        self.clock = (datetime.now(UTC) - timedelta(hours=1) + n * TICK for n in itertools.count())
        one = FakeSource(page=1, now=datetime.now(UTC))
        return lambda: one

    @pytest.fixture
    def unreachable(self) -> Source:
        return FakeSource(down=True)

    @pytest.fixture
    def wrong_login(self) -> Source:
        return FakeSource(bad_login=True)

    def values(self, number: int) -> dict[str, Any]:
        return {
            "name": f"Sample {number}",
            "country": "NL",
            "currency": "EUR",
            "legal_entities": ["US01", "NL01"],
            "addresses": [{"role": "bill_to", "city": "Delft", "country": "NL"}],
            "contacts": [{"id": "salesforce:003", "last_name": "de Vries"}],
        }

    def make(self, source: Source, number: int) -> str:
        assert isinstance(source, FakeSource)
        native = f"N{len(source.records.get(self.definition.name, {}))}"
        source.put(self.definition, native, at=next(self.clock), **self.values(number))
        return native

    def change(self, source: Source, native: str) -> None:
        assert isinstance(source, FakeSource)
        source.touch(self.definition, native, at=next(self.clock), currency="USD")

    def change_part(self, source: Source, native: str) -> None:
        assert isinstance(source, FakeSource)
        if not self.definition.constituents:
            pytest.skip("its records have no parts")
        source.touch(
            self.definition, native, at=next(self.clock), contacts=[{"id": "salesforce:004", "last_name": "New"}]
        )

    def remove(self, source: Source, native: str) -> None:
        assert isinstance(source, FakeSource)
        source.touch(self.definition, native, at=next(self.clock), gone=True)


class TestFakeAccounts(TestFakeCustomers):
    definition = CUSTOMER_ACCOUNT

    def values(self, number: int) -> dict[str, Any]:
        money = {"credit_limit": "1000.00", "balance": "12.50", "overdue": "0.00"}
        state = {"credit_hold": False, "risk": "Low", "risk_level": 0, "active": True}
        who = {"customer": f"source:{number}", "legal_entity": "NL01", "system": "source", "customer_number": "0042"}
        return who | money | state | {"currency": "EUR"}


def test_a_value_that_does_not_convert_is_named_and_not_shown() -> None:
    source = FakeSource()
    suite = TestFakeAccounts()
    source.put(CUSTOMER_ACCOUNT, "1", at=source.now, **suite.values(1) | {"balance": "twelve"})
    (row,) = suite.read(source)[1].values()
    assert row["balance"] is None
    assert row["problems"] == ["balance: not a value of its type"]
