"""Edited records: values somebody set by hand take the place of the source's, as long as that says what it said then.

An edit is a path and a JSON value: `currency`, or `lines[salesforce:8021].quantity` for a part, by the key of the part.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from accord.errors import Stop
from accord.flows import origins
from accord.hub.connection import Hub
from accord.hub.edits import Edit, supersede
from accord.objects.definition import (
    BusinessObject,
    Choice,
    ChoiceSet,
    Constituent,
    Field,
    Flag,
    Owner,
    Reference,
    Text,
    Whole,
)
from accord.records import arrow_type

log = logging.getLogger(__name__)

_PART = re.compile(r"^(?P<constituent>\w+)\[(?P<key>[^\]]+)\]\.(?P<field>\w+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an edit applies: a field of the record, or of one of its parts."""

    field: Field
    constituent: Constituent | None = None
    part: str | None = None

    @property
    def path(self) -> str:
        """The dotted path of the field, as definitions and masking know it."""
        return f"{self.constituent.name}.{self.field.name}" if self.constituent else self.field.name


def place_of(definition: BusinessObject, side: Owner, path: str) -> Place:
    """The place `path` names. Raises Stop for a field that is not there, not `side`'s to say, or not to be edited."""
    found = _PART.match(path)
    try:
        if found:
            constituent = definition.constituent(found["constituent"])
            field = next((f for f in constituent.fields if f.name == found["field"]), None)
            if field is None:
                raise KeyError(f"{definition.name}.{constituent.name} has no field {found['field']!r}")
            place = Place(field=field, constituent=constituent, part=found["key"])
        else:
            place = Place(field=definition.field(path))
    except KeyError as error:
        raise Stop(
            f"{error.args[0]}.", cure="Write field=value, or constituent[key of the part].field=value."
        ) from None
    if side not in (place.field.owner, place.field.seeded_by):
        raise Stop(
            f"{path} belongs to {place.field.owner}: {side} can't say it.", cure=f"Change it in {place.field.owner}."
        )
    if place.constituent and place.field.name == place.constituent.key:
        raise Stop(f"{path} says which part it is.", cure="Add or remove parts in the source.")
    if definition.scope and not place.constituent and place.field.name == definition.scope.field:
        raise Stop(f"{path} decides whether the {definition.name} travels at all.", cure="Change it in the source.")
    return place


def checked(place: Place, text: str | None) -> Any:
    """`text` as the JSON value that is kept for the field; None empties it. Raises Stop where the definition does not allow it; the
    message does not repeat the value."""
    field, kind = place.field, place.field.type
    if text is None:
        if field.required:
            raise Stop(f"{place.path} is required.", cure="Give it a value.")
        return None
    why = None
    if isinstance(kind, ChoiceSet):
        values = sorted({part.strip() for part in text.split(",") if part.strip()})
        if set(values) - set(kind.values):
            why = f"holds more than {', '.join(kind.values)}"
        return _or_stop(place, values, why)
    if isinstance(kind, Flag):
        if text not in ("true", "false"):
            why = "is true or false"
        return _or_stop(place, text == "true", why)
    if isinstance(kind, Choice) and text not in kind.values:
        why = f"is one of {', '.join(kind.values)}"
    elif isinstance(kind, Text):
        if len(text) > kind.limit:
            why = f"has at most {kind.limit} characters"
        elif kind.pattern and not re.search(kind.pattern, text):
            why = f"must match {kind.pattern}"
    elif isinstance(kind, Reference):
        systems = origins(kind.object)
        if text.partition(":")[0] not in systems or not text.partition(":")[2]:
            why = f"is a canonical id: {' or '.join(f'{name}:…' for name in sorted(systems))}"
    else:
        try:
            number = value_of(field, text)
        except pa.ArrowInvalid:
            why = f"is a {type(kind).__name__.lower()}"
        else:
            if isinstance(kind, Whole) and not (kind.least or number) <= number <= (kind.most or number):
                why = "is out of its bounds"
    return _or_stop(place, text, why)


def _or_stop(place: Place, value: Any, why: str | None) -> Any:
    if why:
        raise Stop(f"The value given for {place.path} does not fit.", cure=f"{place.path} {why}.")
    return value


def value_of(field: Field, kept: Any) -> Any:
    """The canonical value of what is kept for a field. Raises pyarrow.ArrowInvalid where it is none."""
    kind = arrow_type(field.type)
    if kept is None or isinstance(kept, bool | list) or pa.types.is_string(kind):
        return kept
    return pa.array([kept]).cast(kind)[0].as_py()


def apply_edits(
    hub: Hub, definition: BusinessObject, table: pa.Table, edits: Mapping[str, Edit], *, dry: bool
) -> pa.Table | None:
    """The rows of `table` (canonical, with `said`) that `edits` are in force for, edited; None when there are none. Edits a later
    reading has overtaken are forgotten, unless `dry`."""
    rows = table.filter(pc.is_in(table["key"], value_set=pa.array(sorted(edits), pa.string())))
    edited: list[dict[str, Any]] = []
    overtaken: dict[str, Edit] = {}
    for row in rows.to_pylist():
        edit = edits[row["key"]]
        if row["said"] == edit.said:
            edited.append(edited_row(definition, row, edit))
        elif row["read_at"] > edit.read_at:
            overtaken[row["key"]] = edit
    if overtaken and not dry:
        supersede(hub, definition.name, overtaken)
        log.info(
            "%d edit(s) of %s records superseded: the source says something else now", len(overtaken), definition.name
        )
    return pa.Table.from_pylist(edited, schema=table.schema) if edited else None


def edited_row(definition: BusinessObject, row: Mapping[str, Any], edit: Edit) -> dict[str, Any]:
    """`row` with the values of `edit`; what could not be converted there is no problem any more. The edit was checked when it was
    made: a part the source has no more would have changed what it says."""
    out = dict(row)
    mended = set()
    for path, kept in edit.fields.items():
        found = _PART.match(path)
        if not found:
            out[path] = value_of(definition.field(path), kept)
            mended.add(path)
            continue
        constituent = definition.constituent(found["constituent"])
        field = next(f for f in constituent.fields if f.name == found["field"])
        out[constituent.name] = [
            {**part, field.name: value_of(field, kept)} if part[constituent.key] == found["key"] else part
            for part in out[constituent.name] or ()
        ]
        if all(part[field.name] is not None for part in out[constituent.name]):  # a line names the field, not the part
            mended.add(f"{constituent.name}.{field.name}")
    out["problems"] = [line for line in out["problems"] or () if line.partition(":")[0] not in mended] or None
    return out
