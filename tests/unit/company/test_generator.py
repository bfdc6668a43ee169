"""The sample company is the same every time, whole, and as bad as it declares."""

from collections import Counter

import pytest
from stdnum.eu import vat
from stdnum.gb import vat as gb_vat
from stdnum.jp import cn
from stdnum.us import ein

from accord.matching import normalized_code, normalized_name
from accord.routing import legal_entity
from sandbox.company.flaws import DECLARED
from sandbox.company.generator import company
from sandbox.company.names import AWKWARD
from sandbox.company.records import Account, Flaw
from sandbox.company.registrations import COUNTRIES
from sandbox.company.rows import rows

LIMITS = {"Name": 255, "Legal_Name__c": 255, "Tax_Registration__c": 30, "Phone": 40, "Website": 255, "BillingCity": 40,
          "BillingPostalCode": 20, "BillingStreet": 255, "ShippingCity": 40, "AccountNumber": 40}  # fmt: skip


@pytest.fixture(scope="module")
def accounts() -> list[Account]:
    return company()


@pytest.fixture(scope="module")
def good(accounts: list[Account]) -> list[Account]:
    return [account for account in accounts if not account.flaw]


def test_the_same_seed_gives_the_same_company(accounts: list[Account]) -> None:
    assert company() == accounts
    assert company(seed=1) != accounts


def test_it_is_of_the_size_it_says(accounts: list[Account]) -> None:
    assert 280 <= len(accounts) <= 340
    assert 550 <= sum(len(account.contacts) for account in accounts) <= 750
    assert {account.bill_to.country for account in accounts} == {*COUNTRIES, None}
    assert {account.currency for account in accounts} == {"EUR", "GBP", "USD"}
    entities = Counter(account.legal_entities for account in accounts)
    assert set(entities) == {("NL01",), ("GB01",), ("US01",), ("NL01", "GB01"), ("NL01", "US01"), ()}
    assert entities["GB01",] >= 10
    assert entities["NL01", "GB01"] >= 5


def test_it_has_as_many_bad_records_as_declared(accounts: list[Account]) -> None:
    assert Counter(account.flaw for account in accounts if account.flaw) == Counter(DECLARED)


def test_numbers_are_unique_and_parents_exist(accounts: list[Account]) -> None:
    numbers = [account.number for account in accounts]
    assert len(set(numbers)) == len(numbers)
    assert {account.parent for account in accounts if account.parent} <= set(numbers)


def test_hierarchies_are_four_deep_and_within_their_parents_legal_entities(good: list[Account]) -> None:
    by_number = {account.number: account for account in good}

    def depth(account: Account) -> int:
        return 1 + (depth(by_number[account.parent]) if account.parent else 0)

    assert {depth(account) for account in good} == {1, 2, 3, 4}
    for account in good:
        if account.parent:
            assert set(account.legal_entities) <= set(by_number[account.parent].legal_entities)


def test_no_two_good_ones_are_taken_for_one(good: list[Account]) -> None:
    names = Counter((normalized_name(account.name), account.bill_to.country) for account in good)
    codes = Counter(normalized_code(account.tax_registration) for account in good if account.tax_registration)
    assert [name for name, count in names.items() if count > 1] == []
    assert [code for code, count in codes.items() if count > 1] == []


def test_the_twins_are_taken_for_one(accounts: list[Account], good: list[Account]) -> None:
    names = {(normalized_name(account.name), account.bill_to.country) for account in good}
    codes = {normalized_code(account.tax_registration) for account in good}
    for account in accounts:
        if account.flaw is Flaw.SAME_NAME:
            assert (normalized_name(account.name), account.bill_to.country) in names
        if account.flaw is Flaw.SAME_REGISTRATION:
            assert normalized_code(account.tax_registration) in codes
            assert account.tax_registration not in {one.tax_registration for one in good}


def is_issued(account: Account) -> bool:
    code, country = account.tax_registration or "", account.bill_to.country
    checks = {"GB": gb_vat.is_valid, "US": ein.is_valid, "JP": lambda text: text[0] == "T" and cn.is_valid(text[1:])}
    return bool(checks.get(country or "", vat.is_valid)(code))


def test_registrations_are_such_as_authorities_issue(accounts: list[Account], good: list[Account]) -> None:
    assert [account for account in good if account.tax_registration and not is_issued(account)] == []
    assert [account for account in accounts if account.flaw is Flaw.REGISTRATION and is_issued(account)] == []


def test_currencies_fit_the_legal_entities(accounts: list[Account]) -> None:
    for account in accounts:
        fits = all(account.currency in legal_entity(code).trades_in for code in account.legal_entities)
        fits = fits and ("US01" not in account.legal_entities or account.currency == "USD")
        assert fits != (account.flaw is Flaw.CURRENCY)


def test_awkward_names_are_there_unchanged(good: list[Account]) -> None:
    assert set(AWKWARD) <= {account.name for account in good}


def test_salesforce_would_take_every_field(accounts: list[Account]) -> None:
    for row in rows(accounts):
        for field, limit in LIMITS.items():
            value = row.fields.get(field)
            assert value is None or 0 < len(str(value)) <= limit, f"{row.number} {field}"


def test_contacts_of_an_account_can_be_told_apart(accounts: list[Account]) -> None:
    for account in accounts:
        names = [(contact.first_name, contact.last_name) for contact in account.contacts]
        assert len(set(names)) == len(names), account.number
