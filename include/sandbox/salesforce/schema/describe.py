"""Describe answers: the org's schema in Salesforce's shape, as far as the user may see it."""

from typing import Any

from sandbox.salesforce.schema.model import (
    NUMBER_TYPES,
    TEXT_TYPES,
    Field,
    FieldType,
    Object,
    OnDelete,
    Schema,
)
from sandbox.salesforce.schema.permissions import Actor

_SOAP = {
    FieldType.ID: "tns:ID",
    FieldType.REFERENCE: "tns:ID",
    FieldType.BOOLEAN: "xsd:boolean",
    FieldType.INT: "xsd:int",
    FieldType.DATE: "xsd:date",
    FieldType.DATETIME: "xsd:dateTime",
    FieldType.ADDRESS: "urn:address",
    FieldType.DOUBLE: "xsd:double",
    FieldType.CURRENCY: "xsd:double",
    FieldType.PERCENT: "xsd:double",
}


def _picklist(field: Field, labels: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "active": True,
            "defaultValue": value == field.default,
            "label": labels.get(value, value),
            "validFor": None,
            "value": value,
        }
        for value in field.values
    ]


def field(obj: Object, item: Field, actor: Actor, labels: dict[str, str]) -> dict[str, Any]:
    """Return the describe of one field; `labels` names picklist codes (countries, states)."""
    edits = actor.permissions.edits(obj, item) and not obj.read_only
    text, number = item.type in TEXT_TYPES, item.type in NUMBER_TYPES
    boolean = item.type is FieldType.BOOLEAN
    calculated = item.formula is not None or (item.summary is not None and not item.createable)
    default: Any = None
    if boolean:
        default = item.default == "true"
    elif item.default is not None and item.type is not FieldType.PICKLIST:
        default = item.default
    address = item.type is FieldType.ADDRESS
    # The parts of a person's name, where the object has people.
    named = obj.field("LastName") is not None and item.name in ("Name", "FirstName", "LastName", "Salutation")
    use_labels = item.name.endswith(("CountryCode", "StateCode"))
    return {
        "aggregatable": item.filterable and not boolean and item.type is not FieldType.MULTIPICKLIST,
        "aiPredictionField": False,
        "autoNumber": item.auto_number is not None,
        "byteLength": item.length * 3 if text else item.length,
        "calculated": calculated,
        "calculatedFormula": item.formula,
        "cascadeDelete": item.master_detail,
        "caseSensitive": item.case_sensitive,
        "compoundFieldName": item.compound or ("Name" if named and item.name != "Name" else None),
        "controllerName": item.name.replace("StateCode", "CountryCode") if item.name.endswith("StateCode") else None,
        "createable": item.createable and edits and not address,
        "custom": item.custom,
        "defaultValue": default,
        "defaultValueFormula": None,
        "defaultedOnCreate": item.default is not None
        or boolean
        or item.auto_number is not None
        or not (item.createable or item.name in ("MasterRecordId", "Name"))
        or item.name == "OwnerId",
        "dependentPicklist": item.name.endswith("StateCode"),
        "deprecatedAndHidden": False,
        "digits": item.precision if item.type is FieldType.INT else 0,
        "displayLocationInDecimal": False,
        "encrypted": False,
        "externalId": item.external_id,
        "extraTypeInfo": "personname" if named else "plaintextarea" if item.type is FieldType.TEXTAREA else None,
        "filterable": item.filterable or address,
        "filteredLookupInfo": None,
        "formulaTreatNullNumberAsZero": item.formula is not None and number and item.blank_as_zero,
        "groupable": item.filterable
        and item.type not in (FieldType.DATETIME, FieldType.MULTIPICKLIST)
        and not (number and item.type is not FieldType.INT),
        "highScaleNumber": False,
        "htmlFormatted": False,
        "idLookup": item.id_lookup,
        "inlineHelpText": item.help,
        "label": item.label,
        "length": item.length,
        "mask": None,
        "maskType": None,
        "name": item.name,
        "nameField": item.name == obj.name_field,
        "namePointing": item.polymorphic,
        "nillable": not (item.required or boolean or item.name == obj.name_field or item.name == "OwnerId"),
        "permissionable": not item.always_visible,
        "picklistValues": _picklist(item, labels if use_labels else {}),
        "polymorphicForeignKey": item.polymorphic,
        "precision": 0 if item.type is FieldType.INT else item.precision,
        "queryByDistance": address,
        "referenceTargetField": None,
        "referenceTo": list(item.reference_to),
        "relationshipName": item.relationship,
        "relationshipOrder": 0 if item.master_detail else None,
        "restrictedDelete": item.on_delete is OnDelete.RESTRICT and item.custom,
        "restrictedPicklist": item.restricted,
        "scale": item.scale,
        "searchPrefilterable": item.createable and item.reference_to not in ((), ("User",)),
        "soapType": _SOAP.get(item.type, "xsd:string"),
        "sortable": item.filterable and item.type is not FieldType.MULTIPICKLIST,
        "type": item.type.value,
        "unique": item.unique,
        "updateable": item.updateable and edits and item.type is not FieldType.ADDRESS,
        "writeRequiresMasterRead": False,
    }


def summary(obj: Object, actor: Actor, base: str) -> dict[str, Any]:
    """Return what the global describe says of an object; `base` is ``/services/data/vX``."""
    may = actor.permissions.allows
    url = f"{base}/sobjects/{obj.name}"
    return {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": may(obj, "create") and not obj.read_only,
        "custom": obj.custom,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": may(obj, "delete") and not obj.read_only,
        "deprecatedAndHidden": False,
        "feedEnabled": False,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": obj.prefix,
        "label": obj.label,
        "labelPlural": obj.plural,
        "layoutable": not obj.setup,
        "mergeable": obj.mergeable and may(obj, "edit"),
        "mruEnabled": not obj.setup,
        "name": obj.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": not obj.setup,
        "triggerable": not obj.setup,
        "undeletable": may(obj, "delete") and not obj.read_only,
        "updateable": may(obj, "edit") and not obj.read_only,
        "urls": {"rowTemplate": f"{url}/{{ID}}", "describe": f"{url}/describe", "sobject": url},
    }


def describe(schema: Schema, obj: Object, actor: Actor, base: str, labels: dict[str, str]) -> dict[str, Any]:
    """Return the describe of one object."""
    visible = [f for f in obj.fields.values() if actor.permissions.reads(obj, f)]
    result = summary(obj, actor, base)
    result |= {
        "actionOverrides": [],
        "compactLayoutable": True,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [
            {
                "active": True,
                "available": True,
                "defaultRecordTypeMapping": True,
                "developerName": "Master",
                "master": True,
                "name": "Master",
                "recordTypeId": "012000000000000AAA",
                "urls": {"layout": f"{base}/sobjects/{obj.name}/describe/layouts/012000000000000AAA"},
            }
        ],
        "searchLayoutable": True,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {obj.plural.lower()}", "name": "everything"}],
        "childRelationships": [
            {
                "cascadeDelete": c.field.on_delete is OnDelete.CASCADE,
                "childSObject": c.object.name,
                "deprecatedAndHidden": False,
                "field": c.field.name,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
                "relationshipName": c.field.child_relationship,
                "restrictedDelete": c.field.on_delete is OnDelete.RESTRICT
                and c.field.createable
                and c.field.name != "OwnerId",
            }
            for c in schema.children(obj)
            if actor.permissions.allows(c.object, "read") and actor.permissions.reads(c.object, c.field)
        ],
        "fields": [field(obj, f, actor, labels) for f in visible],
    }
    result["urls"]["uiDetailTemplate"] = "/{ID}"
    return result
