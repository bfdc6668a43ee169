"""References as a system has them become canonical ids: through the links of the objects they name, following merges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from accord.flows import origins
from accord.hub.connection import Hub
from accord.objects.definition import BusinessObject, Field, Reference, Unknown
from accord.systems.collapsing import flat
from accord.systems.nesting import with_part_column

# what resolving adds to a canonical table on its way to the comparison
UNRESOLVED = "unresolved"  # references no link knows, with what they name
OUT_OF_SCOPE = "out_of_scope"  # what it cannot be without is gone for good, or not known and not missed

UNRESOLVED_TYPE = pa.list_(
    pa.struct(
        [
            ("path", pa.string()),  # the reference's dotted path
            ("object", pa.string()),  # what it refers to
            ("awaits", pa.string()),  # <system>:<native> as the source has it
            ("unknown", pa.string()),  # an accord.objects.definition.Unknown value
        ]
    )
)

References = list[list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Found:
    """What the hub knows of a reference: the canonical id of the record or of its survivor, and whether it is gone for good."""

    key: str
    gone: bool


def resolve(hub: Hub, definition: BusinessObject, table: pa.Table) -> pa.Table:
    """`table` with canonical ids in every reference field, constituents' ones included, and the columns UNRESOLVED and
    OUT_OF_SCOPE. A reference no link knows becomes null."""
    unresolved: References = [[] for _ in range(table.num_rows)]
    out_of_scope = _outside(definition, table)
    for field in definition.fields:
        if isinstance(field.type, Reference):
            values = flat(table[field.name])
            known = _known(hub, field.type, values)
            for row, value in enumerate(values.to_pylist() if known is not None else ()):
                _note(row, value, field.name, field.type, known or {}, unresolved, out_of_scope)
            table = _with(table, field.name, _replaced(values, known))
    for constituent in definition.constituents:
        for field in constituent.fields:
            if isinstance(field.type, Reference):
                table = _resolve_part(hub, table, constituent.name, field, unresolved)
    return table.append_column(UNRESOLVED, pa.array(unresolved, UNRESOLVED_TYPE)).append_column(
        OUT_OF_SCOPE, pa.array(out_of_scope, pa.bool_())
    )


def _outside(definition: BusinessObject, table: pa.Table) -> list[bool]:
    """Per record, whether it does not travel as it stands; one without the deciding value is the gate's matter."""
    if definition.scope is None:
        return [False] * table.num_rows
    travelling = {*definition.scope.travels, *definition.scope.ends, None}
    return [value not in travelling for value in table[definition.scope.field].to_pylist()]


def _resolve_part(hub: Hub, table: pa.Table, constituent: str, field: Field, unresolved: References) -> pa.Table:
    lists = flat(table[constituent])
    parts = pc.list_flatten(lists)
    values = pc.struct_field(parts, field.name)
    kind = field.type
    known = _known(hub, kind, values) if isinstance(kind, Reference) else None
    if known is None or not isinstance(kind, Reference):
        return table
    rows = pc.list_parent_indices(lists).to_pylist()
    for row, value in zip(rows, values.to_pylist(), strict=True):
        # a part whose record is gone still names it: the root is not out of scope for that
        _note(row, value, f"{constituent}.{field.name}", kind, known, unresolved, None)
    return _with(table, constituent, with_part_column(lists, field.name, _replaced(values, known)))


def _note(
    row: int,
    value: str | None,
    path: str,
    kind: Reference,
    known: Mapping[str, Found | None],
    unresolved: References,
    out_of_scope: list[bool] | None,
) -> None:
    """Remember what the reference `value` of a row means for the row."""
    if value is None or value not in known:
        return
    found = known[value]
    if found is None:
        unresolved[row].append({"path": path, "object": kind.object, "awaits": value, "unknown": kind.unknown.value})
    if out_of_scope is not None and kind.unknown is not Unknown.OMIT:
        out_of_scope[row] |= found.gone if found else kind.unknown is Unknown.EXCLUDE


def _known(hub: Hub, kind: Reference, values: pa.Array) -> dict[str, Found | None] | None:
    """Foreign reference → what the hub knows of it; None when no value is foreign."""
    prefixes = tuple(f"{system}:" for system in origins(kind.object))
    foreign = [v for v in pc.unique(values).to_pylist() if v and not v.startswith(prefixes)]
    if not foreign:
        return None
    links = _links(hub, kind.object, foreign)
    return {value: links.get(value) for value in foreign}


def _replaced(values: pa.Array, known: Mapping[str, Found | None] | None) -> pa.Array:
    if known is None:
        return values
    place = pc.index_in(values, value_set=pa.array(list(known), pa.string()))
    keys = pa.array([found.key if found else None for found in known.values()], pa.string())
    return pc.if_else(pc.is_valid(place), keys.take(place), values)


def _with(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)


def _links(hub: Hub, object_name: str, references: Iterable[str]) -> dict[str, Found]:
    """reference (<system>:<native>) → what the links of the object say of it."""
    with hub.session() as session:
        rows = session.execute(
            """WITH RECURSIVE wanted AS (
                 SELECT r AS reference, split_part(r, ':', 1) AS system, substr(r, strpos(r, ':') + 1) AS native
                 FROM unnest(%(wanted)s::text[]) AS r),
               found AS (
                 SELECT w.reference, l.stream, l.key, l.deleted, l.merged_into, 0 AS step
                 FROM wanted w JOIN stream s ON s.target = w.system AND s.object = %(object)s
                 JOIN link l ON l.stream = s.id AND l.native = w.native AND l.hash IS NOT NULL
                 UNION ALL
                 SELECT f.reference, f.stream, f.merged_into, coalesce(l.deleted, false), l.merged_into, f.step + 1
                 FROM found f LEFT JOIN link l ON l.stream = f.stream AND l.key = f.merged_into
                 WHERE f.merged_into IS NOT NULL AND f.step < 20)
               SELECT DISTINCT ON (reference) reference, key, deleted AND merged_into IS NULL AS gone
               FROM found ORDER BY reference, step DESC""",
            {"wanted": sorted(references), "object": object_name},
        ).fetchall()
    return {row["reference"]: Found(row["key"], bool(row["gone"])) for row in rows}
