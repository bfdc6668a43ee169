# ruff: noqa: S608 - the statements are SOQL made of the test's own words
"""Opportunities, their stages, and their lines."""

from typing import Any

import pytest

from tests.unit.salesforce_org.selling import Shop


@pytest.fixture
def shop(admin: Any) -> Shop:
    return Shop(api=admin).open()


def opportunity(shop: Shop, **more: Any) -> str:
    values = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-03-01", "AccountId": shop.account}
    return str(shop.api.create("Opportunity", **{**values, **more}))


def line(shop: Shop, record: str, **more: Any) -> dict[str, Any]:
    return {"OpportunityId": record, "PricebookEntryId": shop.entry, "Quantity": 3, "UnitPrice": 80} | more


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("Prospecting", [False, False, 10.0]),
        ("Committed", [False, False, 90.0]),
        ("Closed Won", [True, True, 100.0]),
        ("Closed Lost", [True, False, 0.0]),
    ],
)
def test_the_stage_says_what_follows(shop: Shop, admin: Any, stage: str, expected: list[Any]) -> None:
    names = ("IsClosed", "IsWon", "Probability")
    assert shop.read("Opportunity", opportunity(shop, StageName=stage), *names) == expected
    moved = opportunity(shop, StageName="Qualification")
    admin.send("PATCH", f"/sobjects/Opportunity/{moved}", {"StageName": stage})
    assert shop.read("Opportunity", moved, *names) == expected


def test_a_probability_may_be_given(shop: Shop, admin: Any) -> None:
    record = opportunity(shop, Probability=33)
    assert shop.read("Opportunity", record, "Probability") == [33.0]
    admin.send("PATCH", f"/sobjects/Opportunity/{record}", {"Name": "Better deal"})
    assert shop.read("Opportunity", record, "Probability") == [33.0]


def test_lines_make_the_amount(shop: Shop, admin: Any) -> None:
    assert shop.read("Opportunity", opportunity(shop), "Amount") == [None]
    record = opportunity(shop, Amount=5)
    assert shop.read("Opportunity", record, "Amount") == [5.0]
    one = admin.create("OpportunityLineItem", **line(shop, record, Discount=12.5))
    names = ("Product2Id", "ListPrice", "TotalPrice", "ProductCode", "CurrencyIsoCode")
    assert shop.read("OpportunityLineItem", one, *names) == [shop.product, 90.0, 210.0, "S-1", "EUR"]
    admin.create("OpportunityLineItem", **line(shop, record, Quantity=0.1, UnitPrice=0.7))
    assert shop.read("Opportunity", record, "Amount") == [210.07]
    # With lines, an amount that is sent is ignored.
    assert admin.send("PATCH", f"/sobjects/Opportunity/{record}", {"Amount": 1}).status == 204
    assert shop.read("Opportunity", record, "Amount") == [210.07]
    admin.send("DELETE", f"/sobjects/OpportunityLineItem/{one}")
    assert shop.read("Opportunity", record, "Amount") == [0.07]


def test_an_amount_may_be_written_a_total_may_not(api: Any) -> None:
    for name, calculated in (("Opportunity.Amount", False), ("Order.TotalAmount", True)):
        obj, field = name.split(".")
        fields = {f["name"]: f for f in api.send("GET", f"/sobjects/{obj}/describe").data["fields"]}
        assert fields[field]["calculated"] is calculated


def test_the_first_line_brings_the_price_book_and_fixes_it(shop: Shop, admin: Any) -> None:
    record = opportunity(shop)
    admin.create("OpportunityLineItem", **line(shop, record))
    assert shop.read("Opportunity", record, "Pricebook2Id") == [shop.book]
    other = line(shop, record, PricebookEntryId=shop.standard)
    assert admin.refused("POST", "/sobjects/OpportunityLineItem", other) == (400, "FIELD_INTEGRITY_EXCEPTION")
    for change in ({"Pricebook2Id": shop.standard_book}, {"CurrencyIsoCode": "USD"}):
        assert admin.refused("PATCH", f"/sobjects/Opportunity/{record}", change) == (400, "FIELD_INTEGRITY_EXCEPTION")
    [found] = admin.column(f"SELECT Id FROM OpportunityLineItem WHERE OpportunityId = '{record}'")
    admin.send("DELETE", f"/sobjects/OpportunityLineItem/{found}")
    change = {"Pricebook2Id": shop.standard_book}
    assert admin.send("PATCH", f"/sobjects/Opportunity/{record}", change).status == 204


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"UnitPrice": None}, "REQUIRED_FIELD_MISSING"),
        ({"PricebookEntryId": None}, "REQUIRED_FIELD_MISSING"),
        ({"Quantity": None}, "REQUIRED_FIELD_MISSING"),
        ({"TotalPrice": 1}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"CurrencyIsoCode": "EUR"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ],
)
def test_refused_lines(shop: Shop, admin: Any, change: dict[str, Any], code: str) -> None:
    body = line(shop, opportunity(shop), **change)
    assert admin.refused("POST", "/sobjects/OpportunityLineItem", body) == (400, code)


def test_a_line_needs_an_active_price_in_the_opportunitys_currency(shop: Shop, admin: Any) -> None:
    dollars = line(shop, opportunity(shop, CurrencyIsoCode="USD"))
    answer = admin.send("POST", "/sobjects/OpportunityLineItem", dollars)
    assert (answer.status, answer.data[0]["errorCode"]) == (400, "FIELD_INTEGRITY_EXCEPTION")
    assert "currency code does not match opportunity currency code" in answer.data[0]["message"]
    admin.send("PATCH", f"/sobjects/PricebookEntry/{shop.entry}", {"IsActive": False})
    answer = admin.send("POST", "/sobjects/OpportunityLineItem", line(shop, opportunity(shop)))
    assert "pricebook entry is inactive" in answer.data[0]["message"]


def test_lines_go_with_their_opportunity(shop: Shop, admin: Any) -> None:
    record = opportunity(shop)
    one = admin.create("OpportunityLineItem", **line(shop, record))
    admin.send("DELETE", f"/sobjects/Opportunity/{record}")
    assert admin.column("SELECT Id FROM OpportunityLineItem", deleted=True) == [one]
    assert admin.column("SELECT Id FROM OpportunityLineItem") == []
