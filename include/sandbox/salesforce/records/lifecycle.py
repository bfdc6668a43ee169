"""Records with a status: which moves there are, what activation needs, what an activated record still allows.

A status is a value of a standard value set; each stands for a status category, which is the record's StatusCode.
"""
# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters

import sqlite3
from dataclasses import dataclass
from typing import Any

from sandbox.salesforce.errors import RowError
from sandbox.salesforce.records.rules import Record, Rule
from sandbox.salesforce.schema.model import Object
from sandbox.salesforce.schema.permissions import Actor

ACTIVATED = "Activated"
_LOCKED = RowError(
    "ENTITY_IS_LOCKED",
    "Unable to modify activated or superseded Order:  cannot delete Order, or add or remove Order Products",
)
_NO_ACCESS = RowError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """The moves between status categories; a record begins in the first category of the first move.

    Attributes:
        moves: Allowed changes of the category, as (from, to) pairs.
        needs: The child object, its reference and the refusal of an activation without any.
        activate: The user permission that moves into and out of the activated category, if one is needed.
        edit: The user permission that may edit an activated record, if one is needed.
        delete: The user permission that may delete an activated record; without one nobody may.
    """

    moves: tuple[tuple[str, str], ...]
    needs: tuple[str, str, str] | None = None
    activate: str | None = None
    edit: str | None = None
    delete: str | None = None
    vias: tuple[str, ...] = ()

    def apply(self, record: Record) -> None:
        """Derive StatusCode and the stamp of the activation, or refuse the move."""
        saved, permissions = record.saved, record.saved.actor.permissions
        means = saved.obj.fields["status"].means(record["Status"])
        old, new = record.old.get("StatusCode"), means.category if means else None
        if old == ACTIVATED and self.edit and not permissions.has(self.edit):
            record.refuse(_NO_ACCESS.code, _NO_ACCESS.message)
        elif new == ACTIVATED != old and self.needs and not self._has_details(record):
            record.refuse("FAILED_ACTIVATION", self.needs[2], "Status")
        elif not self._allows(record, old, new):
            name = saved.obj.label.lower()
            message = f"Choose a valid {name} status and save your changes. Ask your admin for details."
            record.refuse("FAILED_ACTIVATION", message, "Status")
        elif ACTIVATED in (old, new) and old != new and self.activate and not permissions.has(self.activate):
            record.refuse(_NO_ACCESS.code, _NO_ACCESS.message)
        else:
            self._note(record, old, new)

    def _allows(self, record: Record, old: str | None, new: str | None) -> bool:
        if record.new:
            return new == self.moves[0][0]
        return new == old or (old, new) in self.moves

    def _has_details(self, record: Record) -> bool:
        child, via, _ = self.needs or ("", "", "")
        return record.saved.has_children(child, via, str(record.draft.id))

    def _note(self, record: Record, old: str | None, new: str | None) -> None:
        record.set("StatusCode", new)
        if new == ACTIVATED != old:
            record.set("ActivatedDate", record.saved.stamp)
            record.set("ActivatedById", record.saved.actor.user_id)
        elif old == ACTIVATED != new:
            record.set("ActivatedDate", None)
            record.set("ActivatedById", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailOf:
    """A detail of a record with a lifecycle: none may be added once that is activated, and editing needs `edit`."""

    via: str
    edit: str

    @property
    def vias(self) -> tuple[str, ...]:
        return (self.via,)

    def apply(self, record: Record) -> None:
        """Refuse a detail that comes too late."""
        if record.parent(self.via).get("StatusCode") != ACTIVATED:
            return
        if record.new:
            record.refuse(_LOCKED.code, _LOCKED.message)
        elif not record.saved.actor.permissions.has(self.edit):
            record.refuse(_NO_ACCESS.code, _NO_ACCESS.message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Records with this flag can't be deleted."""

    flag: str
    message: str
    vias: tuple[str, ...] = ()

    def apply(self, record: Record) -> None:
        """Saving is free."""


def may_delete(
    db: sqlite3.Connection, actor: Actor, obj: Object, record: str, rules: tuple[Rule, ...]
) -> RowError | None:
    """Return why the state of a record, or of its master, keeps it from being deleted; or None."""
    for rule in rules:
        if isinstance(rule, Lifecycle) and _value(db, obj.name, record, "StatusCode") == ACTIVATED:
            if rule.delete is None:
                return _LOCKED
            if not actor.permissions.has(rule.delete):
                return _NO_ACCESS
        elif isinstance(rule, DetailOf):
            [master] = obj.fields[rule.via.lower()].reference_to
            if _value(db, master, str(_value(db, obj.name, record, rule.via)), "StatusCode") == ACTIVATED:
                return _LOCKED
        elif isinstance(rule, Kept) and _value(db, obj.name, record, rule.flag):
            return RowError("DELETE_FAILED", rule.message)
    return None


def _value(db: sqlite3.Connection, name: str, record: str, field: str) -> Any:
    row = db.execute(f'SELECT "{field}" FROM "{name}" WHERE Id = ?', (record,)).fetchone()
    return row[0] if row else None
