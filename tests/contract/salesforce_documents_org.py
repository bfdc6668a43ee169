"""A local org with the objects of salesforce_documents, and what tests do with it.

The fixtures are imported by the test files that use them.
"""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from accord.objects.definition import BusinessObject
from accord.ports import Target
from accord.systems.salesforce import mappings
from accord.systems.salesforce.adapter import Salesforce
from tests.contract.salesforce_adapter import Company
from tests.contract.salesforce_documents import SETS, WRITINGS
from tests.fakes import FakeSending
from tests.salesforce_org import Org, start_org
from tests.tables import Row, by_key, changes, wanted

METADATA = Path(__file__).resolve().parents[2] / "include" / "salesforce_metadata"

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


@pytest.fixture(scope="module")
def everybody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    org = start_documents_org(tmp_path_factory.mktemp("org"))
    yield Company(org)
    org.stop()


@pytest.fixture
def company(everybody: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    for name, writing in WRITINGS.items():
        monkeypatch.setitem(mappings.WRITINGS, name, writing)
    yield everybody
    everybody.forget()


@pytest.fixture(params=[2000, 0], ids=["calls", "bulk"])
def salesforce(company: Company, request: pytest.FixtureRequest) -> Iterator[Salesforce]:
    adapter = company.open(bulk_threshold=request.param)
    yield adapter
    adapter.close()


def send(target: Target, definition: BusinessObject, *rows: Row) -> dict[str, dict[str, Any]]:
    return by_key(target.send(definition, changes(definition, rows), FakeSending()))


def held(target: Target, definition: BusinessObject, key: str, native: str | None = None) -> dict[str, Any]:
    return by_key(target.read_back(definition, wanted([(key, native)])))[key]


def an_item(company: Company, origin: str = "tryton") -> dict[str, str]:
    """A record whose canonical id is the ERP's, or, without a key, this org's."""
    if origin == "salesforce":
        native = company.admin.create("Test_Item__c", Title__c="Made by hand")
        return {"key": f"salesforce:{native}", "native": native}
    key = f"{origin}:{uuid.uuid4().hex[:12]}"
    return {"key": key, "native": company.admin.create("Test_Item__c", Title__c="An item", Key__c=key)}
