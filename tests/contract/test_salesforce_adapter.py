"""The Salesforce adapter on a local org: the suites every adapter passes, by calls and by bulk jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from accord.objects import CUSTOMER, CUSTOMER_ACCOUNT
from accord.objects.definition import Owner
from accord.ports import Source, Target
from accord.records import content_hash
from tests.contract.reach_suite import SourceReach, TargetReach
from tests.contract.salesforce_adapter import Company, erp_account
from tests.salesforce_org import start_org
from tests.tables import Row, canonical

NOWHERE = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def everybody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    org = start_org(tmp_path_factory.mktemp("org"))
    yield Company(org)
    org.stop()


@pytest.fixture
def company(everybody: Company) -> Iterator[Company]:
    yield everybody
    everybody.forget()


class TestCustomers(SourceReach):
    """Read through REST."""

    definition = CUSTOMER
    threshold = 2000

    @pytest.fixture(autouse=True)
    def _company(self, company: Company) -> None:
        self.company = company

    @pytest.fixture
    def open_source(self) -> Callable[[], Source]:
        return lambda: self.company.open(bulk_threshold=self.threshold)

    @pytest.fixture
    def unreachable(self) -> Source:
        return self.company.open(login_url=NOWHERE)

    @pytest.fixture
    def wrong_login(self) -> Source:
        return self.company.open(consumer_secret="wrong")

    def make(self, source: Source, number: int) -> str:
        account = self.company.account(ShippingCity=f"Delft {number}", ShippingCountryCode="NL")
        self.company.contact(account, Email="ada@sample.example")
        return account

    def change(self, source: Source, native: str) -> None:
        self.company.a_moment_later()
        self.company.edit("Account", native, Phone="+31 15 1234567")

    def change_part(self, source: Source, native: str) -> None:
        (contact,) = self.company.soql(f"SELECT Id FROM Contact WHERE AccountId = '{native}'")  # noqa: S608  # an id of ours
        self.company.a_moment_later()
        self.company.edit("Contact", contact["Id"], Title="CFO")

    def remove(self, source: Source, native: str) -> None:
        self.company.a_moment_later()
        self.company.delete("Account", native)


class TestCustomersInBulk(TestCustomers):
    """Read through Bulk API 2.0."""

    threshold = 0


class TestCustomerAccounts(TargetReach):
    """Written through sObject Collections."""

    definition = CUSTOMER_ACCOUNT
    text_field = "payment_terms"
    threshold = 2000

    @pytest.fixture(autouse=True)
    def _company(self, company: Company) -> None:
        self.company = company

    @pytest.fixture
    def open_target(self) -> Callable[[], Target]:
        return lambda: self.company.open(bulk_threshold=self.threshold)

    @pytest.fixture
    def unreachable(self) -> Target:
        return self.company.open(login_url=NOWHERE)

    @pytest.fixture
    def wrong_login(self) -> Target:
        return self.company.open(consumer_secret="wrong")

    def edit(self, target: Target, native: str, **values: Any) -> None:
        places = {"legal_name": "Legal_Name__c", "payment_terms": "Payment_Terms__c"}
        self.company.edit("ERP_Account__c", native, **{places[name]: value for name, value in values.items()})

    def count(self, target: Target, key: str) -> int:
        return len(self.company.soql(f"SELECT Id FROM ERP_Account__c WHERE Key__c = '{key}'"))  # noqa: S608  # a key of ours

    def sample(self, number: int, **values: Any) -> dict[str, Any]:
        return erp_account(self.company.account(), **values)

    def changed(self, row: Row) -> dict[str, Any]:
        return {
            **row,
            "legal_name": "Moved & Renamed N.V.",
            "payment_terms": None,
            "credit_limit": None,
            "credit_hold": True,
            "balance": row["balance"] + 1,
            "risk": "Blocked",
            "risk_level": 3,
        }

    def spoilt(self, target: Target, row: Row) -> dict[str, Any]:
        return {**row, "legal_name": "Very Long Company Name " * 12}  # the field takes 255 characters

    def test_a_record_moves_to_another_customer(self, target: Target) -> None:
        (row,) = self.create(target, self.sample(1))
        other = self.company.account()
        row |= {"customer": f"salesforce:{other}", "customer__native": other}
        self.create(target, row)
        self.assert_held(target, row)

    def test_a_record_without_its_customer_waits_for_it(self, target: Target) -> None:
        row = erp_account(None)
        answer = self.send(target, row)[row["key"]]
        assert (answer["outcome"], answer["awaits"]) == ("hold", row["customer"])
        assert self.count(target, row["key"]) == 0

    def test_a_record_of_a_deleted_customer_waits_for_it(self, target: Target) -> None:
        row = self.sample(1)
        self.company.delete("Account", row["customer__native"])
        answer = self.send(target, row)[row["key"]]
        assert (answer["outcome"], answer["awaits"]) == ("hold", row["customer"])

    def test_what_somebody_deleted_in_salesforce_is_created_again(self, target: Target) -> None:
        (row,) = self.create(target, self.sample(1))
        self.company.delete("ERP_Account__c", row["native"])
        (again,) = self.create(target, self.changed(row))
        assert again["native"] != row["native"]
        assert self.count(target, row["key"]) == 1
        self.assert_held(target, again, creating=True)

    def test_gone_and_deleted_in_salesforce_agree(self, target: Target) -> None:
        (row,) = self.create(target, self.sample(1))
        self.company.delete("ERP_Account__c", row["native"])
        self.create(target, row | {"gone": True})
        assert self.count(target, row["key"]) == 0

    def test_an_inactive_account_is_not_a_gone_one(self, target: Target) -> None:
        (row,) = self.create(target, self.sample(1, active=False))
        assert self.held(target, row)[row["key"]]["gone"] is False
        self.assert_held(target, row, creating=True)

    def test_a_gone_account_leaves_the_roll_up(self, target: Target) -> None:
        (row,) = self.create(target, self.sample(1, credit_hold=True, risk="High", risk_level=2))

        def rolled_up() -> tuple[Any, ...]:
            (account,) = self.company.soql(
                "SELECT ERP_Accounts__c, ERP_Accounts_On_Hold__c, ERP_Highest_Risk__c FROM Account "  # noqa: S608  # an id of ours
                f"WHERE Id = '{row['customer__native']}'"
            )
            return tuple(account[f] for f in ("ERP_Accounts__c", "ERP_Accounts_On_Hold__c", "ERP_Highest_Risk__c"))

        assert rolled_up() == (1, 1, 2)
        self.create(target, row | {"gone": True})
        assert rolled_up()[:2] == (0, 0)
        assert rolled_up()[2] in (None, 0)

    def test_what_is_read_back_hashes_like_what_was_sent(self, target: Target) -> None:
        """With the plain hash over everything kept, as the pipeline resolves what is in doubt."""
        row = self.sample(1, legal_name="  blanks around  ", tax_classification="")
        (row,) = self.create(target, row)
        sent = canonical(self.definition, [{k: v for k, v in row.items() if k in self.columns}])
        keeps = target.keeps(self.definition) & self.definition.sent_by(Owner.ERP, creating=True)
        from tests.tables import wanted

        back = target.read_back(self.definition, wanted([(row["key"], None)]))
        digest = content_hash(self.definition, target.collapse(self.definition, sent), keeps)
        assert content_hash(self.definition, back, keeps).equals(digest)


class TestCustomerAccountsInBulk(TestCustomerAccounts):
    """Written through Bulk API 2.0."""

    threshold = 0
