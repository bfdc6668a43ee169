"""Writing onto records that are there already, their parts included, and prices with the standard price they need."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest

from accord.objects.definition import BusinessObject
from accord.systems.salesforce import send as sending
from accord.systems.salesforce import standard_price
from accord.systems.salesforce.adapter import Salesforce
from tests.contract.salesforce_adapter import Company
from tests.contract.salesforce_documents import MARK, NOTES, PRICE
from tests.contract.salesforce_documents_org import company as company
from tests.contract.salesforce_documents_org import everybody as everybody
from tests.contract.salesforce_documents_org import held, send
from tests.contract.salesforce_documents_org import salesforce as salesforce
from tests.contract.target_suite import TargetSuite
from tests.tables import Row, wanted


def assert_held(salesforce: Salesforce, definition: BusinessObject, *rows: Row) -> None:
    """What the org holds for `rows` is what was sent."""
    suite = TargetSuite()
    suite.definition = definition
    suite.assert_held(salesforce, *rows)


# ----------------------------------------------------------------------------------- onto records that are there already
def notes(account: str, *people: tuple[str, str | None], **values: Any) -> dict[str, Any]:
    parts = [{"id": f"salesforce:{id_}", "title": title, "silent": None} for id_, title in people]
    return {"key": f"salesforce:{account}", "status": "Synced", "people": parts} | values


def test_existing_parts_are_updated_never_created_or_deleted(company: Company, salesforce: Salesforce) -> None:
    account = company.account()
    ann, bob, eve = (company.contact(account) for _ in range(3))

    def titles() -> list[Any]:
        rows = company.soql(f"SELECT Id, Test_Title__c FROM Contact WHERE AccountId = '{account}'")  # noqa: S608  # an id of ours
        found = {row["Id"]: row["Test_Title__c"] for row in rows}
        return [found[id_] for id_ in (ann, bob, eve)]

    row = notes(account, (ann, "CFO"), (bob, "Buyer"))
    assert send(salesforce, NOTES, row)[row["key"]]["outcome"] == "applied"
    assert titles() == ["CFO", "Buyer", None]
    assert_held(salesforce, NOTES, row)
    # one that says nothing equals one that is not there; one that is not sent any more says nothing
    row = notes(account, (eve, "CEO"), (bob, None))
    assert send(salesforce, NOTES, row)[row["key"]]["outcome"] == "applied"
    assert titles() == [None, None, "CEO"]
    assert_held(salesforce, NOTES, row)


def test_parts_of_another_record_are_refused(company: Company, salesforce: Salesforce) -> None:
    account, other = company.account(), company.account()
    stranger, lost = company.contact(other), company.contact(account)
    company.delete("Contact", lost)
    rows = [notes(account, (stranger, "CFO")), notes(other)]
    outcomes = send(salesforce, NOTES, *rows)
    assert outcomes[rows[0]["key"]]["outcome"] == "reject"
    assert outcomes[rows[0]["key"]]["message"].startswith("people: ")
    assert outcomes[rows[1]["key"]]["outcome"] == "applied"
    gone = notes(account, (lost, "CFO"))
    assert send(salesforce, NOTES, gone)[gone["key"]]["category"] == "unknown reference"


def test_a_key_of_another_system_names_no_record(company: Company, salesforce: Salesforce) -> None:
    here = notes(company.account())
    strange = here | {"key": "tryton:12"}
    outcomes = send(salesforce, NOTES, here, strange)
    assert outcomes[here["key"]]["outcome"] == "applied"
    assert (outcomes["tryton:12"]["outcome"], outcomes["tryton:12"]["category"]) == ("reject", "unknown reference")
    assert salesforce.read_back(NOTES, wanted([("tryton:12", None)])).num_rows == 0


def test_a_record_is_written_on_the_one_it_refers_to(company: Company, salesforce: Salesforce) -> None:
    account = company.account()
    row = {"key": "tryton:77", "customer": f"salesforce:{account}", "customer__native": account, "status": "Held"}
    lost = row | {"key": "tryton:78", "customer": "salesforce:001000000000000AAA", "customer__native": None}
    outcomes = send(salesforce, MARK, row, lost)
    assert (outcomes["tryton:77"]["outcome"], outcomes["tryton:77"]["native"]) == ("applied", account)
    assert (outcomes["tryton:78"]["outcome"], outcomes["tryton:78"]["awaits"]) == ("hold", lost["customer"])
    assert held(salesforce, MARK, "tryton:77", account)["status"] == "Held"


# -------------------------------------------------------------------------------------------------------------- prices
class Shop:
    """A product and a price book."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.product = company.admin.create("Product2", Name=f"Product {uuid.uuid4().hex}", IsActive=True)
        self.book = company.admin.create("Pricebook2", Name=f"Book {uuid.uuid4().hex}", IsActive=True)
        (standard,) = company.soql("SELECT Id FROM Pricebook2 WHERE IsStandard = true")
        self.standard = standard["Id"]

    def price(self, **values: Any) -> dict[str, Any]:
        return {
            "key": f"tryton:{uuid.uuid4().hex[:12]}",
            "product": f"salesforce:{self.product}",
            "product__native": self.product,
            "price_list": f"salesforce:{self.book}",
            "price_list__native": self.book,
            "currency": "EUR",
            "unit_price": Decimal("19.9900"),
            "active": True,
        } | values

    def entries(self) -> list[tuple[Any, ...]]:
        rows = self.company.soql(
            "SELECT Pricebook2.IsStandard, CurrencyIsoCode, UnitPrice, Key__c FROM PricebookEntry "  # noqa: S608  # an id of ours
            f"WHERE Product2Id = '{self.product}' ORDER BY CreatedDate, Id"
        )
        return sorted(
            (r["Pricebook2"]["IsStandard"], r["CurrencyIsoCode"], float(r["UnitPrice"]), r["Key__c"] or "")
            for r in rows
        )


def test_the_standard_price_comes_first(company: Company, salesforce: Salesforce) -> None:
    shop = Shop(company)
    row = shop.price()
    company.org.calls(clear=True)
    assert send(salesforce, PRICE, row)[row["key"]]["outcome"] == "applied"
    made = [c["path"] for c in company.org.calls() if c["method"] == "POST" and "composite" in c["path"]]
    assert len(made) == 1
    assert shop.entries() == [(False, "EUR", 19.99, row["key"]), (True, "EUR", 19.99, "")]
    # it is there now, and stays as it is
    again = row | {"unit_price": Decimal("25.0000")}
    assert send(salesforce, PRICE, again)[row["key"]]["outcome"] == "applied"
    assert shop.entries() == [(False, "EUR", 25.0, row["key"]), (True, "EUR", 19.99, "")]
    assert_held(salesforce, PRICE, again)


def test_an_entry_made_by_hand_is_taken_over(company: Company, salesforce: Salesforce) -> None:
    shop = Shop(company)
    given = {"Product2Id": shop.product, "CurrencyIsoCode": "EUR", "UnitPrice": 1, "IsActive": True}
    company.admin.create("PricebookEntry", **given, Pricebook2Id=shop.standard)
    entry = company.admin.create("PricebookEntry", **given, Pricebook2Id=shop.book)
    row = shop.price()
    answer = send(salesforce, PRICE, row)[row["key"]]
    assert (answer["outcome"], answer["native"]) == ("applied", entry)
    assert shop.entries() == [(False, "EUR", 19.99, row["key"]), (True, "EUR", 1.0, "")]
    assert held(salesforce, PRICE, row["key"])["native"] == entry


def test_an_entry_made_at_the_same_time_is_tried_again(
    company: Company, salesforce: Salesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(company)
    given = {"Product2Id": shop.product, "CurrencyIsoCode": "EUR", "UnitPrice": 1, "IsActive": True}
    row, look = shop.price(), sending.natives_by_identity
    company.admin.create("PricebookEntry", **given, Pricebook2Id=shop.standard)

    def a_moment_before(*asked: Any) -> dict[str, str]:
        found = look(*asked)
        if not found:
            company.admin.create("PricebookEntry", **given, Pricebook2Id=shop.book)
        return found

    monkeypatch.setattr(sending, "natives_by_identity", a_moment_before)
    assert send(salesforce, PRICE, row)[row["key"]]["outcome"] == "retry"
    assert send(salesforce, PRICE, row)[row["key"]]["outcome"] == "applied"
    assert shop.entries() == [(False, "EUR", 19.99, row["key"]), (True, "EUR", 1.0, "")]


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_a_standard_price_in_doubt_is_harmless(company: Company, salesforce: Salesforce, kind: str) -> None:
    shop = Shop(company)
    rows = [shop.price(), shop.price(currency="USD")]
    company.org.fault(kind, method="POST", path=".*/composite/sobjects", times=1)
    assert {o["outcome"] for o in send(salesforce, PRICE, *rows).values()} == {"retry"}
    assert {o["outcome"] for o in send(salesforce, PRICE, *rows).values()} == {"applied"}
    assert len(shop.entries()) == 4


def test_a_standard_price_somebody_else_made_meanwhile_is_welcome(
    company: Company, salesforce: Salesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(company)
    given = {"Product2Id": shop.product, "CurrencyIsoCode": "EUR", "UnitPrice": 1, "IsActive": True}
    company.admin.create("PricebookEntry", **given, Pricebook2Id=shop.standard)
    look, answers = standard_price._there, [set[tuple[str, str]]()]  # asked a moment before
    monkeypatch.setattr(standard_price, "_there", lambda *asked: answers.pop() if answers else look(*asked))
    row = shop.price()
    assert send(salesforce, PRICE, row)[row["key"]]["outcome"] == "applied"
    assert shop.entries() == [(False, "EUR", 19.99, row["key"]), (True, "EUR", 1.0, "")]


def test_a_standard_price_that_is_refused_refuses_its_prices(company: Company, salesforce: Salesforce) -> None:
    shop, other = Shop(company), Shop(company)
    rows = [shop.price(), shop.price(price_list__native=other.book), other.price()]
    value = {"every": 2, "code": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "no"}
    company.org.fault("fail_rows", method="POST", path=".*/composite/sobjects", value=value, times=1)
    outcomes = send(salesforce, PRICE, *rows)
    assert sorted(o["outcome"] for o in outcomes.values()).count("applied") in (1, 2)
    assert {o["outcome"] for o in outcomes.values()} == {"applied", "reject"}
