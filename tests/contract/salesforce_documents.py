"""Objects with parts, for tests of the Salesforce adapter only: their definitions, mappings and samples.

A document has lines (details of it), tiers (which know its key only) and refers to a customer and an item of the ERP;
account_notes stands for what is written onto records that are there already, parts included; a price needs a standard
price first.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from accord.objects.definition import (
    BusinessObject,
    Choice,
    ChoiceSet,
    Constituent,
    Day,
    Field,
    FieldType,
    Flag,
    Instant,
    Money,
    Number,
    Owner,
    Reference,
    Text,
    Unknown,
)
from accord.systems.salesforce.mapping import ChildWriting, StandardPrice, Writing

SETS = ("blue", "green", "red")


def _field(name: str, kind: FieldType, **more: Any) -> Field:
    return Field(name=name, type=kind, owner=Owner.ERP, meaning=f"The {name}.", **more)


LINES = Constituent(
    name="lines",
    meaning="What the document is about.",
    key="number",
    fields=(
        _field("number", Text(limit=20), required=True),
        _field("item", Reference(object="test_item"), required=True),
        _field("substitute", Reference(object="test_item", unknown=Unknown.OMIT)),
        _field("quantity", Number(), required=True),
        _field("unit_price", Money(scale=4)),
        _field("text", Text(limit=80)),
        _field("done", Flag()),
        _field("weight", Number()),  # Salesforce has no place for it
    ),
)
TIERS = Constituent(
    name="tiers",
    meaning="Discounts.",
    key="step",
    fields=(_field("step", Text(limit=20), required=True), _field("share", Number(digits=18, scale=4))),
)
DOCUMENT = BusinessObject(
    name="test_document",
    version=1,
    meaning="A document with parts.",
    fields=(
        _field("customer", Reference(object="customer"), required=True),
        _field("item", Reference(object="test_item")),
        _field("currency", Choice(values=("EUR", "USD")), required=True),
        _field("note", Text(limit=255)),
        _field("colours", ChoiceSet(values=SETS)),
        _field("total", Money()),
        _field("rate", Number()),
        _field("share", Number()),
        _field("signed_at", Instant()),
        _field("day", Day()),
        _field("active", Flag(), required=True),
        _field("state", Choice(values=("Open", "Closed", "Removed"))),
    ),
    constituents=(LINES, TIERS),
    amounts=("total",),
)
ITEM = BusinessObject(
    name="test_item", version=1, meaning="An item.", fields=(_field("title", Text(limit=80), required=True),)
)
NOTES = BusinessObject(
    name="test_account_notes",
    version=1,
    meaning="What the ERP says of an account and its people.",
    fields=(_field("status", Choice(values=("Synced", "Held"))),),
    constituents=(
        Constituent(
            name="people",
            meaning="People.",
            key="id",
            fields=(
                _field("id", Text(limit=40), required=True),
                _field("title", Text(limit=80)),
                _field("silent", Flag()),
            ),
        ),
    ),
)
MARK = BusinessObject(
    name="test_account_mark",
    version=1,
    meaning="What the ERP says of the account a record of its own refers to.",
    fields=(
        _field("customer", Reference(object="customer"), required=True),
        _field("status", Choice(values=("Synced", "Held"))),
    ),
)
PRICE = BusinessObject(
    name="test_price",
    version=1,
    meaning="A price in a price book.",
    fields=(
        _field("product", Reference(object="test_product"), required=True),
        _field("price_list", Reference(object="test_price_list"), required=True),
        _field("currency", Choice(values=("EUR", "USD")), required=True),
        _field("unit_price", Money(scale=4), required=True),
        _field("active", Flag(), required=True),
    ),
)

WRITINGS = {
    w.object: w
    for w in (
        Writing(object="test_item", sobject="Test_Item__c", external_id="Key__c", fields={"title": "Title__c"}),
        Writing(
            object="test_document",
            sobject="Test_Document__c",
            external_id="Key__c",
            fields={
                "customer": "Account__c",
                "item": "Item__c",
                "currency": "CurrencyIsoCode",
                "note": "Note__c",
                "colours": "Colours__c",
                "total": "Total__c",
                "rate": "Rate__c",
                "share": "Share__c",
                "signed_at": "Signed_At__c",
                "day": "Day__c",
                "active": "Active__c",
                "state": "State__c",
            },
            gone={"Active__c": False, "State__c": "Removed"},
            decimals={"share": 2},
            children=(
                ChildWriting(
                    constituent="lines",
                    sobject="Test_Line__c",
                    parent="Document__c",
                    external_id="Key__c",
                    fields={
                        "item": "Item__c",
                        "substitute": "Substitute__c",
                        "quantity": "Quantity__c",
                        "unit_price": "Unit_Price__c",
                        "text": "Text__c",
                        "done": "Done__c",
                    },
                    inherited={"currency": "CurrencyIsoCode"},
                ),
                ChildWriting(
                    constituent="tiers",
                    sobject="Test_Tier__c",
                    parent="Document_Key__c",
                    by_key=True,
                    external_id="Key__c",
                    fields={"share": "Share__c"},
                    inherited={"customer": "Account__c"},
                ),
            ),
        ),
        Writing(
            object="test_account_notes",
            sobject="Account",
            fields={"status": "ERP_Sync_Status__c"},
            children=(
                ChildWriting(
                    constituent="people",
                    sobject="Contact",
                    parent="AccountId",
                    fields={"title": "Test_Title__c", "silent": "Test_Silent__c"},
                ),
            ),
        ),
        Writing(
            object="test_account_mark",
            sobject="Account",
            addressed_by="customer",
            fields={"status": "ERP_Sync_Status__c"},
        ),
        Writing(
            object="test_price",
            sobject="PricebookEntry",
            external_id="Key__c",
            identity=("product", "price_list", "currency"),
            fields={
                "product": "Product2Id",
                "price_list": "Pricebook2Id",
                "currency": "CurrencyIsoCode",
                "unit_price": "UnitPrice",
                "active": "IsActive",
            },
            gone={"IsActive": False},
            decimals={"unit_price": 2},
            standard_price=StandardPrice(
                product="product", price_list="price_list", currency="currency", amount="unit_price"
            ),
        ),
    )
}


def line(number: str, item: Mapping[str, str], **values: Any) -> dict[str, Any]:
    """A line of a document; `item` is (key, native) of the item."""
    given = {
        "number": number,
        "item": item["key"],
        "item__native": item["native"],
        "substitute": None,
        "substitute__native": None,
        "quantity": Decimal("2.5000"),
        "unit_price": Decimal("1234.5678"),
        "text": f"Line {number}",
        "done": None,
        "weight": None,
    }
    return given | values


def document(account: str, item: Mapping[str, str], **values: Any) -> dict[str, Any]:
    """A change of a document with three lines and two tiers."""
    number = uuid.uuid4().hex[:12]
    given = {
        "key": f"tryton:{number}",
        "customer": f"salesforce:{account}",
        "customer__native": account,
        "item": item["key"],
        "item__native": item["native"],
        "currency": "USD",
        "note": f"Note {number}",
        "colours": ["blue", "red"],
        "total": Decimal("100.10"),
        "rate": Decimal("0.0001"),
        "share": Decimal("12.3400"),
        "signed_at": datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC),
        "day": date(2026, 2, 28),
        "active": True,
        "state": "Open",
        "lines": [line("3", item), line("1", item), line("2", item, done=True)],
        "tiers": [{"step": "10", "share": Decimal("0.5000")}, {"step": "20", "share": None}],
    }
    return given | values
