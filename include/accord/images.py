"""Images: a record as a target was told it, as JSON. A field is a key, absent where it is null; a constituent holds its parts by
their keys. Personal values are kept apart from the rest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from accord.objects.definition import (
    BusinessObject,
    Constituent,
    Day,
    Field,
    Instant,
    Money,
    Number,
    Owner,
    Reference,
    Sensitivity,
)
from accord.records import schema_of

GONE = "gone"  # of a record that was deactivated
MASK = "•••"

# what people call a record by: the first of these its definition has
_NUMBERS = ("number", "customer_number", "code")
# records that are no step of a transaction: who refers to them is not part of their life
_MASTER = frozenset({"product", "price_list"})

Image = dict[str, Any]

IMAGE = pa.schema(
    [("plain", pa.string()), ("personal", pa.string()), ("number", pa.string()), ("refs", pa.string())]
)  # `refs` as PostgreSQL writes an array


def is_personal(definition: BusinessObject, path: str) -> bool:
    """Whether a dotted path (field, or constituent.field) holds personal values."""
    name, _, rest = path.partition(".")
    if rest:
        return any(_personal(f) for f in definition.constituent(name).fields if f.name == rest.rsplit(".", 1)[-1])
    return name != GONE and _personal(definition.field(name))


def images(definition: BusinessObject, table: pa.Table, side: Owner, keeps: frozenset[str]) -> pa.Table:
    """The rows of `table` (canonical, with `native` where known) as IMAGE: the fields `side` sends and the target keeps; seeds only
    of records that are created."""
    always = definition.sent_by(side, creating=False) & keeps
    creating = definition.sent_by(side, creating=True) & keeps
    named = next((n for n in _NUMBERS if any(f.name == n for f in definition.fields)), None)
    rows: dict[str, list[str | None]] = {name: [] for name in IMAGE.names}
    wanted = [n for n in table.column_names if n in creating or n in ("gone", "native", named)]
    for row in table.select(wanted).to_pylist():
        names = always if row.get("native") else creating
        plain: Image = {GONE: True} if row["gone"] else {}
        personal: Image = {}
        refs: list[str] = []
        if not row["gone"]:
            for field in definition.fields:
                if field.name in names and (value := row[field.name]) is not None and value != []:
                    (personal if _personal(field) else plain)[field.name] = value
                    refs += _refers(field, value)
            for constituent in definition.constituents:
                if constituent.name in names and row[constituent.name]:
                    shown, hidden = _parts(constituent, row[constituent.name], refs)
                    plain[constituent.name] = shown
                    if any(hidden.values()):
                        personal[constituent.name] = hidden
        rows["plain"].append(json.dumps(plain, default=str))
        rows["personal"].append(json.dumps(personal, default=str))
        rows["number"].append(row.get(named) if named else None)
        rows["refs"].append("{" + ",".join(json.dumps(ref) for ref in dict.fromkeys(refs)) + "}" if refs else None)
    return pa.table(rows, schema=IMAGE)


def merged(plain: Mapping[str, Any], personal: Mapping[str, Any]) -> Image:
    """One image of both halves."""
    whole: Image = {}
    for half in (plain, personal):
        for name, value in half.items():
            if isinstance(value, dict) and isinstance(whole.get(name), dict):
                whole[name] = {key: whole[name].get(key, {}) | value.get(key, {}) for key in {**whole[name], **value}}
            else:
                whole[name] = value
    return whole


def canonical(definition: BusinessObject, rows: Mapping[str, Image]) -> pa.Table:
    """Images (by key) as a canonical table, without versions."""
    found = []
    for key, image in rows.items():
        row: dict[str, Any] = {"key": key, "gone": bool(image.get(GONE))}
        row |= {f.name: _value(f, image.get(f.name)) for f in definition.fields}
        for constituent in definition.constituents:
            parts = image.get(constituent.name)
            row[constituent.name] = (
                None
                if parts is None
                else [{f.name: _value(f, part.get(f.name)) for f in constituent.fields} for part in parts.values()]
            )
        found.append(row)
    return pa.Table.from_pylist(found, schema=schema_of(definition))


def leaves(image: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """(path, value) of every value of an image: `name`, `addresses.bill_to.city`."""
    for name, value in image.items():
        if isinstance(value, dict):
            for key, part in value.items():
                yield from ((f"{name}.{key}.{field}", v) for field, v in part.items())
        else:
            yield name, value


def field_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """(path, before, after) of every value that differs, in the order of paths."""
    old, new = dict(leaves(before)), dict(leaves(after))
    for path in sorted({**old, **new}):
        if old.get(path) != new.get(path):
            yield path, old.get(path), new.get(path)


def _parts(constituent: Constituent, parts: Iterable[Mapping[str, Any]], refs: list[str]) -> tuple[Image, Image]:
    shown: Image = {}
    hidden: Image = {}
    for part in parts:
        key = str(part[constituent.key])
        while key in shown:  # the gate names parts that share a key; here none may be lost
            key += "'"
        shown[key], hidden[key] = {}, {}
        for field in constituent.fields:
            if (value := part[field.name]) is not None:
                (hidden if _personal(field) else shown)[key][field.name] = value
                refs += _refers(field, value)
    return shown, hidden


def _refers(field: Field, value: Any) -> list[str]:
    return [value] if isinstance(field.type, Reference) and field.type.object not in _MASTER else []


def _personal(field: Field) -> bool:
    return field.sensitivity is Sensitivity.PERSONAL


def _value(field: Field, value: Any) -> Any:
    if value is None:
        return None
    match field.type:
        case Money() | Number():
            return Decimal(value)
        case Day():
            return date.fromisoformat(value)
        case Instant():
            return datetime.fromisoformat(value)
        case _:
            return value
