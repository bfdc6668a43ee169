"""What is read out of an ERP, in one shape derived from the object's definition: its staged rows, and canonical records from them.

A root is one row of the part named like the object: `native` (or, where it tells of a record elsewhere, that record's canonical
id), `modified` (ISO 8601, UTC: the last change of the root or of
anything that belongs to it), `gone`, and one column per field that is read. Each constituent that is read is a part of its own
name, `root` naming the root it belongs to. Everything is text, null where there is nothing: amounts in plain decimal notation,
flags `true`/`false` (or `t`/`f`), days and instants in ISO 8601, sets of choices as "A;B". A reference is the referenced
record's native id in the same ERP, or a canonical id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import BusinessObject
from accord.ports import Selection, Sink
from accord.records import INSTANT, conform, part_type
from accord.systems.collapsing import flat
from accord.systems.converting import Converter, prefixed
from accord.systems.nesting import nested

_SYSTEM = ("native", "modified", "gone")
_ROOT = "\0"  # no field's name
Row = Mapping[str, Any]


def columns(definition: BusinessObject, not_read: frozenset[str]) -> dict[str, dict[str, pa.DataType]]:
    """part → column → type of a staged chunk, the root's first; `not_read` are fields and constituents that are not staged."""
    parts = {definition.name: [*_SYSTEM, *(f.name for f in definition.fields if f.name not in not_read)]}
    parts |= {
        one.name: ["root", *(f.name for f in one.fields)] for one in definition.constituents if one.name not in not_read
    }
    return {part: dict.fromkeys(names, pa.string()) for part, names in parts.items()}


def write(
    sink: Sink, definition: BusinessObject, not_read: frozenset[str], rows: Iterable[Row], selection: Selection
) -> None:
    """Write whole roots, given as plain values: `native`, `modified`, `gone`, the fields, and per constituent a list of rows.

    Those whose last change is not in the window are left out: they belong to another one.
    """
    roots = [row for row in rows if selection.natives is not None or inside(selection, row["modified"])]
    for part, types in columns(definition, not_read).items():
        found = roots
        if part != definition.name:
            found = [{"root": root["native"], **one} for root in roots for one in root[part] or ()]
        texts = {name: pa.array([_text(row.get(name)) for row in found], pa.string()) for name in types}
        if found:
            sink.write(part, pa.table(texts), "native" if part == definition.name else "root")


def inside(selection: Selection, at: datetime) -> bool:
    """Whether a change at that instant is in the window."""
    return (selection.since is None or at >= selection.since) and (selection.until is None or at < selection.until)


def canonical(
    system: str, definition: BusinessObject, not_read: frozenset[str], staged: Mapping[str, pa.Table], read_at: datetime
) -> pa.Table:
    """The staged chunk as a canonical table with the column `problems`, one row per root row; what is not read is null."""
    roots, types = staged[definition.name], columns(definition, not_read)
    convert = Converter(system, roots.num_rows)
    natives = flat(roots["native"])
    table = {
        "key": prefixed(system, natives),
        "version": convert.instant("version", flat(roots["modified"])),
        "read_at": pa.repeat(pa.scalar(read_at, INSTANT), roots.num_rows),
        "gone": pc.fill_null(convert.flag("gone", flat(roots["gone"])), False),
    }
    for field in definition.fields:
        if field.name not in not_read:
            table[field.name] = convert.field(field.name, field.type, roots[field.name])
    distinct = natives.unique()
    places = pc.index_in(natives, value_set=distinct)
    for constituent in definition.constituents:
        if constituent.name in not_read:
            continue
        parts = staged.get(constituent.name)
        if parts is None:  # no root of the chunk has one
            parts = pa.schema(list(types[constituent.name].items())).empty_table()
        check = Converter(system, parts.num_rows)
        values = {
            f.name: check.field(f"{constituent.name}.{f.name}", f.type, parts[f.name]) for f in constituent.fields
        }
        convert.adopt(check, pc.index_in(flat(parts["root"]), value_set=distinct), places)
        lists = nested(
            distinct, pa.table({**values, _ROOT: parts["root"]}), part_type(constituent), root=_ROOT, empty=True
        )
        table[constituent.name] = lists.take(places)
    return conform(definition, pa.table(table)).append_column("problems", convert.problems())


def _text(value: Any) -> str | None:
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.astimezone(UTC).isoformat()
        case list() | tuple() | set() | frozenset():
            return ";".join(sorted(value))
        case _:
            return str(value)  # a whole number, a day
