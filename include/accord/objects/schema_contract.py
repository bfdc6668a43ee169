"""The contract of a business object as JSON Schema (draft 2020-12), and what makes a change of it incompatible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accord.objects.definition import (
    BusinessObject,
    Choice,
    ChoiceSet,
    Day,
    Field,
    Flag,
    Instant,
    Money,
    Number,
    Reference,
    Text,
    Whole,
)

CANONICAL_ID = r"^[a-z0-9_]+:.+$"  # <origin system>:<native id>


def contract(definition: BusinessObject) -> dict[str, Any]:
    """The JSON Schema of a canonical record; every property says who owns it and how sensitive it is."""
    properties: dict[str, Any] = {
        "key": {"type": "string", "pattern": CANONICAL_ID, "description": "Canonical id."},
        "version": {"type": "string", "format": "date-time", "description": "Greatest modification instant, UTC."},
        "gone": {"type": "boolean", "description": "Deleted or merged away in its origin."},
        "merged_into": {"type": ["string", "null"], "pattern": CANONICAL_ID, "description": "Survivor of a merge."},
    }
    properties |= {field.name: _property(field) for field in definition.fields}
    for part in definition.constituents:
        properties[part.name] = {"type": "array", "description": part.meaning, "items": _object(part.fields)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": definition.name,
        "description": definition.meaning,
        "x-version": definition.version,
        "type": "object",
        "properties": properties,
        "required": ["key", "version", "gone", *(f.name for f in definition.fields if f.required)],
        "additionalProperties": False,
    }


def breaking_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What a reader of `old` records could no longer rely on in `new` ones, in words; [] when the change is compatible.

    Compatible are a new optional property and a longer text. A new value in a closed vocabulary is not: readers may not know it.
    """
    return _compare(old, new, at=str(new.get("title", "")))


def _compare(old: Mapping[str, Any], new: Mapping[str, Any], at: str) -> list[str]:
    found = []
    for name, before in old.get("properties", {}).items():
        after = new.get("properties", {}).get(name)
        place = f"{at}.{name}"
        if after is None:
            found.append(f"{place} was removed")
            continue
        for aspect in ("type", "format", "pattern", "x-owner", "enum", "x-digits", "x-scale"):
            if before.get(aspect) != after.get(aspect):
                found.append(f"{place} changed its {aspect.removeprefix('x-')}")
        if before.get("maxLength", 0) > after.get("maxLength", 0):
            found.append(f"{place} became shorter")
        if "items" in before:
            found += _compare(before["items"], after.get("items", {}), place)
    for name in sorted(set(new.get("required", ())) ^ set(old.get("required", ()))):
        found.append(f"{at}.{name} changed whether it is required")
    return found


def _object(fields: tuple[Field, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {field.name: _property(field) for field in fields},
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
    }


def _property(field: Field) -> dict[str, Any]:
    body = _type(field)
    if not field.required:
        body["type"] = [body["type"], "null"]
        if "enum" in body:
            body["enum"] = [*body["enum"], None]
    body |= {"description": field.meaning, "x-owner": field.owner.value, "x-sensitivity": field.sensitivity.value}
    if field.seeded_by:
        body["x-seeded-by"] = field.seeded_by.value
    return body


def _type(field: Field) -> dict[str, Any]:
    match field.type:
        case Text(limit=limit, pattern=pattern):
            return {"type": "string", "maxLength": limit} | ({"pattern": pattern} if pattern else {})
        case Choice(values=values):
            return {"type": "string", "enum": list(values)}
        case ChoiceSet(values=values):
            return {"type": "array", "items": {"enum": list(values)}, "uniqueItems": True}
        case Flag():
            return {"type": "boolean"}
        case Money(digits=digits, scale=scale, currency=currency):
            return {
                "type": "string",
                "format": "decimal",
                "x-digits": digits,
                "x-scale": scale,
                "x-currency-field": currency,
            }
        case Whole(least=least, most=most):
            return {"type": "integer"} | {k: v for k, v in (("minimum", least), ("maximum", most)) if v is not None}
        case Number(digits=digits, scale=scale):
            return {"type": "string", "format": "decimal", "x-digits": digits, "x-scale": scale}
        case Day():
            return {"type": "string", "format": "date"}
        case Instant():
            return {"type": "string", "format": "date-time"}
        case Reference(object=name):
            return {"type": "string", "pattern": CANONICAL_ID, "x-refers-to": name}
