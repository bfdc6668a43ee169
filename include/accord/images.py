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

# what people call a record by: the first of these its definition has
_NUMBERS = ("number", "customer_number", "code")
# records that are no step of a transaction: who refers to them is not part of their life
_MASTER = frozenset({"product", "price_list"})

Image = dict[str, Any]

_AT_ONCE = 2_000  # rows that are Python objects at the same time
_JSON = json.JSONEncoder(default=str).encode

IMAGE = pa.schema(
    [("plain", pa.string()), ("personal", pa.string()), ("number", pa.string()), ("refs", pa.string())]
)  # `refs` as PostgreSQL writes an array


def field_path(path: str) -> str:
    """The definition's path of an image's: `addresses.city` of `addresses.bill_to.city`."""
    name, _, rest = path.partition(".")
    return f"{name}.{rest.rpartition('.')[2]}" if rest else name


def images(definition: BusinessObject, table: pa.Table, side: Owner, keeps: frozenset[str]) -> pa.Table:
    """The rows of `table` (canonical, with `native` where known) as IMAGE: the fields `side` sends and the target keeps; seeds only
    of records that are created."""
    always = definition.sent_by(side, creating=False) & keeps
    creating = definition.sent_by(side, creating=True) & keeps
    named = next((n for n in _NUMBERS if any(f.name == n for f in definition.fields)), None)
    fields, constituents = (
        _told(definition.fields, creating),
        [c for c in definition.constituents if c.name in creating],
    )
    parts = [(c.name, c.key, _told(c.fields)) for c in constituents]
    seeds = creating - always
    wanted = [n for n in table.column_names if n in creating or n in ("gone", "native", named)]

    def image(row: dict[str, Any]) -> dict[str, str | None]:
        plain: Image = {GONE: True} if row["gone"] else {}
        personal: Image = {}
        refs: list[str] = []
        if not row["gone"]:
            known = row.get("native") is not None
            for name, hidden, refers in fields:
                if (value := row[name]) is None or value == [] or (known and name in seeds):
                    continue
                (personal if hidden else plain)[name] = value
                if refers:
                    refs.append(value)
            for name, key, told in parts:
                if row[name]:
                    plain[name], hidden_parts = _parts(row[name], key, told, refs)
                    if hidden_parts:
                        personal[name] = hidden_parts
        return {
            "plain": _JSON(plain),
            "personal": _JSON(personal) if personal else "{}",
            "number": row.get(named) if named else None,
            "refs": "{" + ",".join(map(_JSON, dict.fromkeys(refs))) + "}" if refs else None,
        }

    # into Arrow page by page: a row of Python objects takes many times the memory it has there
    pages = table.select(wanted).to_batches(max_chunksize=_AT_ONCE)
    made = (pa.Table.from_pylist([image(row) for row in page.to_pylist()], schema=IMAGE) for page in pages)
    return pa.concat_tables([IMAGE.empty_table(), *made])


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


# name, whether it is personal, whether it refers to a record of the same life
_Told = tuple[tuple[str, bool, bool], ...]


def _told(fields: Iterable[Field], names: frozenset[str] | None = None) -> _Told:
    return tuple(
        (f.name, _personal(f), isinstance(f.type, Reference) and f.type.object not in _MASTER)
        for f in fields
        if names is None or f.name in names
    )


def _parts(parts: Iterable[Mapping[str, Any]], key_field: str, fields: _Told, refs: list[str]) -> tuple[Image, Image]:
    shown: Image = {}
    hidden: Image = {}
    for part in parts:
        key = str(part[key_field])
        while key in shown:  # the gate names parts that share a key; here none may be lost
            key += "'"
        shown[key] = {}
        of_persons: Image = {}
        for name, personal, refers in fields:
            if (value := part[name]) is None:
                continue
            (of_persons if personal else shown[key])[name] = value
            if refers:
                refs.append(value)
        if of_persons:
            hidden[key] = of_persons
    return shown, hidden


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
