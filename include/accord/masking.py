"""Values as they may be shown: what is personal or financial is told to be there, not what it is."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from accord.objects.definition import BusinessObject, Choice, ChoiceSet, Field, FieldType, Reference, Sensitivity, Text

_SHOWN = frozenset({Sensitivity.PUBLIC, Sensitivity.INTERNAL})
_RECORD_ID = re.compile(r"[a-z_]+:[A-Za-z0-9][A-Za-z0-9/_.,-]{0,80}")


def masked(definition: BusinessObject, path: str, value: Any) -> Any:
    """`value` of the field at the dotted `path` (a constituent's field: `lines.quantity`) as it may be shown; null stays null."""
    if value is None or sensitivity(definition, path) in _SHOWN:
        return value
    return f"({sensitivity(definition, path).value})"


def shown(definition: BusinessObject, record: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The fields and constituents `names` of a record as they may be shown: path → value, parts named by their key; what is null or
    empty is left out."""
    found: dict[str, Any] = {}
    for field in definition.fields:
        if field.name in names and record[field.name] not in (None, []):
            found[field.name] = masked(definition, field.name, record[field.name])
    for constituent in definition.constituents:
        for part in (record[constituent.name] or ()) if constituent.name in names else ():
            for field in constituent.fields:
                if part[field.name] not in (None, []):
                    path = f"{constituent.name}[{part[constituent.key]}].{field.name}"
                    found[path] = masked(definition, f"{constituent.name}.{field.name}", part[field.name])
    return found


def sensitivity(definition: BusinessObject, path: str) -> Sensitivity:
    """The sensitivity of the field at `path`. Raises KeyError when there is none."""
    return _field(definition, path).sensitivity


def _field(definition: BusinessObject, path: str) -> Field:
    constituent, _, name = path.rpartition(".")
    if not constituent:
        return definition.field(name)
    for field in definition.constituent(constituent).fields:
        if field.name == name:
            return field
    raise KeyError(f"{definition.name}.{constituent} has no field {name!r}")


def outline(definition: BusinessObject, path: str, value: Any) -> str:
    """What the value at `path` is like, fit for any reader: reports leave the company's walls by mail and print.

    Only values nobody can write a person into are told as they are: numbers, days, flags, ids of records and words of a closed
    vocabulary that are neither personal nor financial. Of everything else, and of a path the definition does not know, that it is
    there and how long it is.
    """
    if value is None:
        return "(empty)"
    if any(one.name == path for one in definition.constituents):
        return f"({len(value)} part{'' if len(value) == 1 else 's'})"
    try:
        field = _field(definition, path)
    except KeyError:
        return "(filled in)"
    if field.sensitivity in _SHOWN and _says_nothing_of_anybody(field.type, value):
        return ", ".join(value) if isinstance(value, list) else str(value)
    word = "text" if field.sensitivity in _SHOWN else field.sensitivity.value
    return f"({word}, {len(value)} characters)" if isinstance(value, str) else f"({word})"


def _says_nothing_of_anybody(kind: FieldType, value: Any) -> bool:
    match kind:
        case Choice(values=values):
            return value in values
        case ChoiceSet(values=values):
            return all(one in values for one in value)
        case Reference():
            return _RECORD_ID.fullmatch(value) is not None
        case Text():
            return False
    return True
