"""One record as it is now: what the source says, what would be sent, and what the targets hold. Nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from accord.errors import AccordError
from accord.flows import Flow
from accord.hub.edits import Edit, edits_of
from accord.objects import business_object
from accord.pipeline.editing import edited_row
from accord.pipeline.identify import identify
from accord.pipeline.route import belongs
from accord.pipeline.transform import canonical_of, prepared, with_said
from accord.ports import Selection
from accord.records import conform
from accord.runtime import Accord

Row = Mapping[str, Any]


@dataclass(slots=True)
class _InMemory:
    """A sink for a single record."""

    parts: dict[str, list[pa.Table]] = field(default_factory=dict)

    def expect(self, roots: int) -> None:
        """There is room."""

    def write(self, part: str, rows: pa.Table, root: str, beside: pa.Array | None = None) -> None:
        """Keep them."""
        self.parts.setdefault(part, []).append(rows)


def read_now(accord: Accord, flow: Flow, key: str) -> pa.Table | None:
    """The record `key` as its source has it now: one canonical row with its problems and `said`, references as the source has them;
    None when the source has none. Raises what the source raises."""
    source, definition = accord.source(flow.source), business_object(flow.object)
    sink = _InMemory()
    read_at = source.extract(definition, Selection(natives=(source.native_of(definition, key),)), sink)
    parts = {name: pa.concat_tables(tables) for name, tables in sink.parts.items()}
    if not parts:
        return None
    for name, columns in source.required_columns(definition).items():
        parts.setdefault(name, pa.schema(list(columns.items())).empty_table())
    named = identify(accord.hub, definition, flow.source, canonical_of(source, definition, parts, read_at), dry=True)
    table = with_said(source, definition, named)
    return table if table.num_rows else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """One field: what a target holds, and what would be sent. `path` names a part by its key."""

    path: str
    field: str
    before: Any
    after: Any


def sides(accord: Accord, flow: Flow, key: str, target: str = "") -> dict[str, list[Sides] | str]:
    """target → what it holds of the record `key` beside what would be sent to it now, field by field, only what it keeps and the source
    may write; edits in force are applied. A text where that can't be told, and why."""
    definition = business_object(flow.object)
    try:
        table = read_now(accord, flow, key)
    except AccordError as error:
        return {flow.source: str(error)}
    if table is None:
        return {flow.source: "The source no longer has the record."}
    (row,) = table.to_pylist()[:1]
    edit = edits_of(accord.hub, flow.object, key).get(key)
    if edit is not None and edit.said == row["said"]:
        row = edited_row(definition, row, edit)
    ready = prepared(accord.hub, definition, pa.Table.from_pylist([row], schema=table.schema), flow.source)
    found: dict[str, list[Sides] | str] = {}
    for name in flow.targets:
        if (target and name != target) or not belongs(definition, ready, name)[0].as_py():
            continue
        try:
            found[name] = list(_sides(accord, flow, name, ready))
        except AccordError as error:
            found[name] = str(error)
    return found


def _sides(accord: Accord, flow: Flow, name: str, ready: pa.Table) -> Iterator[Sides]:
    definition, target = business_object(flow.object), accord.target(name)
    stream = accord.hub.stream(name, flow.object)
    key = ready["key"][0].as_py()
    with accord.hub.session() as session:
        link = session.execute("SELECT native, hash FROM link WHERE stream = %s AND key = %s", (stream, key)).fetchone()
    wanted = pa.table({"key": [key], "native": pa.array([link["native"] if link else None], pa.string())})
    held = target.read_back(definition, wanted).to_pylist()
    before = held[0] if held else {}
    after = target.collapse(definition, conform(definition, ready)).to_pylist()[0]
    names = target.keeps(definition) & definition.sent_by(accord.system(flow.source).side, creating=not held)
    for one in definition.fields:
        if one.name in names:
            yield Sides(path=one.name, field=one.name, before=before.get(one.name), after=after[one.name])
    for constituent in definition.constituents:
        if constituent.name not in names:
            continue
        parts = [_by_key(side.get(constituent.name), constituent.key) for side in (before, after)]
        for part in dict.fromkeys([*parts[0], *parts[1]]):
            for one in constituent.fields:
                yield Sides(
                    path=f"{constituent.name}[{part}].{one.name}",
                    field=f"{constituent.name}.{one.name}",
                    before=parts[0].get(part, {}).get(one.name),
                    after=parts[1].get(part, {}).get(one.name),
                )


def _by_key(parts: list[Row] | None, key: str) -> dict[str, Row]:
    return {part[key]: part for part in parts or ()}


def make_edit(table: pa.Table, fields: Mapping[str, Any]) -> Edit:
    """An edit of the record `table` (see `read_now`) that sets `fields`."""
    (row,) = table.select(["said", "read_at"]).to_pylist()[:1]
    return Edit(said=row["said"], read_at=row["read_at"], fields=dict(fields))
