"""The kinds of rules a standard object may have; `standard_rules.py` says which object has which.

A rule looks at one record that is about to be saved: it completes the record, or refuses it in Salesforce's words.
"""
# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters

import calendar
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Protocol

from sandbox.salesforce.records.drafts import Draft
from sandbox.salesforce.schema.model import Object
from sandbox.salesforce.schema.permissions import Actor
from sandbox.salesforce.store import Store


@dataclass(slots=True, kw_only=True)
class Saved:
    """A block of records of one object being saved: where rules look things up."""

    store: Store
    db: sqlite3.Connection
    actor: Actor
    obj: Object
    stamp: str
    parents: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    seen: set[tuple[Any, ...]] = field(default_factory=set)

    def load(self, vias: Iterable[str], records: Sequence["Record"]) -> None:
        """Read the parents that rules look at, all records' at once."""
        for via in vias:
            wanted = sorted({record[via] for record in records if record[via]})
            target = self.store.schema.object(self.obj.fields[via.lower()].reference_to[0])
            self.parents[via] = self.store.rows(self.db, target, wanted) if target and wanted else {}

    def has_children(self, child: str, via: str, record: str) -> bool:
        """Return whether a record has live children."""
        sql = f'SELECT 1 FROM "{child}" WHERE "{via}" = ? AND IsDeleted = 0 LIMIT 1'
        return self.db.execute(sql, (record,)).fetchone() is not None


@dataclass(slots=True, kw_only=True)
class Record:
    """One record being saved: its new values over its stored ones."""

    draft: Draft
    old: dict[str, Any]
    saved: Saved

    @property
    def new(self) -> bool:
        """Whether the record is being created."""
        return self.draft.id is None

    def __getitem__(self, name: str) -> Any:
        """Return the value the field will have."""
        return self.draft.values.get(name, self.old.get(name))

    def set(self, name: str, value: Any) -> None:
        """Give a field a value."""
        if value != self.old.get(name) or self.new:
            self.draft.values[name] = value

    def changes(self, name: str) -> bool:
        """Return whether the field gets another value than it had."""
        return name in self.draft.values and bool(self.draft.values[name] != self.old.get(name))

    def parent(self, via: str) -> dict[str, Any]:
        """Return the stored parent a field points to, or an empty record."""
        return self.saved.parents[via].get(self[via] or "", {})

    def refuse(self, code: str, message: str, *fields: str) -> None:
        """Note why the record can't be saved."""
        self.draft.refuse(code, message, *fields)


class Rule(Protocol):
    """What all rules have: the references they look through, and what they do."""

    @property
    def vias(self) -> tuple[str, ...]:
        """Return the reference fields whose parents the rule reads."""

    def apply(self, record: Record) -> None:
        """Complete or refuse one record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """On create, fields take their values from a parent: `fields` are (own, parent's) pairs."""

    via: str
    fields: tuple[tuple[str, str], ...]

    @property
    def vias(self) -> tuple[str, ...]:
        return (self.via,)

    def apply(self, record: Record) -> None:
        if record.new:
            for own, source in self.fields:
                record.set(own, record.parent(self.via).get(source))


@dataclass(frozen=True, slots=True, kw_only=True)
class Agree:
    """On create, two parents must have the same value: of `source` via `via`, and of `target` via `other`.

    With `adopt`, a parent without a value takes the other's.
    """

    via: str
    source: str
    other: str
    target: str
    message: str
    adopt: bool = False

    @property
    def vias(self) -> tuple[str, ...]:
        return (self.via, self.other)

    def apply(self, record: Record) -> None:
        if not record.new:
            return
        parent, value = record.parent(self.other), record.parent(self.via).get(self.source)
        if self.adopt and parent.get(self.target) is None:
            saved = record.saved
            name = saved.obj.fields[self.other.lower()].reference_to[0]
            saved.db.execute(
                f'UPDATE "{name}" SET "{self.target}" = ?, SystemModstamp = ? WHERE Id = ?',
                (value, saved.stamp, parent["Id"]),
            )
            parent[self.target] = value
        elif parent.get(self.target) != value:
            record.refuse("FIELD_INTEGRITY_EXCEPTION", f"field integrity exception: {self.message}", self.via)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usable:
    """On create, a parent must be active."""

    via: str
    message: str

    @property
    def vias(self) -> tuple[str, ...]:
        return (self.via,)

    def apply(self, record: Record) -> None:
        if record.new and not record.parent(self.via).get("IsActive"):
            record.refuse("FIELD_INTEGRITY_EXCEPTION", f"field integrity exception: {self.message}", self.via)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extend:
    """An amount is quantity times price, less a discount in percent; the price must be given."""

    amount: str
    quantity: str
    price: str
    discount: str | None = None
    vias: tuple[str, ...] = ()

    def apply(self, record: Record) -> None:
        if record[self.price] is None:
            record.refuse("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{self.price}]", self.price)
            return
        factors = [Decimal(str(record[name])) for name in (self.quantity, self.price)]
        share = 1 - Decimal(str(record[self.discount] or 0)) / 100 if self.discount else Decimal(1)
        amount = (factors[0] * factors[1] * share).quantize(Decimal("0.01"), ROUND_HALF_UP)
        record.set(self.amount, float(amount))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """A field that can't change once it has a value, while the record has children (if named) or has left Draft."""

    field: str
    message: str
    child: tuple[str, str] | None = None
    after_draft: bool = False
    vias: tuple[str, ...] = ()

    def apply(self, record: Record) -> None:
        if record.new or not record.changes(self.field) or record.old[self.field] is None:
            return
        if self.after_draft and record.old["StatusCode"] == "Draft":
            return
        if self.child is None or record.saved.has_children(*self.child, str(record.draft.id)):
            record.refuse("FIELD_INTEGRITY_EXCEPTION", self.message, self.field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """A field that keeps its value, whatever is sent, while the record has children."""

    field: str
    child: tuple[str, str]
    vias: tuple[str, ...] = ()

    def apply(self, record: Record) -> None:
        if not record.new and record.changes(self.field) and record.saved.has_children(*self.child, record.old["Id"]):
            del record.draft.values[self.field]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The stage says whether the opportunity is closed and won, and its probability unless one is given."""

    vias: tuple[str, ...] = ()

    def apply(self, record: Record) -> None:
        means = record.saved.obj.fields["stagename"].means(record["StageName"])
        if means is None or not (record.new or record.changes("StageName")):
            return
        record.set("IsClosed", int(means.closed))
        record.set("IsWon", int(means.won))
        if record.draft.values.get("Probability") is None:
            record.set("Probability", means.probability)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """The last day of a contract: its term in months after the first day, less a day."""

    start: str
    months: str
    end: str
    vias: tuple[str, ...] = ()

    def apply(self, record: Record) -> None:
        start, months = record[self.start], record[self.months]
        if start is None or months is None:
            record.set(self.end, None)
            return
        first = date.fromisoformat(start)
        year, month = divmod(first.year * 12 + first.month - 1 + int(months), 12)
        day = min(first.day, calendar.monthrange(year, month + 1)[1])
        record.set(self.end, (date(year, month + 1, day) - timedelta(days=1)).isoformat())


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A change goes on to the fields of children that repeat it: `fields` are (own, child's) pairs.

    The children only show the parent's value, so they do not count as modified.
    """

    child: str
    via: str
    fields: tuple[tuple[str, str], ...]
    vias: tuple[str, ...] = ()

    def apply(self, record: Record) -> None:
        for own, name in self.fields:
            if not record.new and record.changes(own):
                record.saved.db.execute(
                    f'UPDATE "{self.child}" SET "{name}" = ? WHERE "{self.via}" = ?', (record[own], record.draft.id)
                )
