"""Reads metadata in Salesforce's source format: custom objects, fields, standard value sets, permission sets.

The folder is an ordinary Salesforce project (``sfdx-project.json`` at its root), the same that is deployed to a real org.
"""

import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from sandbox.salesforce import ids
from sandbox.salesforce.schema.model import (
    Field,
    FieldType,
    Object,
    OnDelete,
    StandardValue,
    Summary,
    SummaryFilter,
)
from sandbox.salesforce.schema.source_rules import duplicate_rules, validations
from sandbox.salesforce.schema.source_xml import NS, MetadataError, package_folders, text, tree, true
from sandbox.salesforce.schema.standard import system_fields

_TYPES = {
    "Text": FieldType.STRING,
    "TextArea": FieldType.TEXTAREA,
    "LongTextArea": FieldType.TEXTAREA,
    "Picklist": FieldType.PICKLIST,
    "MultiselectPicklist": FieldType.MULTIPICKLIST,
    "Checkbox": FieldType.BOOLEAN,
    "Number": FieldType.DOUBLE,
    "Currency": FieldType.CURRENCY,
    "Percent": FieldType.PERCENT,
    "Date": FieldType.DATE,
    "DateTime": FieldType.DATETIME,
    "Email": FieldType.EMAIL,
    "Phone": FieldType.PHONE,
    "Url": FieldType.URL,
    "Lookup": FieldType.REFERENCE,
    "MasterDetail": FieldType.REFERENCE,
    "AutoNumber": FieldType.STRING,
    "Summary": FieldType.DOUBLE,
}
_LENGTHS = {
    "TextArea": 255,
    "Email": 80,
    "Phone": 40,
    "Url": 255,
    "Picklist": 255,
    "MultiselectPicklist": 4099,
    "Lookup": 18,
    "MasterDetail": 18,
    "AutoNumber": 30,
}


def _summary(node: ElementTree.Element, path: Path) -> Summary:
    via = text(node, "summaryForeignKey")
    if "." not in via:
        raise MetadataError(f"{path}: summaryForeignKey must be Child.Field")
    child, via = via.split(".", 1)
    filters = tuple(
        SummaryFilter(
            field=text(item, "field").split(".")[-1], operation=text(item, "operation"), value=text(item, "value")
        )
        for item in node.findall(NS + "summaryFilterItems")
    )
    return Summary(
        operation=text(node, "summaryOperation"),
        child=child,
        via=via,
        filters=filters,
        field=text(node, "summarizedField").split(".")[-1] or None,
    )


def read_field(path: Path) -> Field:
    """Return the custom field a `.field-meta.xml` file defines."""
    node = tree(path)
    kind, name = text(node, "type"), text(node, "fullName")
    formula = text(node, "formula") or None
    if kind not in _TYPES:
        raise MetadataError(f"{path}: fields of type {kind or '(none)'} are not covered by the local org")
    values: list[str] = []
    default = text(node, "defaultValue") or None
    restricted = False
    value_set = node.find(NS + "valueSet")
    if value_set is not None:
        restricted = true(value_set, "restricted")
        for value in value_set.iter(NS + "value"):
            values.append(text(value, "fullName"))
            if true(value, "default"):
                default = text(value, "fullName")
    if kind == "Checkbox" and not formula:
        default = default or "false"
    elif default and kind not in ("Picklist", "MultiselectPicklist"):
        if not (default[:1] == default[-1:] == '"' or default.replace(".", "", 1).lstrip("-").isdigit()):
            raise MetadataError(f"{path}: default values that are formulas are not covered by the local org")
        default = default.strip('"')
    detail = kind == "MasterDetail"
    relationship = text(node, "relationshipName")
    computed = kind in ("Summary", "AutoNumber") or formula is not None
    precision, scale = int(text(node, "precision", "18")), int(text(node, "scale", "0"))
    return Field(
        name=name,
        label=text(node, "label", name),
        type=_TYPES[kind],
        length=int(text(node, "length", "0")) or (1300 if formula and kind == "Text" else _LENGTHS.get(kind, 0)),
        precision=precision if kind in ("Number", "Currency", "Percent", "Summary") else 0,
        scale=scale if kind in ("Number", "Currency", "Percent", "Summary") else 0,
        required=true(node, "required") or detail,
        unique=true(node, "unique"),
        case_sensitive=true(node, "caseSensitive"),
        external_id=true(node, "externalId"),
        createable=not computed,
        updateable=not computed and (not detail or true(node, "reparentableMasterDetail")),
        always_visible=true(node, "required") or detail,
        custom=True,
        reference_to=(text(node, "referenceTo"),) if kind in ("Lookup", "MasterDetail") else (),
        relationship=name.removesuffix("__c") + "__r" if kind in ("Lookup", "MasterDetail") else None,
        child_relationship=relationship + "__r" if relationship else None,
        on_delete=OnDelete.CASCADE if detail else OnDelete(text(node, "deleteConstraint", "SetNull")),
        master_detail=detail,
        values=tuple(values),
        restricted=restricted,
        default=default,
        auto_number=text(node, "displayFormat") or None if kind == "AutoNumber" else None,
        summary=_summary(node, path) if kind == "Summary" else None,
        formula=formula,
        blank_as_zero=text(node, "formulaTreatBlanksAs", "BlankAsZero") == "BlankAsZero",
        help=text(node, "inlineHelpText") or None,
    )


def _prefix(name: str, taken: set[str]) -> str:
    # From the name, so that adding an object does not change the others' ids.
    number = zlib.crc32(name.encode()) % 3844
    while True:
        prefix = "a" + ids.DIGITS[number // 62] + ids.DIGITS[number % 62]
        if prefix not in taken:
            return prefix
        number = (number + 1) % 3844


def _custom_object(folder: Path, fields: list[Field], currencies: tuple[str, ...], taken: set[str]) -> Object:
    path = folder / f"{folder.name}.object-meta.xml"
    if not path.is_file():
        raise MetadataError(f"{folder}: {path.name} is missing, and {folder.name} is no standard object")
    node = tree(path)
    naming = node.find(NS + "nameField")
    if naming is None:
        raise MetadataError(f"{path}: a custom object needs a nameField")
    auto = text(naming, "type") == "AutoNumber"
    name = Field(
        name="Name",
        label=text(naming, "label"),
        type=FieldType.STRING,
        length=80,
        required=not auto,
        createable=not auto,
        updateable=not auto,
        always_visible=True,
        auto_number=text(naming, "displayFormat") if auto else None,
    )
    detail = any(field.master_detail for field in fields)
    system = list(system_fields(currencies=currencies, owner=not detail))
    every = [*system[:2], name, *system[2:], *fields]
    return Object(
        name=folder.name,
        label=text(node, "label"),
        plural=text(node, "pluralLabel"),
        prefix=_prefix(folder.name, taken),
        fields={f.name.lower(): f for f in every},
        name_field="Name",
        custom=True,
        validations=validations(folder),
    )


def _value_sets(package: Path) -> dict[str, tuple[StandardValue, ...]]:
    return {
        path.name.split(".")[0]: tuple(
            StandardValue(
                name=text(item, "fullName"),
                category=text(item, "groupingString") or None,
                probability=float(text(item, "probability")) if text(item, "probability") else None,
                closed=true(item, "closed"),
                won=true(item, "won"),
            )
            for item in tree(path).findall(NS + "standardValue")
        )
        for path in sorted((package / "standardValueSets").glob("*.standardValueSet-meta.xml"))
    }


def _with_values(obj: Object, sets: dict[str, tuple[StandardValue, ...]]) -> Object:
    changed = {
        key: replace(field, values=tuple(v.name for v in found), standard_values=found)
        for key, field in obj.fields.items()
        if (found := sets.get(field.value_set or ""))
    }
    return replace(obj, fields={**obj.fields, **changed}) if changed else obj


def apply(objects: list[Object], root: Path, currencies: tuple[str, ...]) -> list[Object]:
    """Return the standard objects with the project's custom fields and picklist values, and its custom objects.

    Raises:
        MetadataError: The project holds something the local org does not cover.
    """
    result = {o.name: o for o in objects}
    for package in package_folders(root):
        sets = _value_sets(package)
        result = {name: _with_values(obj, sets) for name, obj in result.items()}
        for folder in sorted(path for path in (package / "objects").glob("*") if path.is_dir()):
            fields = [read_field(path) for path in sorted((folder / "fields").glob("*.field-meta.xml"))]
            standard = result.get(folder.name)
            if standard is not None:
                more = {field.name.lower(): field for field in fields}
                rules = (*standard.validations, *validations(folder))
                result[folder.name] = replace(standard, fields={**standard.fields, **more}, validations=rules)
            else:
                taken = {o.prefix for o in result.values()}
                result[folder.name] = _custom_object(folder, fields, currencies, taken)
        for name, rules_of in duplicate_rules(package).items():
            if name not in result:
                raise MetadataError(f"{package}: there are duplicate rules for {name}, which does not exist")
            result[name] = replace(result[name], duplicates=(*result[name].duplicates, *rules_of))
    return list(result.values())


def read_permission_sets(root: Path) -> list[dict[str, Any]]:
    """Return the project's permission sets: objects, fields and user permissions, as plain dictionaries."""
    sets: list[dict[str, Any]] = []
    for package in package_folders(root):
        for path in sorted((package / "permissionsets").glob("*.permissionset-meta.xml")):
            node = tree(path)
            sets.append(
                {
                    "name": path.name.split(".")[0],
                    "label": text(node, "label"),
                    "objects": {
                        text(item, "object"): {
                            key: true(item, tag)
                            for key, tag in (
                                ("create", "allowCreate"),
                                ("read", "allowRead"),
                                ("edit", "allowEdit"),
                                ("delete", "allowDelete"),
                            )
                        }
                        for item in node.findall(NS + "objectPermissions")
                    },
                    "fields": {
                        text(item, "field"): (true(item, "readable"), true(item, "editable"))
                        for item in node.findall(NS + "fieldPermissions")
                    },
                    "user": {
                        text(item, "name") for item in node.findall(NS + "userPermissions") if true(item, "enabled")
                    },
                }
            )
    return sets
