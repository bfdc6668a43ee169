"""Values as they may be shown: what is personal or financial is told to be there, not what it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from accord.objects.definition import BusinessObject, Sensitivity

_SHOWN = frozenset({Sensitivity.PUBLIC, Sensitivity.INTERNAL})


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
    constituent, _, name = path.rpartition(".")
    if not constituent:
        return definition.field(name).sensitivity
    for field in definition.constituent(constituent).fields:
        if field.name == name:
            return field.sensitivity
    raise KeyError(f"{definition.name}.{constituent} has no field {name!r}")
