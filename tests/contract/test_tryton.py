"""The Tryton adapter on a real Tryton with the sandbox's company in it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from accord.objects import CUSTOMER, CUSTOMER_ACCOUNT
from accord.ports import Source, Target
from accord.systems.tryton.customer.mapping import code_of
from sandbox.erp.rpc import Client
from tests.contract.reach_suite import SourceReach, TargetReach
from tests.contract.target_suite import CustomerTargetSuite
from tests.contract.tryton_server import OnTryton, open_item
from tests.contract.tryton_server import connection as connection
from tests.contract.tryton_server import finance as finance
from tests.contract.tryton_server import one as one
from tests.fakes import FakeSending
from tests.tables import Row, changes


class TestCustomers(OnTryton, TargetReach, CustomerTargetSuite):
    @pytest.fixture(autouse=True)
    def _users(self, finance: Client) -> None:
        self.finance = finance

    def edit(self, target: Target, native: str, **values: Any) -> None:
        assert set(values) == {"legal_name"}
        self.finance.call("model.party.party.write", [int(native)], {"name": values["legal_name"]})

    def count(self, target: Target, key: str) -> int:
        domain = [["code", "=", code_of(key)], ["active", "in", [True, False]]]
        return int(self.finance.call("model.party.party.search_count", domain))

    def spoilt(self, target: Target, row: Row) -> dict[str, Any]:
        return {**row, "tax_registration": "NL123456789B01"}  # its check digit is wrong

    def test_moves_to_other_legal_entities_and_back(self, target: Target) -> None:
        (row,) = self.create(target, self.sample(1))
        assert self.held(target, row)[row["key"]]["legal_entities"] == ["NL01"]
        for entities in (["US01", "NL01", "GB01"], ["GB01"], ["GB01", "NL01"], ["NL01", "US01"]):
            row |= {"legal_entities": entities}
            self.create(target, row)
            self.assert_held(target, row)
            held = self.held(target, row)[row["key"]]["legal_entities"]
            assert held == sorted(set(entities) & {"NL01", "GB01"})
            self.create(target, row)
            assert self.relations(row["native"]) == len(held)

    def relations(self, native: str) -> int:
        """How many of the party's relations hold."""
        return int(self.finance.call("model.party.relation.all.search_count", [["from_", "=", int(native)]]))


class TestAccounts(OnTryton, SourceReach):
    definition = CUSTOMER_ACCOUNT

    @pytest.fixture(autouse=True)
    def _users(self, finance: Client) -> None:
        self.finance = finance

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

    def sold_by(self, source: Any, row: Row, *entities: str) -> None:
        (result,) = source.send(
            CUSTOMER, changes(CUSTOMER, [row | {"legal_entities": entities}]), FakeSending()
        ).to_pylist()
        assert result["outcome"] == "applied"

    def test_a_customer_has_an_account_where_it_buys(self, source: Any) -> None:
        row = TestCustomers().sample(1)
        (row,) = TestCustomers().create(source, row)
        dutch, british = (f"{entity}/{row['native']}" for entity in ("NL01", "GB01"))
        version = self.read(source, natives=(dutch,))[1][dutch]["version"]
        since = version

        def told() -> dict[str, bool]:
            found = self.read(source, since=since)[1]
            return {native: found[native]["gone"] for native in (dutch, british) if native in found}

        assert told() == {dutch: False}
        self.sold_by(source, row, "GB01", "NL01", "US01")
        assert told() == {dutch: False, british: False}
        self.sold_by(source, row, "NL01")
        assert told() == {dutch: False, british: True}
        assert self.read(source)[1][british]["gone"] is True
        self.sold_by(source, row, "GB01")
        assert told() == {dutch: True, british: False}

    def test_an_account_with_money_in_it_stays(self, source: Any) -> None:
        (row,) = TestCustomers().create(source, TestCustomers().sample(1))
        dutch = f"NL01/{row['native']}"
        open_item(self.finance, int(row["native"]), Decimal("12.00"), due_in=30)
        self.sold_by(source, row, "GB01")
        (account,) = self.read(source, natives=(dutch,))[1].values()
        assert (account["gone"], account["active"], account["balance"]) == (False, False, Decimal("12.00"))

    def test_an_account_that_never_was_is_gone_only_for_who_asks(self, source: Any) -> None:
        (row,) = TestCustomers().create(source, TestCustomers().sample(1))
        british = f"GB01/{row['native']}"
        assert british not in self.read(source)[1]
        assert self.read(source, natives=(british,))[1][british]["gone"] is True

    def test_a_party_of_nobody_has_an_account_where_it_owes(self, source: Any) -> None:
        (party,) = self.finance.call("model.party.party.create", [{"name": "Walk-in"}])
        assert not [native for native in self.read(source)[1] if native.endswith(f"/{party}")]
        open_item(self.finance, party, Decimal("5.00"), due_in=30)
        found = {native: row for native, row in self.read(source)[1].items() if native.endswith(f"/{party}")}
        assert [(native, row["active"]) for native, row in found.items()] == [(f"NL01/{party}", True)]

    def test_the_company_itself_is_no_customer(self, source: Source) -> None:
        assert "NL01" not in {row["customer_number"] for row in self.read(source)[1].values()}
