# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters
"""Delete, undelete, hard delete and merge, with what they do to related records."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sandbox.salesforce.errors import ApiError, RowError
from sandbox.salesforce.records import rollups
from sandbox.salesforce.records.lifecycle import ACTIVATED, Lifecycle, may_delete
from sandbox.salesforce.records.standard_rules import RULES
from sandbox.salesforce.schema.model import FieldType, Object, OnDelete
from sandbox.salesforce.schema.permissions import Actor
from sandbox.salesforce.store import Store


class Deleting:
    """Removes and brings back records inside the caller's write transaction."""

    def __init__(self, store: Store, db: sqlite3.Connection, actor: Actor, stamp: str) -> None:
        self.store, self.db, self.actor, self.stamp = store, db, actor, stamp

    def _touch(self, obj: Object, records: Iterable[str], **changes: Any) -> None:
        values = {
            **changes,
            "LastModifiedDate": self.stamp,
            "LastModifiedById": self.actor.user_id,
            "SystemModstamp": self.stamp,
        }
        assignments = ", ".join(f'"{name}" = ?' for name in values)
        self.db.execute(
            f'UPDATE "{obj.name}" SET {assignments} WHERE Id IN (SELECT value FROM json_each(?))',
            (*values.values(), json.dumps(list(records))),
        )

    def _roll_up(self, obj: Object, records: Sequence[str]) -> None:
        parents: dict[str, set[str]] = {}
        rows = self.store.rows(self.db, obj, records).values()
        for _, field in self.store.schema.summaries(obj):
            if field.summary:
                via = obj.fields[field.summary.via.lower()].name
                parents[via] = {row[via] for row in rows if row[via]}
        if parents:
            rollups.recalculate(self.db, self.store.schema, obj, parents, self.stamp, self.actor.user_id)

    def check(self, obj: Object, record: str | None, action: str = "delete") -> RowError | None:
        """Return why the record can't be deleted, or None."""
        if not self.actor.permissions.allows(obj, action) or obj.read_only:
            return RowError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
        if record is None or not record.startswith(obj.prefix):
            return RowError("MALFORMED_ID", f"malformed id {record or ''}".rstrip())
        row = self.db.execute(f'SELECT IsDeleted FROM "{obj.name}" WHERE Id = ?', (record,)).fetchone()
        if row is None:
            return RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if row[0] and action == "delete":
            return RowError("ENTITY_IS_DELETED", "entity is deleted")
        return self._locked(obj, record) or self._restricted(obj, record)

    def _locked(self, obj: Object, record: str) -> RowError | None:
        """Return what the state of the record, or of one that would go with it, has against its deletion."""
        for child in self.store.schema.children(obj):
            rules = RULES.get(child.object.name, ())
            if child.field.on_delete is OnDelete.CASCADE and any(isinstance(rule, Lifecycle) for rule in rules):
                row = self.db.execute(
                    f'SELECT Id FROM "{child.object.name}" WHERE "{child.field.name}" = ? AND StatusCode = ? '
                    "AND IsDeleted = 0 LIMIT 1",
                    (record, ACTIVATED),
                ).fetchone()
                if row:
                    return self._associated(child.object, row[0])
        return may_delete(self.db, self.actor, obj, record, RULES.get(obj.name, ()))

    def _restricted(self, obj: Object, record: str) -> RowError | None:
        for child in self.store.schema.children(obj):
            if child.field.on_delete is OnDelete.RESTRICT:
                row = self.db.execute(
                    f'SELECT Id FROM "{child.object.name}" WHERE "{child.field.name}" = ? AND IsDeleted = 0 LIMIT 1',
                    (record,),
                ).fetchone()
                if row:
                    return self._associated(child.object, row[0])
        return None

    @staticmethod
    def _associated(child: Object, record: str) -> RowError:
        return RowError(
            "DELETE_FAILED",
            "Your attempt to delete this record could not be completed because "
            f"some {child.plural.lower()} are associated with it: {record}",
        )

    def delete(self, obj: Object, record: str, root: str | None = None) -> None:
        """Move a record that passed `check`, and its details, to the recycle bin; clear the lookups to it."""
        root = root or record
        self._touch(obj, [record], IsDeleted=1)
        self.db.execute("INSERT OR REPLACE INTO _deletion VALUES (?, ?)", (record, root))
        for child in self.store.schema.children(obj):
            name, field = child.object.name, child.field.name
            if child.field.type is not FieldType.REFERENCE or not child.field.createable:
                continue
            rows = [
                r[0]
                for r in self.db.execute(f'SELECT Id FROM "{name}" WHERE "{field}" = ? AND IsDeleted = 0', (record,))
            ]
            if child.field.on_delete is OnDelete.CASCADE:
                for row in rows:
                    self.delete(child.object, row, root)
            elif child.field.on_delete is OnDelete.SET_NULL and rows:
                self._touch(child.object, rows, **{field: None})
                self.db.executemany(
                    "INSERT INTO _cleared VALUES (?, ?, ?, ?, ?)", [(root, name, field, row, record) for row in rows]
                )
        self._roll_up(obj, [record])

    def undelete(self, record: str) -> None:
        """Bring back a record, what was deleted with it, and the lookups that pointed to it.

        Raises:
            ApiError: The record is not in the recycle bin, or what made it unique is taken by now.
        """
        rows = self.db.execute("SELECT id FROM _deletion WHERE root = ?", (record,)).fetchall()
        if not rows:
            raise ApiError(400, "UNDELETE_FAILED", "Entity is not in the recycle bin")
        restored: dict[str, list[str]] = defaultdict(list)
        for (one,) in rows:
            obj = self.store.schema.by_prefix[one[:3]]
            self._clash(obj, one)
            self._touch(obj, [one], IsDeleted=0)
            restored[obj.name].append(one)
        cleared = self.db.execute("SELECT object, field, id, parent FROM _cleared WHERE root = ?", (record,)).fetchall()
        for name, field, child, parent in cleared:
            self.db.execute(
                f'UPDATE "{name}" SET "{field}" = ?, SystemModstamp = ? WHERE Id = ? AND "{field}" IS NULL',
                (parent, self.stamp, child),
            )
        self.db.execute("DELETE FROM _cleared WHERE root = ?", (record,))
        self.db.execute("DELETE FROM _deletion WHERE root = ?", (record,))
        for name, records in restored.items():
            self._roll_up(self.store.schema.objects[name.lower()], records)

    def _clash(self, obj: Object, record: str) -> None:
        row = self.store.rows(self.db, obj, [record])[record]
        for field in obj.fields.values():
            if field.unique and row[field.name] is not None:
                taken = self.db.execute(
                    f'SELECT Id FROM "{obj.name}" WHERE "{field.name}" = ? AND IsDeleted = 0', (row[field.name],)
                ).fetchone()
                if taken:
                    raise ApiError(
                        400,
                        "DUPLICATE_VALUE",
                        f"duplicate value found: {field.name} duplicates value on record with id: {taken[0]}",
                    )

    def erase(self, obj: Object, record: str) -> None:
        """Delete a record for good (hard delete, emptied recycle bin), together with what was deleted with it."""
        row = self.db.execute(f'SELECT IsDeleted FROM "{obj.name}" WHERE Id = ?', (record,)).fetchone()
        if row and not row[0]:
            self.delete(obj, record)
        for (one,) in self.db.execute("SELECT id FROM _deletion WHERE root = ?", (record,)).fetchall() or [(record,)]:
            self.db.execute(f'DELETE FROM "{self.store.schema.by_prefix[one[:3]].name}" WHERE Id = ?', (one,))
        self.db.execute("DELETE FROM _deletion WHERE root = ?", (record,))
        self.db.execute("DELETE FROM _cleared WHERE root = ?", (record,))

    def empty(self, record: str) -> None:
        """Erase a record that is in the recycle bin.

        Raises:
            ApiError: It is not.
        """
        if not self.db.execute("SELECT 1 FROM _deletion WHERE root = ?", (record,)).fetchone():
            raise ApiError(400, "UNDELETE_FAILED", "Entity is not in the recycle bin")
        self.erase(self.store.schema.by_prefix[record[:3]], record)

    def merge(self, obj: Object, master: str, losers: Sequence[str]) -> dict[str, Any]:
        """Merge up to two losers into the master: children move over, losers go to the recycle bin.

        Returns:
            What Salesforce's merge() reports: the master's id, the merged ids, the children that moved.

        Raises:
            ApiError: The object can't be merged, or a record is missing or deleted.
        """
        if not obj.mergeable or not 1 <= len(losers) <= 2 or master in losers:
            raise ApiError(
                400, "INVALID_OPERATION", f"{obj.name}: a merge takes one master and one or two other records"
            )
        rows = self.store.rows(self.db, obj, [master, *losers])
        if any(record not in rows or rows[record]["IsDeleted"] for record in (master, *losers)):
            raise ApiError(404, "ENTITY_IS_DELETED", "entity is deleted")
        moved: list[str] = []
        for child in self.store.schema.children(obj):
            if child.field.name == "MasterRecordId":
                continue
            name, field = child.object.name, child.field.name
            for loser in losers:
                found = [
                    r[0]
                    for r in self.db.execute(
                        f'SELECT Id FROM "{name}" WHERE "{field}" = ? AND IsDeleted = 0 AND Id <> ?', (loser, master)
                    )
                ]
                if found:
                    self._touch(child.object, found, **{field: master})
                    self._roll_up(child.object, found)
                    moved += found
        for loser in losers:
            self._touch(obj, [loser], IsDeleted=1, MasterRecordId=master)
            self.db.execute("INSERT OR REPLACE INTO _deletion VALUES (?, ?)", (loser, loser))
        # A master below one of the losers would otherwise be its own parent.
        self._touch(
            obj,
            [master],
            **{f.name: None for f in obj.fields.values() if f.hierarchy and rows[master][f.name] in losers},
        )
        return {
            "id": master,
            "mergedRecordIds": list(losers),
            "updatedRelatedIds": moved,
            "success": True,
            "errors": [],
        }
