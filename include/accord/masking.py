"""Values as they may be shown: what is personal or financial is told to be there, not what it is."""

from __future__ import annotations

from typing import Any

from accord.objects.definition import BusinessObject, Sensitivity

_SHOWN = frozenset({Sensitivity.PUBLIC, Sensitivity.INTERNAL})


def masked(definition: BusinessObject, path: str, value: Any) -> Any:
    """`value` of the field at the dotted `path` (a constituent's field: `lines.quantity`) as it may be shown; null stays null."""
    if value is None or sensitivity(definition, path) in _SHOWN:
        return value
    return f"({sensitivity(definition, path).value})"


def sensitivity(definition: BusinessObject, path: str) -> Sensitivity:
    """The sensitivity of the field at `path`. Raises KeyError when there is none."""
    constituent, _, name = path.rpartition(".")
    if not constituent:
        return definition.field(name).sensitivity
    for field in definition.constituent(constituent).fields:
        if field.name == name:
            return field.sensitivity
    raise KeyError(f"{definition.name}.{constituent} has no field {name!r}")
