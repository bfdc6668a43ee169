"""Canonical tables and changes from plain rows, for tests of every layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from accord.objects.definition import BusinessObject, Reference
from accord.records import conform, schema_of

EARLY = datetime(2026, 1, 1, tzinfo=UTC)

Row = Mapping[str, Any]


def canonical(definition: BusinessObject, rows: Iterable[Row]) -> pa.Table:
    """A canonical table of `rows`; what a row leaves out is null, `version` and `read_at` are EARLY, `gone` false."""
    defaults: dict[str, Any] = {"version": EARLY, "read_at": EARLY, "gone": False}
    return pa.Table.from_pylist([defaults | dict(row) for row in rows], schema=schema_of(definition))


def references(definition: BusinessObject) -> tuple[str, ...]:
    """Names of the reference fields of the root."""
    return tuple(field.name for field in definition.fields if isinstance(field.type, Reference))


def changes(definition: BusinessObject, rows: Sequence[Row]) -> pa.Table:
    """`rows` as `Target.send` takes them: a row may carry `native`, `depth` (else 0) and `<reference>__native`, and so
    may a part."""
    table = canonical(definition, [{k: v for k, v in row.items() if k in schema_of(definition).names} for row in rows])
    for name in ("native", *(f"{reference}__native" for reference in references(definition))):
        table = table.append_column(name, pa.array([row.get(name) for row in rows], pa.string()))
    for constituent in definition.constituents:
        names = [f"{field.name}__native" for field in constituent.fields if isinstance(field.type, Reference)]
        if names:
            members = [*table.schema.field(constituent.name).type.value_type, *((name, pa.string()) for name in names)]
            parts = pa.array([row.get(constituent.name) for row in rows], pa.list_(pa.struct(members)))
            table = table.set_column(table.column_names.index(constituent.name), constituent.name, parts)
    return table.append_column("depth", pa.array([row.get("depth", 0) for row in rows], pa.int32()))


def wanted(rows: Iterable[tuple[str, str | None]]) -> pa.Table:
    """(key, native) pairs as `Target.read_back` takes them."""
    pairs = list(rows)
    return pa.table(
        {"key": pa.array([k for k, _ in pairs], pa.string()), "native": pa.array([n for _, n in pairs], pa.string())}
    )


def by_key(table: pa.Table) -> dict[str, dict[str, Any]]:
    """The table's rows by their key. Fails on a key that comes twice."""
    rows = table.to_pylist()
    found = {row["key"]: row for row in rows}
    assert len(found) == len(rows), "a key comes twice"
    return found


def canonical_part(definition: BusinessObject, table: pa.Table) -> pa.Table:
    """Only the canonical columns of `table`."""
    return conform(definition, table)
