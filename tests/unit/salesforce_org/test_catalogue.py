"""Products, price books and their entries."""

from typing import Any

import pytest

from tests.unit.salesforce_org.selling import Shop


@pytest.fixture
def shop(admin: Any) -> Shop:
    return Shop(api=admin).open()


def entry(shop: Shop, **values: Any) -> dict[str, Any]:
    return {"Product2Id": shop.product, "Pricebook2Id": shop.book, "UnitPrice": 1, "IsActive": True} | values


def test_there_is_one_standard_price_book_and_it_stays(admin: Any) -> None:
    [book] = admin.column("SELECT Id FROM Pricebook2 WHERE IsStandard = TRUE")
    assert admin.refused("DELETE", f"/sobjects/Pricebook2/{book}") == (400, "DELETE_FAILED")
    assert admin.refused("POST", "/sobjects/Pricebook2", {"Name": "x", "IsStandard": True})[1] == (
        "INVALID_FIELD_FOR_INSERT_UPDATE"
    )
    admin.create("Pricebook2", Name="other")
    assert admin.send("POST", "/sandbox/reset", {}).status == 204
    assert admin.column("SELECT Id FROM Pricebook2") == [book]


def test_a_price_repeats_its_product(shop: Shop, admin: Any) -> None:
    assert shop.read("PricebookEntry", shop.entry, "Name", "ProductCode") == ["Scale", "S-1"]
    admin.send("PATCH", f"/sobjects/Product2/{shop.product}", {"Name": "Balance", "ProductCode": "B-1"})
    assert shop.read("PricebookEntry", shop.entry, "Name", "ProductCode") == ["Balance", "B-1"]


def test_the_standard_price_comes_first_in_each_currency(shop: Shop, admin: Any) -> None:
    wanted = entry(shop, CurrencyIsoCode="USD")
    answer = admin.send("POST", "/sobjects/PricebookEntry", wanted)
    assert (answer.status, answer.data) == (
        400,
        [
            {
                "message": "Before creating a custom price, create a standard price.",
                "errorCode": "STANDARD_PRICE_NOT_DEFINED",
                "fields": ["Pricebook2Id"],
            }
        ],
    )
    shop.price(shop.standard_book, 110, CurrencyIsoCode="USD")
    assert admin.send("POST", "/sobjects/PricebookEntry", wanted).status == 201
    # A price elsewhere is no standard price.
    admin.send("DELETE", f"/sobjects/PricebookEntry/{shop.standard}")
    other = entry(shop, Pricebook2Id=admin.create("Pricebook2", Name="other"))
    assert admin.refused("POST", "/sobjects/PricebookEntry", other) == (400, "STANDARD_PRICE_NOT_DEFINED")


@pytest.mark.parametrize("active", [True, False])
def test_a_price_is_there_once(shop: Shop, admin: Any, active: bool) -> None:
    admin.send("PATCH", f"/sobjects/PricebookEntry/{shop.entry}", {"IsActive": active})
    assert admin.refused("POST", "/sobjects/PricebookEntry", entry(shop)) == (400, "FIELD_INTEGRITY_EXCEPTION")
    shop.price(shop.standard_book, 1, CurrencyIsoCode="USD")
    twice = [{"attributes": {"type": "PricebookEntry"}, **entry(shop, CurrencyIsoCode="USD")}] * 2
    answer = admin.send("POST", "/composite/sobjects", {"records": twice})
    assert [result["success"] for result in answer.data] == [True, False]


def test_a_price_may_follow_the_standard_price(shop: Shop, admin: Any) -> None:
    other = admin.create("Pricebook2", Name="follows", IsActive=True)
    follower = shop.price(other, 1, UseStandardPrice=True)
    assert shop.read("PricebookEntry", follower, "UnitPrice") == [100.0]
    admin.send("PATCH", f"/sobjects/PricebookEntry/{shop.standard}", {"UnitPrice": 120})
    assert shop.read("PricebookEntry", follower, "UnitPrice") == [120.0]
    assert shop.read("PricebookEntry", shop.entry, "UnitPrice") == [90.0]


@pytest.mark.parametrize("name", ["Product2Id", "Pricebook2Id", "CurrencyIsoCode"])
def test_what_a_price_is_for_is_fixed(shop: Shop, admin: Any, name: str) -> None:
    value = shop.read("PricebookEntry", shop.entry, name)[0]
    path = f"/sobjects/PricebookEntry/{shop.entry}"
    assert admin.refused("PATCH", path, {name: value}) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")


def test_prices_by_their_own_and_their_parents_keys(shop: Shop, api: Any, admin: Any) -> None:
    admin.send("PATCH", f"/sobjects/Pricebook2/{shop.book}", {"Key__c": "erp:list"})
    admin.send("DELETE", f"/sobjects/PricebookEntry/{shop.entry}")
    values = {
        "attributes": {"type": "PricebookEntry"},
        "Key__c": "erp:p1",
        "Product2": {"Key__c": "erp:1"},
        "Pricebook2": {"Key__c": "erp:list"},
        "UnitPrice": 95,
        "CurrencyIsoCode": "EUR",
    }
    answer = api.send("PATCH", "/composite/sobjects/PricebookEntry/Key__c", {"records": [values]})
    assert [(r["success"], r["created"]) for r in answer.data] == [(True, True)]
    found = api.run("SELECT Product2.Key__c, Pricebook2.Key__c, UnitPrice FROM PricebookEntry WHERE Key__c = 'erp:p1'")
    [record] = found["records"]
    assert (record["Product2"]["Key__c"], record["Pricebook2"]["Key__c"]) == ("erp:1", "erp:list")


def test_what_was_sold_is_not_deleted(shop: Shop, admin: Any) -> None:
    shop.order(1)
    for path in (f"Product2/{shop.product}", f"PricebookEntry/{shop.entry}", f"Pricebook2/{shop.book}"):
        assert admin.refused("DELETE", f"/sobjects/{path}") == (400, "DELETE_FAILED")


def test_values_of_standard_picklists_are_the_metadatas(api: Any) -> None:
    fields = {f["name"]: f for f in api.send("GET", "/sobjects/Product2/describe").data["fields"]}
    units = [value["value"] for value in fields["QuantityUnitOfMeasure"]["picklistValues"]]
    assert units == ["Each", "Hour", "Month", "Kit", "Litre"]
