"""A target in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

import pyarrow as pa

from accord.categories import Category
from accord.errors import InDoubt, Recovery, Unavailable
from accord.matching import normalized_code, normalized_name
from accord.objects.definition import BusinessObject, Owner, Reference, Unknown
from accord.ports import Safety, Sending
from accord.records import arrow_type, part_type, schema_of
from accord.systems.collapsing import collapse_text
from accord.systems.results import Outcome, applied, awaits_parent, results, unanswered
from tests.fakes.base import Fake

Record = dict[str, Any]


class Fault(StrEnum):
    """What one request meets instead of a normal answer."""

    DROP_BEFORE_COMMIT = "drop before commit"  # nothing took effect, no answer
    DROP_AFTER_COMMIT = "drop after commit"  # everything took effect, no answer
    LOCKED = "locked"  # every record of the request answers "locked"
    TABLES_LOCKED = "tables locked"  # the request as a whole lost against other work
    UNAVAILABLE = "unavailable"  # refused before anything was taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One record that took effect in a FakeTarget."""

    object: str
    key: str
    native: str
    created: bool
    fields: Mapping[str, Any]
    dispatch: int


@dataclass(slots=True, kw_only=True)
class FakeTarget(Fake):
    """A target in memory. `records[object][native]` is what it holds: the fields it keeps, `key` and `gone`.

    Switches: `faults` are met by the next requests, one each; `rejects` and `locks` by single keys for as long as they
    are set; `down` and `bad_login` by everything. `on_request` is called before each request takes effect (to wait, to
    count, to end the process): a slow target waits there for what the test chooses.
    """

    name: str = "fake"
    side: Owner = Owner.ERP
    lacks: frozenset[str] = frozenset()  # canonical names it has no place for
    supplies: frozenset[str] = frozenset()  # canonical names it fills in by itself
    request_size: int = 100
    longest_request: timedelta = timedelta(seconds=2)
    enforces_key: bool = True  # False: a target that lets a second one in, to see tests fail
    records: dict[str, dict[str, Record]] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)
    requests: int = 0
    faults: list[Fault] = field(default_factory=list)
    rejects: dict[str, Category] = field(default_factory=dict)
    locks: set[str] = field(default_factory=set)
    on_request: Callable[[], None] | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _last: int = 0

    # ------------------------------------------------------------------------------------------------ for tests
    def held(self, definition: BusinessObject, key: str) -> list[Record]:
        """Every record that carries `key`."""
        return [r for r in self.records.get(definition.name, {}).values() if r["key"] == key]

    def native(self, definition: BusinessObject, key: str) -> str | None:
        """The native id of the record with `key`."""
        return next((n for n, r in self.records.get(definition.name, {}).items() if r["key"] == key), None)

    def edit(self, definition: BusinessObject, native: str, **values: Any) -> None:
        """A user of the target changes a record."""
        self.records[definition.name][native].update(values)

    def adopt(self, definition: BusinessObject, **values: Any) -> str:
        """A record that was there before Accord: it has no key. Returns its native id."""
        with self._lock:
            return self._insert(definition, {"key": None, "gone": False} | values)

    # ---------------------------------------------------------------------------------------------- Target port
    def safety(self, definition: BusinessObject) -> Safety:
        return Safety.ENFORCED_KEY if self.side is Owner.ERP else Safety.FULL_SET_UPDATE

    def keeps(self, definition: BusinessObject) -> frozenset[str]:
        return frozenset(name for name, _ in _columns(definition)) - self.lacks

    def fills_in(self, definition: BusinessObject) -> frozenset[str]:
        return self.supplies

    def collapse(self, definition: BusinessObject, table: pa.Table) -> pa.Table:
        return collapse_text(definition, table)

    def find_matches(self, definition: BusinessObject, candidates: pa.Table) -> pa.Table:
        self.connect()
        found = []
        for candidate in self.collapse(definition, candidates).to_pylist():
            for native, record in self.records.get(definition.name, {}).items():
                if record["key"] == candidate["key"] or record["gone"]:
                    continue
                found += [
                    {"key": candidate["key"], "native": native, "rule": rule.name}
                    for rule in definition.duplicate_rules
                    if all(_identity(f, candidate.get(f)) not in ("", None) for f in rule.fields)
                    and all(_identity(f, candidate.get(f)) == _identity(f, record.get(f)) for f in rule.fields)
                    and not _apart(rule.unless_differ, candidate, record)
                ]
        return pa.Table.from_pylist(found, schema=pa.schema([(c, pa.string()) for c in ("key", "native", "rule")]))

    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        names = {name for name, _ in _columns(definition)}
        self._demand(self.missing & names)
        rows = self.collapse(definition, changes).to_pylist()
        outcomes: dict[str, Outcome] = {}
        for first in range(0, len(rows), self.request_size):
            request = rows[first : first + self.request_size]
            try:
                sending.before_request()
                self.connect()
                outcomes |= self._request(definition, request, sending.dispatch)
            except (Unavailable, InDoubt):
                if not outcomes:
                    raise  # nothing was sent
                for row in rows[first:]:
                    outcomes[row["key"]] = Outcome(
                        outcome=Recovery.RETRY,
                        native=row["native"],
                        category=Category.OUTAGE,
                        message="The system stopped answering.",
                    )
                break
        return results((row["key"], outcomes[row["key"]]) for row in rows)

    def unwritable(self, definition: BusinessObject) -> Mapping[str, str]:
        return {name: f"{definition.name}.{name}" for name in self.missing}

    def read_back(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        self.connect()
        rows = []
        with self._lock:
            held = self.records.get(definition.name, {})
            for ask in wanted.to_pylist():
                native = ask["native"] or self.native(definition, ask["key"])
                if native in held:
                    record = held[native]
                    kept = {name: value for name, value in record.items() if name in self.keeps(definition)}
                    rows.append({**kept, "key": ask["key"], "gone": record["gone"], "native": native})
        schema = schema_of(definition).append(pa.field("native", pa.string()))
        return pa.Table.from_pylist(rows, schema=schema)

    def census(self, definition: BusinessObject) -> Iterator[pa.Table]:
        self.connect()
        with self._lock:
            held = self.records.get(definition.name, {})
            rows = [{"key": r["key"], "native": n, "gone": r["gone"]} for n, r in held.items() if r["key"]]
        schema = pa.schema([("key", pa.string()), ("native", pa.string()), ("gone", pa.bool_())])
        for first in range(0, len(rows), self.request_size):
            yield pa.Table.from_pylist(rows[first : first + self.request_size], schema=schema)

    def remote_ended(self, remote: str) -> bool:
        return True

    # ---------------------------------------------------------------------------------------------------- inside
    def _request(self, definition: BusinessObject, request: list[Record], dispatch: int) -> dict[str, Outcome]:
        if self.on_request:
            self.on_request()
        with self._lock:
            self.requests += 1
            fault = self.faults.pop(0) if self.faults else None
            if fault is Fault.UNAVAILABLE:
                raise Unavailable(f"{self.name} can't be reached.", cure="Start it.")
            if fault is Fault.LOCKED:
                return {row["key"]: _locked(row["native"]) for row in request}
            if fault is Fault.TABLES_LOCKED:
                return {row["key"]: _crowded(row["native"]) for row in request}
            outcomes = (
                {}
                if fault is Fault.DROP_BEFORE_COMMIT
                else {r["key"]: self._apply(definition, r, dispatch) for r in request}
            )
        if fault in (Fault.DROP_BEFORE_COMMIT, Fault.DROP_AFTER_COMMIT):
            return {row["key"]: unanswered(row["native"]) for row in request}
        return outcomes

    def _apply(self, definition: BusinessObject, row: Record, dispatch: int) -> Outcome:
        key, native = row["key"], row["native"]
        if key in self.rejects:
            return Outcome(
                outcome=Recovery.REJECT, native=native, category=self.rejects[key], message="The record was refused."
            )
        if key in self.locks:
            return _locked(native)
        held = self.records.setdefault(definition.name, {})
        if native is None and self.enforces_key:
            native = self.native(definition, key)
        if native is not None and native not in held:
            return Outcome(
                outcome=Recovery.REJECT,
                native=native,
                category=Category.REFERENCE_UNKNOWN,
                message="The target no longer has the record.",
            )
        if row["gone"]:
            if native is not None and not held[native]["gone"]:
                held[native]["gone"] = True
                self.writes.append(
                    Write(object=definition.name, key=key, native=native, created=False, fields={}, dispatch=dispatch)
                )
            return applied(native)
        parent = row[definition.parent] if definition.parent else None
        if parent and not row[f"{definition.parent}__native"] and not self._parent_here(definition, parent):
            return awaits_parent(parent, native)
        if lacking := next(_unknown(definition, row), None):
            return awaits_parent(lacking, native)
        fields = {name: row[name] for name in self._writable(definition, creating=native is None)}
        created = native is None
        if native is None:
            native = self._insert(
                definition, dict.fromkeys(self.keeps(definition)) | fields | {"key": key, "gone": False}
            )
        else:
            held[native] |= fields | {"gone": False} | ({"key": key} if held[native]["key"] is None else {})
        self.writes.append(
            Write(object=definition.name, key=key, native=native, created=created, fields=fields, dispatch=dispatch)
        )
        return applied(native)

    def _parent_here(self, definition: BusinessObject, parent: str) -> bool:
        assert definition.parent
        reference = definition.field(definition.parent).type
        assert isinstance(reference, Reference)
        return any(r["key"] == parent for r in self.records.get(reference.object, {}).values())

    def _writable(self, definition: BusinessObject, *, creating: bool) -> frozenset[str]:
        sender = Owner.SALESFORCE if self.side is Owner.ERP else Owner.ERP
        return definition.sent_by(sender, creating=creating) & self.keeps(definition)

    def _insert(self, definition: BusinessObject, record: Record) -> str:
        self._last += 1
        native = f"F-{self._last}"
        self.records.setdefault(definition.name, {})[native] = record
        return native


def _columns(definition: BusinessObject) -> Iterator[tuple[str, pa.DataType]]:
    yield from ((f.name, arrow_type(f.type)) for f in definition.fields)
    yield from ((c.name, part_type(c)) for c in definition.constituents)


def _identity(name: str, value: Any) -> str:
    return normalized_name(value) if "name" in name else normalized_code(value)


def _locked(native: str | None) -> Outcome:
    return Outcome(
        outcome=Recovery.RETRY, native=native, category=Category.LOCKED, message="Another user holds the record."
    )


def _crowded(native: str | None) -> Outcome:
    return Outcome(
        outcome=Recovery.RETRY, native=native, category=Category.TABLES_LOCKED, message="Other work holds the tables."
    )


def _apart(field: str | None, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    values = {_identity(field, row.get(field)) for row in (one, other)} if field else set()
    return len(values - {"", None}) == 2


def _unknown(definition: BusinessObject, row: Record) -> Iterator[str]:
    """What the record may not go without, and is not here."""
    for path, kind in definition.references():
        constituent, _, name = path.rpartition(".")
        for part in row.get(constituent) or () if constituent else [row]:
            if part.get(name) and not part.get(f"{name}__native") and kind.unknown is not Unknown.OMIT:
                yield part[name]
