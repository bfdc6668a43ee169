"""A source in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from accord.objects.definition import BusinessObject, Owner
from accord.ports import Selection, Sink
from accord.records import arrow_type, schema_of
from tests.fakes.base import Fake

Record = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class FakeSource(Fake):
    """A source in memory. `put` says what a record is now.

    Money, flags and numbers are staged as text, as real systems give them, so a value that does not convert becomes a
    line in `problems`. Switches: `down`, `bad_login`, `drifted`, `on_extract` (called before the first row is written).
    """

    name: str = "source"
    side: Owner = Owner.SALESFORCE
    records: dict[str, dict[str, Record]] = field(default_factory=dict)
    now: datetime = datetime(2026, 6, 1, tzinfo=UTC)
    page: int = 100
    on_extract: Callable[[], None] | None = None
    lent: dict[str, datetime] = field(default_factory=dict)  # native → when a record it shows values of was changed
    keys: dict[str, str] = field(default_factory=dict)  # native → canonical id of records that are another system's

    # ------------------------------------------------------------------------------------------------ for tests
    def put(self, definition: BusinessObject, native: str, *, at: datetime, **values: Any) -> str:
        """The record `native` is now `values` (canonical names; `gone`, `merged_into` too). Returns its key."""
        self.records.setdefault(definition.name, {})[native] = (
            {"gone": False, "merged_into": None} | values | {"modified": at}
        )
        return f"{self.name}:{native}"

    def touch(self, definition: BusinessObject, native: str, *, at: datetime, **values: Any) -> None:
        """Change some values of a record."""
        self.records[definition.name][native] |= values | {"modified": at}

    def purge(self, definition: BusinessObject, key: str) -> None:
        """Take the record away without a trace, as an emptied recycle bin does."""
        del self.records[definition.name][key.split(":", 1)[1]]

    # ---------------------------------------------------------------------------------------------- Source port
    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        self.connect()
        self._demand(self.missing - selection.without)
        read_at = self.now
        records = self.records.get(definition.name, {})
        # what is told of another system's record is asked for by that record's key
        chosen = {n: r for n, r in records.items() if _selected(selection, self.keys.get(n, n), r)}
        sink.expect(len(chosen))
        if self.on_extract:
            self.on_extract()
        natives = list(chosen)
        for first in range(0, len(natives), self.page):
            page = natives[first : first + self.page]
            columns = [c for c in _root_columns(definition) if c not in selection.without]
            roots = [{"id": n} | {c: _staged(chosen[n].get(c)) for c in columns} for n in page]
            sink.write(definition.name, pa.Table.from_pylist(roots, schema=_root_schema(definition)), "id")
            for constituent in definition.constituents:
                if constituent.name in selection.without:
                    continue
                parts = [
                    {"root": n} | {f.name: _staged(part.get(f.name)) for f in constituent.fields}
                    for n in page
                    for part in chosen[n].get(constituent.name) or ()
                ]
                if parts:
                    schema = pa.schema([("root", pa.string()), *((f.name, pa.string()) for f in constituent.fields)])
                    sink.write(constituent.name, pa.Table.from_pylist(parts, schema=schema), "root")
        return read_at

    def unreadable(self, definition: BusinessObject) -> Mapping[str, str]:
        return {name: f"{definition.name}.{name}" for name in self.missing}

    def affected(self, definition: BusinessObject, natives: Sequence[str], selection: Selection) -> tuple[str, ...]:
        return tuple(n for n in natives if n in self.lent and _selected(selection, n, {"modified": self.lent[n]}))

    def roots(self, definition: BusinessObject) -> tuple[str, ...]:
        return (definition.name,)

    def required_columns(self, definition: BusinessObject) -> Mapping[str, Mapping[str, pa.DataType]]:
        columns = {definition.name: {f.name: f.type for f in _root_schema(definition)}}
        for constituent in definition.constituents:
            columns[constituent.name] = {"root": pa.string(), **{f.name: pa.string() for f in constituent.fields}}
        return columns

    def to_canonical(self, definition: BusinessObject, staged: Mapping[str, pa.Table], read_at: datetime) -> pa.Table:
        parts: dict[tuple[str, str], list[Record]] = {}
        for constituent in definition.constituents:
            for row in staged[constituent.name].to_pylist() if constituent.name in staged else ():
                parts.setdefault((constituent.name, row.pop("root")), []).append(row)
        rows = []
        for row in staged[definition.name].to_pylist():
            out: Record = {
                "key": self.keys.get(row["id"], f"{self.name}:{row['id']}"),
                "read_at": read_at,
                "version": row["modified"],
                "problems": [],
            }
            out |= {"gone": row["gone"] == "true", "merged_into": row["merged_into"]}
            for f in definition.fields:
                out[f.name] = _converted(f.name, row[f.name], arrow_type(f.type), out["problems"])
            for c in definition.constituents:
                kinds = {f.name: arrow_type(f.type) for f in c.fields}
                out[c.name] = [
                    {
                        name: _converted(f"{c.name}.{name}", part[name], kind, out["problems"])
                        for name, kind in kinds.items()
                    }
                    for part in parts.get((c.name, row["id"]), ())
                ] or None
            rows.append(out)
        schema = schema_of(definition).append(pa.field("problems", pa.list_(pa.string())))
        return pa.Table.from_pylist(rows, schema=schema)

    def native_of(self, definition: BusinessObject, key: str) -> str:
        origin, _, native = key.partition(":")
        return native if origin == self.name else key


def _root_columns(definition: BusinessObject) -> tuple[str, ...]:
    return ("modified", "gone", "merged_into", *(f.name for f in definition.fields))


def _root_schema(definition: BusinessObject) -> pa.Schema:
    kinds = {"modified": pa.timestamp("us", tz="UTC")}
    return pa.schema([("id", pa.string()), *((c, kinds.get(c, pa.string())) for c in _root_columns(definition))])


def _selected(selection: Selection, native: str, record: Record) -> bool:
    if selection.natives is not None:
        return native in selection.natives
    at = record["modified"]
    return (selection.since is None or at >= selection.since) and (selection.until is None or at < selection.until)


def _staged(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | set | frozenset):
        return ";".join(sorted(value))
    return value if value is None or isinstance(value, datetime) else str(value)


def _converted(name: str, text: str | None, kind: pa.DataType, problems: list[str]) -> Any:
    if text is None or pa.types.is_string(kind):
        return text
    if pa.types.is_list(kind):
        return sorted(text.split(";")) if text else None
    try:
        return pa.array([text]).cast(kind)[0].as_py()
    except pa.ArrowInvalid:
        problems.append(f"{name}: not a value of its type")
        return None
