"""Objects with parts, for tests of the Salesforce adapter only: their definitions, mappings, and an org that has them.

A document has lines (details of it), tiers (which know its key only) and refers to a customer and an item of the ERP;
account_notes stands for what is written onto records that are there already, parts included; a price needs a standard
price first.
"""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
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
from tests.salesforce_org import Org, start_org

METADATA = Path(__file__).resolve().parents[2] / "include" / "salesforce_metadata"
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

_KEY = "<type>Text</type><length>80</length><externalId>true</externalId><unique>true</unique><caseSensitive>true</caseSensitive>"
_FIELDS: Mapping[str, Mapping[str, str]] = {
    "Test_Item__c": {"Key__c": _KEY, "Title__c": "<type>Text</type><length>80</length>"},
    "Test_Document__c": {
        "Key__c": _KEY,
        "Account__c": "<type>Lookup</type><referenceTo>Account</referenceTo><relationshipName>Test_Documents</relationshipName>",
        "Item__c": "<type>Lookup</type><referenceTo>Test_Item__c</referenceTo><relationshipName>Test_Documents</relationshipName>",
        "Note__c": "<type>Text</type><length>255</length>",
        "Colours__c": "<type>MultiselectPicklist</type><valueSet><restricted>true</restricted><valueSetDefinition>"
        + "".join(
            f"<value><fullName>{v}</fullName><default>false</default></value>" for v in sorted(SETS, reverse=True)
        )
        + "</valueSetDefinition></valueSet>",
        "Total__c": "<type>Currency</type><precision>18</precision><scale>2</scale>",
        "Rate__c": "<type>Number</type><precision>18</precision><scale>4</scale>",
        "Share__c": "<type>Percent</type><precision>18</precision><scale>2</scale>",
        "Signed_At__c": "<type>DateTime</type>",
        "Day__c": "<type>Date</type>",
        "Active__c": "<type>Checkbox</type>",
        "State__c": "<type>Text</type><length>20</length>",
    },
    "Test_Line__c": {
        "Key__c": _KEY,
        "Document__c": "<type>MasterDetail</type><referenceTo>Test_Document__c</referenceTo>"
        "<relationshipName>Lines</relationshipName><relationshipOrder>0</relationshipOrder>",
        "Item__c": "<type>Lookup</type><referenceTo>Test_Item__c</referenceTo><relationshipName>Lines</relationshipName>",
        "Substitute__c": "<type>Lookup</type><referenceTo>Test_Item__c</referenceTo><relationshipName>Others</relationshipName>",
        "Quantity__c": "<type>Number</type><precision>18</precision><scale>4</scale>",
        "Unit_Price__c": "<type>Currency</type><precision>18</precision><scale>4</scale>",
        "Text__c": "<type>Text</type><length>80</length>",
        "Done__c": "<type>Checkbox</type>",
    },
    "Test_Tier__c": {
        "Key__c": _KEY,
        "Document_Key__c": "<type>Text</type><length>80</length><externalId>true</externalId>",
        "Account__c": "<type>Lookup</type><referenceTo>Account</referenceTo><relationshipName>Test_Tiers</relationshipName>",
        "Share__c": "<type>Number</type><precision>18</precision><scale>4</scale>",
    },
    "Contact": {
        "Test_Title__c": "<type>Text</type><length>80</length>",
        "Test_Silent__c": "<type>Checkbox</type>",
    },
    "PricebookEntry": {"Key__c": _KEY},
}
_MORE_RIGHTS = {  # on standard fields; name → editable
    "PricebookEntry": ("Pricebook2Id", "Product2Id", "UnitPrice", "IsActive"),
    "Pricebook2": ("Name", "IsActive", "IsStandard"),
    "Product2": ("Name",),
}
_HEAD, _SPACE = '<?xml version="1.0" encoding="UTF-8"?>', 'xmlns="http://soap.sforce.com/2006/04/metadata"'


def write_metadata(folder: Path) -> Path:
    """The repository's Salesforce project with the objects of these tests."""
    shutil.copytree(METADATA, folder)
    base = folder / "force-app" / "main" / "default"
    rights, actions = [], []
    for sobject, fields in _FIELDS.items():
        place = base / "objects" / sobject / "fields"
        place.mkdir(parents=True, exist_ok=True)
        if sobject.endswith("__c"):
            (place.parent / f"{sobject}.object-meta.xml").write_text(
                f"{_HEAD}<CustomObject {_SPACE}><label>{sobject}</label><pluralLabel>{sobject}</pluralLabel><nameField>"
                "<label>Number</label><type>AutoNumber</type><displayFormat>T-{000000}</displayFormat></nameField></CustomObject>"
            )
        for name, body in fields.items():
            text = f"{_HEAD}<CustomField {_SPACE}><fullName>{name}</fullName><label>{name}</label>{body}</CustomField>"
            (place / f"{name}.field-meta.xml").write_text(text)
            if "MasterDetail" not in body:
                rights.append(f"{sobject}.{name}")
    rights += [f"{sobject}.{name}" for sobject, names in _MORE_RIGHTS.items() for name in names]
    for sobject in dict.fromkeys((*_FIELDS, *_MORE_RIGHTS)):
        actions.append(
            f"<objectPermissions><object>{sobject}</object>"
            + "".join(f"<allow{a}>true</allow{a}>" for a in ("Create", "Read", "Edit", "Delete"))
            + "</objectPermissions>"
        )
    allowed = "".join(
        f"<fieldPermissions><field>{f}</field><readable>true</readable><editable>true</editable></fieldPermissions>"
        for f in rights
    )
    (base / "permissionsets" / "Test.permissionset-meta.xml").write_text(
        f"{_HEAD}<PermissionSet {_SPACE}><label>Test</label>{allowed}{''.join(actions)}</PermissionSet>"
    )
    return folder


def start_documents_org(folder: Path) -> Org:
    """A running org with these objects and a standard price book."""
    org = start_org(folder / "org", metadata=write_metadata(folder / "metadata"))
    admin = org.session(admin=True)
    if not admin.soql("SELECT Id FROM Pricebook2 WHERE IsStandard = true"):
        book = admin.create("Pricebook2", Name="Standard Price Book", IsActive=True)
        org.stop()
        with sqlite3.connect(folder / "org" / "org.sqlite") as db:  # what no user can say
            db.execute("UPDATE Pricebook2 SET IsStandard = 1 WHERE Id = ?", (book,))
        db.close()
        org.start()
    return org


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
