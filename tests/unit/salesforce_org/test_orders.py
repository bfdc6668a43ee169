# ruff: noqa: S608 - the statements are SOQL made of the test's own words
"""Orders and their products: drafts, activation, and what an activated order still allows."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.salesforce_org.selling import Shop

LOCKED = (400, "ENTITY_IS_LOCKED")
INTEGRITY = (400, "FIELD_INTEGRITY_EXCEPTION")
NO_ACCESS = (403, "INSUFFICIENT_ACCESS_OR_READONLY")


@pytest.fixture
def shop(admin: Any) -> Shop:
    return Shop(api=admin).open()


def without(org: Any, permission: str) -> None:
    """Take a user permission from the integration user."""
    actor = org.actors[org.settings.client_id]
    changed = actor.permissions.copy()
    changed.user.discard(permission)
    actor.permissions = changed


def test_an_order_is_numbered_and_summed(shop: Shop, admin: Any) -> None:
    order, later = shop.order(2, 0.5), shop.order()
    names = ("OrderNumber", "StatusCode", "TotalAmount", "ActivatedDate", "CurrencyIsoCode")
    assert shop.read("Order", order, *names) == ["00000001", "Draft", 200.0, None, "EUR"]
    assert shop.read("Order", later, "OrderNumber", "TotalAmount") == ["00000002", 0.0]
    [item, _] = admin.column(f"SELECT Id FROM OrderItem WHERE OrderId = '{order}' ORDER BY OrderItemNumber")
    names = ("OrderItemNumber", "Product2Id", "ListPrice", "UnitPrice", "TotalPrice", "CurrencyIsoCode")
    assert shop.read("OrderItem", item, *names) == ["0000000001", shop.product, 90.0, 80.0, 160.0, "EUR"]
    admin.send("PATCH", f"/sobjects/OrderItem/{item}", {"UnitPrice": 81.255})
    assert shop.read("Order", order, "TotalAmount") == [202.52]
    admin.send("DELETE", f"/sobjects/OrderItem/{item}")
    assert shop.read("Order", order, "TotalAmount") == [40.0]


def test_sums_have_no_crumbs(shop: Shop) -> None:
    order = shop.order()
    shop.item(order, UnitPrice=0.1)
    shop.item(order, UnitPrice=0.2)
    assert shop.read("Order", order, "TotalAmount") == [0.3]


@pytest.mark.parametrize("missing", ["AccountId", "EffectiveDate", "Status"])
def test_an_order_needs(shop: Shop, admin: Any, missing: str) -> None:
    values = {"AccountId": shop.account, "EffectiveDate": "2026-03-01", "Status": "Draft"}
    del values[missing]
    assert admin.refused("POST", "/sobjects/Order", values) == (400, "REQUIRED_FIELD_MISSING")


def test_an_order_is_created_as_a_draft_and_activated_with_products(shop: Shop, admin: Any) -> None:
    values = {"AccountId": shop.account, "EffectiveDate": "2026-03-01"}
    refusal = [
        {
            "message": "An order must have at least one product.",
            "errorCode": "FAILED_ACTIVATION",
            "fields": ["Status"],
        }
    ]
    assert admin.send("POST", "/sobjects/Order", {**values, "Status": "Activated"}).data == refusal
    assert admin.refused("POST", "/sobjects/Order", {**values, "Status": "Nonsense"}) == (400, "FAILED_ACTIVATION")
    order = shop.order()
    assert admin.send("PATCH", f"/sobjects/Order/{order}", {"Status": "Activated"}).data == refusal
    item = shop.item(order)
    admin.send("DELETE", f"/sobjects/OrderItem/{item}")
    assert admin.send("PATCH", f"/sobjects/Order/{order}", {"Status": "Activated"}).data == refusal
    shop.item(order)
    shop.activate(order)
    code, date, who = shop.read("Order", order, "StatusCode", "ActivatedDate", "ActivatedById")
    assert (code, date is not None, who is not None) == ("Activated", True, True)


def test_a_status_of_the_activated_category_keeps_the_activation(shop: Shop, admin: Any, org: Any) -> None:
    order = shop.order(1)
    shop.activate(order)
    [activated] = shop.read("Order", order, "ActivatedDate")
    org.clock.offset += timedelta(minutes=1)
    admin.send("PATCH", f"/sobjects/Order/{order}", {"Status": "Cancelled"})
    assert shop.read("Order", order, "StatusCode", "ActivatedDate") == ["Activated", activated]
    admin.send("PATCH", f"/sobjects/Order/{order}", {"Status": "Draft"})
    assert shop.read("Order", order, "StatusCode", "ActivatedDate") == ["Draft", None]


def test_products_of_an_activated_order_stay_but_may_be_edited(shop: Shop, admin: Any) -> None:
    order = shop.order(1)
    [item] = admin.column("SELECT Id FROM OrderItem")
    shop.activate(order)
    late = {"OrderId": order, "PricebookEntryId": shop.entry, "Quantity": 1, "UnitPrice": 80}
    answer = admin.send("POST", "/sobjects/OrderItem", late)
    assert (answer.status, answer.data[0]["errorCode"]) == LOCKED
    assert answer.data[0]["message"].startswith("Unable to modify activated or superseded Order")
    assert admin.refused("DELETE", f"/sobjects/OrderItem/{item}") == LOCKED
    assert admin.refused("DELETE", f"/sobjects/Order/{order}") == LOCKED
    assert admin.send("PATCH", f"/sobjects/OrderItem/{item}", {"ERP_Status__c": "Shipped"}).status == 204
    assert admin.refused("DELETE", f"/sobjects/Account/{shop.account}") == (400, "DELETE_FAILED")
    admin.send("PATCH", f"/sobjects/Order/{order}", {"Status": "Draft"})
    assert admin.send("DELETE", f"/sobjects/Account/{shop.account}").status == 204
    assert admin.column("SELECT Id FROM OrderItem") == []


def test_the_integration_user_edits_activated_orders_by_permission(shop: Shop, api: Any, org: Any, admin: Any) -> None:
    order = shop.order(1)
    [item] = admin.column("SELECT Id FROM OrderItem")
    shop.activate(order)
    changes = ((f"Order/{order}", {"ERP_Status__c": "Accepted"}), (f"OrderItem/{item}", {"ERP_Status__c": "Accepted"}))
    for path, change in changes:
        assert api.send("PATCH", f"/sobjects/{path}", change).status == 204
    without(org, "EditActivatedOrders")
    for path, change in changes:
        assert api.refused("PATCH", f"/sobjects/{path}", change) == NO_ACCESS


def test_activation_needs_its_permission(shop: Shop, api: Any, org: Any) -> None:
    order = shop.order(1)
    without(org, "ActivateOrder")
    assert api.refused("PATCH", f"/sobjects/Order/{order}", {"Status": "Activated"}) == NO_ACCESS
    assert shop.read("Order", order, "StatusCode") == ["Draft"]


def test_account_price_book_and_currency_are_fixed(shop: Shop, admin: Any) -> None:
    order, other = shop.order(1), admin.create("Account", Name="Other")
    path = f"/sobjects/Order/{order}"
    assert admin.refused("PATCH", path, {"Pricebook2Id": shop.standard_book}) == INTEGRITY
    assert admin.refused("PATCH", path, {"CurrencyIsoCode": "USD"}) == INTEGRITY
    assert admin.send("PATCH", path, {"AccountId": other}).status == 204
    shop.activate(order)
    assert admin.refused("PATCH", path, {"AccountId": shop.account}) == INTEGRITY
    empty = shop.order(Pricebook2Id=None)
    change = {"Pricebook2Id": shop.standard_book, "CurrencyIsoCode": "USD"}
    assert admin.send("PATCH", f"/sobjects/Order/{empty}", change).status == 204


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ({"Pricebook2Id": None}, "or the order has no pricebook assigned"),
        ({"CurrencyIsoCode": "USD"}, "currency code does not match order currency code"),
    ],
)
def test_a_product_comes_from_the_orders_price_book_and_currency(
    shop: Shop, admin: Any, order: dict[str, Any], message: str
) -> None:
    values = {"OrderId": shop.order(**order), "PricebookEntryId": shop.entry, "Quantity": 1, "UnitPrice": 80}
    answer = admin.send("POST", "/sobjects/OrderItem", values)
    assert (answer.status, answer.data[0]["errorCode"]) == INTEGRITY
    assert message in answer.data[0]["message"]


def test_sales_owns_what_the_integration_user_may_not_write(shop: Shop, api: Any, admin: Any) -> None:
    order = shop.order(1)
    [item] = admin.column("SELECT Id FROM OrderItem")
    for path in (f"Order/{order}", f"OrderItem/{item}"):
        field = "PoNumber" if path.startswith("Order/") else "UnitPrice"
        assert api.refused("PATCH", f"/sobjects/{path}", {field: "1"})[1] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert api.refused("POST", "/sobjects/Order", {"AccountId": shop.account})[1] == "INSUFFICIENT_ACCESS_OR_READONLY"


def test_rights_on_products_are_those_on_their_order(shop: Shop, api: Any, admin: Any) -> None:
    shop.order(1)
    [item] = admin.column("SELECT Id FROM OrderItem")
    path, change = f"/sobjects/OrderItem/{item}", {"ERP_Status__c": "Shipped"}
    assert api.send("PATCH", path, change).status == 204
    api.send("POST", "/sandbox/permissions", {"object": "Order", "actions": ["read"]})
    assert api.send("GET", path).status == 200
    assert api.refused("PATCH", path, change) == NO_ACCESS
    assert api.refused("DELETE", path) == NO_ACCESS
    api.send("POST", "/sandbox/permissions", {"object": "Order", "actions": ["edit"]})
    assert api.refused("GET", path) == (404, "NOT_FOUND")
    api.send("POST", "/sandbox/permissions", {"object": "Order", "actions": ["read", "edit"]})
    assert api.send("DELETE", path).status == 204


def test_queries_through_the_order(shop: Shop, api: Any) -> None:
    order = shop.order(2)
    lines = "SELECT Product2.Key__c, Order.Account.Name FROM OrderItem"
    [line] = api.run(lines)["records"]
    assert (line["Product2"]["Key__c"], line["Order"]["Account"]["Name"]) == ("erp:1", "Acme")
    [found] = api.run(f"SELECT Id, (SELECT Quantity FROM OrderItems) FROM Order WHERE Id = '{order}'")["records"]
    assert [item["Quantity"] for item in found["OrderItems"]["records"]] == [2.0]
