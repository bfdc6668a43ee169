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
NS = "{http://soap.sforce.com/2006/04/metadata}"


def test_there_are_fields() -> None:
    assert {path.parts[-3] for path in FIELDS} == {"Account", "ERP_Account__c"}


@pytest.mark.parametrize("path", FIELDS, ids=lambda path: f"{path.parts[-3]}.{path.name.split('.')[0]}")
def test_field_file(org: Org, path: Path) -> None:
    root = ElementTree.parse(path).getroot()  # noqa: S314 - our own files
    assert root.tag == NS + "CustomField"
    assert path.name == f"{root.findtext(NS + 'fullName')}.field-meta.xml"
    assert root.findtext(NS + "description")
    obj = org.schema.object(path.parts[-3])
    assert obj is not None
    assert obj.field(root.findtext(NS + "fullName") or "") is not None


def test_permission_set_names_only_what_exists_and_may_be_named(org: Org) -> None:
    [accord] = source_format.read_permission_sets(METADATA)
    assert accord["name"] == "Accord_Integration"
    for name, (read, edit) in accord["fields"].items():
        obj = org.schema.object(name.split(".")[0])
        field = obj.field(name.split(".")[1]) if obj else None
        assert field is not None, name
        # Salesforce refuses to deploy permissions on fields that everyone has, and edit without read or on roll-ups.
        assert not field.always_visible, name
        assert read, name
        assert not edit or (field.createable and field.summary is None), name
    for name, actions in accord["objects"].items():
        assert org.schema.object(name) is not None
        assert actions["read"]


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
