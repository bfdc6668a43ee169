# ruff: noqa: S608 - the statements are SOQL made of the test's own words
"""Quote-to-cash by simple-salesforce, unchanged: an order is made and activated, documents of the ERP come back."""

import csv
import io
from typing import Any

import pytest
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest

from tests.salesforce_org import Org


def connect(org: Org, *, admin: bool) -> Any:
    return Salesforce(session_id=org.token(admin=admin), instance_url=org.https, version="62.0")


@pytest.fixture
def sales(org: Org) -> Any:
    """Somebody who may do everything."""
    return connect(org, admin=True)


@pytest.fixture
def erp(org: Org) -> Any:
    """The integration user."""
    return connect(org, admin=False)


@pytest.fixture
def entry(sales: Any, erp: Any) -> dict[str, str]:
    """A product of the ERP with its standard price and a price in a price list; the ids."""
    standard = sales.query("SELECT Id FROM Pricebook2 WHERE IsStandard = TRUE")["records"][0]["Id"]
    assert erp.Product2.upsert("Key__c/erp:1", {"Name": "Scale", "ProductCode": "S-1", "IsActive": True}) == 201
    assert erp.Pricebook2.upsert("Key__c/erp:list", {"Name": "List", "IsActive": True}) == 201
    product, book = (
        erp.Product2.get_by_custom_id("Key__c", "erp:1"),
        erp.Pricebook2.get_by_custom_id("Key__c", "erp:list"),
    )
    price = {"Product2Id": product["Id"], "UnitPrice": 90, "IsActive": True, "CurrencyIsoCode": "EUR"}
    with pytest.raises(SalesforceMalformedRequest, match="STANDARD_PRICE_NOT_DEFINED"):
        erp.PricebookEntry.create({**price, "Pricebook2Id": book["Id"], "Key__c": "erp:p"})
    erp.PricebookEntry.create({**price, "Pricebook2Id": standard})
    made = erp.PricebookEntry.create({**price, "Pricebook2Id": book["Id"], "Key__c": "erp:p"})
    return {"entry": made["id"], "book": book["Id"], "product": product["Id"]}


def test_an_order_is_made_activated_and_answered(sales: Any, erp: Any, entry: dict[str, str]) -> None:
    account = sales.Account.create({"Name": "Acme"})["id"]
    values = {"AccountId": account, "EffectiveDate": "2026-03-01", "Status": "Draft", "Pricebook2Id": entry["book"]}
    order = sales.Order.create(values)["id"]
    with pytest.raises(SalesforceMalformedRequest, match="FAILED_ACTIVATION"):
        sales.Order.update(order, {"Status": "Activated"})
    for quantity in (2, 3):
        line = {"OrderId": order, "PricebookEntryId": entry["entry"], "Quantity": quantity, "UnitPrice": 80.5}
        sales.OrderItem.create(line)
    assert sales.Order.update(order, {"Status": "Activated"}) == 204
    found = sales.query(
        "SELECT OrderNumber, StatusCode, TotalAmount, (SELECT Id, Product2.Key__c, Order.OrderNumber FROM OrderItems) "
        f"FROM Order WHERE Id = '{order}'"
    )["records"][0]
    assert (found["OrderNumber"], found["StatusCode"], found["TotalAmount"]) == ("00000001", "Activated", 402.5)
    lines = found["OrderItems"]["records"]
    assert [(i["Product2"]["Key__c"], i["Order"]["OrderNumber"]) for i in lines] == [("erp:1", "00000001")] * 2
    with pytest.raises(SalesforceMalformedRequest, match="ENTITY_IS_LOCKED"):
        sales.OrderItem.delete(lines[0]["Id"])
    assert erp.Order.update(order, {"ERP_Status__c": "Accepted", "ERP_Order_Number__c": "SO-1"}) == 204
    rows = [{"attributes": {"type": "OrderItem"}, "id": i["Id"], "Shipped_Quantity__c": 1} for i in lines]
    answer = erp.restful("composite/sobjects", method="PATCH", json={"records": rows})
    assert [result["success"] for result in answer] == [True, True]
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_FIELD_FOR_INSERT_UPDATE"):
        erp.Order.update(order, {"PoNumber": "not the ERP's"})


def test_documents_and_their_lines_by_keys(sales: Any, erp: Any, entry: dict[str, str]) -> None:
    account = sales.Account.create({"Name": "Acme"})["id"]
    invoices = [
        {"attributes": {"type": "ERP_Invoice__c"}, "Key__c": f"erp:{n}", "Account__c": account, "Total__c": n}
        for n in (1, 2)
    ]
    answer = erp.restful("composite/sobjects/ERP_Invoice__c/Key__c", method="PATCH", json={"records": invoices})
    assert [result["created"] for result in answer] == [True, True]
    line = {
        "attributes": {"type": "ERP_Invoice_Line__c"},
        "Key__c": "erp:1#1",
        "Invoice__r": {"Key__c": "erp:1"},
        "Product__r": {"Key__c": "erp:1"},
        "Unit_Price__c": 0.1234,
    }
    path = "composite/sobjects/ERP_Invoice_Line__c/Key__c"
    for created in (True, False):
        [result] = erp.restful(path, method="PATCH", json={"records": [line]})
        assert (result["success"], result["created"]) == (True, created)
    rows = [
        {"Key__c": key, "Invoice__r.Key__c": key[:5], "Product__r.Key__c": "erp:1", "Unit_Price__c": price}
        for key, price in (("erp:2#1", 2.5), ("erp:2#2", 3), ("erp:3#1", 3))
    ]
    [job] = erp.bulk2.ERP_Invoice_Line__c.upsert(records=rows, external_id_field="Key__c", wait=0.05)
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (3, 1)
    failed = erp.bulk2.ERP_Invoice_Line__c.get_failed_records(job["job_id"])
    [row] = csv.DictReader(io.StringIO(failed))
    assert (row["Key__c"], row["sf__Error"].split(":")[0]) == ("erp:3#1", "INVALID_FIELD")
    found = erp.query("SELECT Invoice__r.Key__c, Unit_Price__c FROM ERP_Invoice_Line__c ORDER BY Key__c")["records"]
    prices = [(r["Invoice__r"]["Key__c"], r["Unit_Price__c"]) for r in found]
    assert prices == [("erp:1", 0.1234), ("erp:2", 2.5), ("erp:2", 3.0)]
    below = erp.query(
        "SELECT Key__c, (SELECT Key__c FROM Lines__r ORDER BY Key__c) FROM ERP_Invoice__c ORDER BY Key__c"
    )
    lines = [[r["Key__c"] for r in record["Lines__r"]["records"]] for record in below["records"]]
    assert lines == [["erp:1#1"], ["erp:2#1", "erp:2#2"]]
    first = below["records"][0]["attributes"]["url"].split("/")[-1]
    assert erp.ERP_Invoice__c.delete(first) == 204
    assert erp.query("SELECT COUNT() FROM ERP_Invoice_Line__c")["totalSize"] == 2


def test_a_deleted_product_leaves_documents_standing(sales: Any, erp: Any, entry: dict[str, str]) -> None:
    erp.ERP_Invoice__c.upsert("Key__c/erp:1", {"Number__c": "1"})
    line = {"Invoice__r": {"Key__c": "erp:1"}, "Product__r": {"Key__c": "erp:1"}}
    erp.ERP_Invoice_Line__c.upsert("Key__c/erp:1%231", line)  # upsert leaves escaping to the caller
    assert sales.Product2.delete(entry["product"]) == 204
    assert erp.ERP_Invoice_Line__c.get_by_custom_id("Key__c", "erp:1#1")["Product__c"] is None
    assert sales.query("SELECT COUNT() FROM PricebookEntry")["totalSize"] == 0
