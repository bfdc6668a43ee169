"""The metadata folder: complete, consistent, and read in full by the local org."""

import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sandbox.salesforce.org import Org, Settings
from sandbox.salesforce.schema import source_format
from sandbox.salesforce.schema.model import FieldType, OnDelete

METADATA = Path(__file__).resolve().parents[3] / "include" / "salesforce_metadata"
FIELDS = sorted(METADATA.glob("force-app/main/default/objects/*/fields/*.field-meta.xml"))
LINE_STATUS = {
    "ERP_Status__c",
    "Promised_Date__c",
    "Shipped_Quantity__c",
    "Back_Ordered_Quantity__c",
    "Invoiced_Quantity__c",
}
ORDER_STATUS = {
    "ERP_Order_Number__c",
    "ERP_Status__c",
    "ERP_Reason__c",
    "Promised_Date__c",
    "Booked_Date__c",
    "ERP_Total__c",
    "ERP_Tax__c",
    "ERP_Sync_Status__c",
    "ERP_Error__c",
}
NS = "{http://soap.sforce.com/2006/04/metadata}"


def test_there_is_what_quote_to_cash_needs() -> None:
    standard = {"Account", "Contract", "Opportunity", "Order", "OrderItem", "Pricebook2", "PricebookEntry", "Product2"}
    catalogue = {"ERP_Price_Tier__c", "Product_Availability__c", "Product_Component__c"}
    contracts = {"Billing_Schedule__c", "Contract_Line__c"}
    documents = {"ERP_Account__c", "ERP_Credit_Memo__c", "ERP_Invoice__c", "ERP_Payment__c", "ERP_Shipment__c"}
    lines = {"ERP_Credit_Memo_Line__c", "ERP_Invoice_Line__c", "ERP_Payment_Application__c", "ERP_Shipment_Line__c"}
    assert {path.parts[-3] for path in FIELDS} == standard | catalogue | contracts | documents | lines


def test_field_files(org: Org) -> None:
    for path in FIELDS:
        root = ElementTree.parse(path).getroot()  # noqa: S314 - our own files
        assert root.tag == NS + "CustomField", path
        assert path.name == f"{root.findtext(NS + 'fullName')}.field-meta.xml"
        assert root.findtext(NS + "description"), path
        obj = org.schema.object(path.parts[-3])
        assert obj is not None, path
        assert obj.field(root.findtext(NS + "fullName") or "") is not None, path


def test_custom_objects_have_a_key_and_closed_picklists(org: Org) -> None:
    custom = [obj for obj in org.schema.objects.values() if obj.custom]
    for obj in custom:
        key = obj.fields["key__c"]
        assert (key.length, key.external_id, key.unique, key.case_sensitive) == (80, True, True, True), obj.name
        picklists = [f for f in obj.fields.values() if f.custom and f.type is FieldType.PICKLIST]
        assert all(field.restricted for field in picklists), obj.name
        # A child relationship is named once per parent: two of a name could not be told apart in a query.
        names = [child.field.child_relationship for child in org.schema.children(obj) if child.field.child_relationship]
        assert len(set(names)) == len(names), obj.name
    assert len(custom) == 14


@pytest.mark.parametrize("name", ["Account.Legal_Entities__c", "Product2.Legal_Entities__c", "Order.Legal_Entity__c"])
def test_legal_entities(org: Org, name: str) -> None:
    obj, field = name.split(".")
    found = org.schema.objects[obj.lower()].fields[field.lower()]
    assert found.values == ("NL01", "GB01", "US01")


def test_permission_set_names_only_what_exists_and_may_be_named(org: Org) -> None:
    [accord] = source_format.read_permission_sets(METADATA)
    assert accord["name"] == "Accord_Integration"
    for name, (read, edit) in accord["fields"].items():
        obj = org.schema.object(name.split(".")[0])
        field = obj.field(name.split(".")[1]) if obj else None
        assert field is not None, name
        # Salesforce refuses to deploy permissions on fields that everyone has, and edit without read or on roll-ups
        # (an opportunity's amount is one only while it has products).
        assert not field.always_visible, name
        assert read, name
        assert not edit or (field.createable and (field.summary is None or name == "Opportunity.Amount")), name
    for name, actions in accord["objects"].items():
        assert org.schema.object(name) is not None
        assert actions["read"]
        # Order products, opportunity products and prices have no object permissions of their own.
        assert org.schema.objects[name.lower()].rights is None
    assert {"ActivateOrder", "EditActivatedOrders"} <= accord["user"]


def test_permission_set_covers_every_custom_field(org: Org) -> None:
    [accord] = source_format.read_permission_sets(METADATA)
    fields = {f"{o.name}.{f.name}" for o in org.schema.objects.values() for f in o.fields.values() if f.custom}
    hidden = {name for name in fields - set(accord["fields"]) if not _visible(org, name)}
    assert hidden == set()
    editable = {name for name, (_, edit) in accord["fields"].items() if edit and name.startswith("Order")}
    assert editable == {f"Order.{name}" for name in ORDER_STATUS} | {f"OrderItem.{name}" for name in LINE_STATUS}


def _visible(org: Org, name: str) -> bool:
    obj, field = name.split(".")
    return org.schema.objects[obj.lower()].fields[field.lower()].always_visible


def test_customer_account_is_a_detail_found_by_its_key(org: Org) -> None:
    obj = org.schema.object("ERP_Account__c")
    assert obj is not None
    key, account = obj.fields["key__c"], obj.fields["account__c"]
    assert (key.external_id, key.unique, key.case_sensitive) == (True, True, True)
    assert (account.master_detail, account.on_delete, account.type) == (True, OnDelete.CASCADE, FieldType.REFERENCE)
    assert account.child_relationship == "ERP_Accounts__r"


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("Key__c", "<type>Text</type>", "<type>Location</type>", "not covered"),
        (
            "ERP_System__c",
            "</CustomField>",
            "<defaultValue>TODAY()</defaultValue></CustomField>",
            "formulas are not covered",
        ),
        ("Account__c", "<referenceTo>Account", "<referenceTo>Nothing", "refers to Nothing"),
    ],
)
def test_what_the_org_cannot_do_is_refused_by_name(tmp_path: Path, name: str, old: str, new: str, message: str) -> None:
    root = shutil.copytree(METADATA, tmp_path / "metadata")
    path = root / f"force-app/main/default/objects/ERP_Account__c/fields/{name}.field-meta.xml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        Org(Settings(data=tmp_path / "org.sqlite", metadata=root))
