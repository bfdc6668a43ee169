# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters
"""What a record that is about to be saved says of other records: parents, references, uniqueness, hierarchy."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sandbox.salesforce.records.drafts import Draft
from sandbox.salesforce.schema.model import Field, FieldType, Object
from sandbox.salesforce.store import Store, collation

_DEEPEST_HIERARCHY = 500


def compared(field: Field, value: Any) -> Any:
    """Return a value as it is compared with others of its field."""
    return value.casefold() if isinstance(value, str) and not field.case_sensitive else value


class Checks:
    """Checks drafts of one object against the store, inside the caller's write transaction."""

    def __init__(self, store: Store, db: sqlite3.Connection, obj: Object) -> None:
        self.store, self.db, self.obj = store, db, obj

    def lookup(self, obj: Object, field: Field, keys: Sequence[Any]) -> dict[Any, list[str]]:
        """Return the live records that have one of these values in a unique or external id field."""
        found: dict[Any, list[str]] = defaultdict(list)
        if keys:
            rows = self.db.execute(
                f'SELECT "{field.name}", Id FROM "{obj.name}" WHERE IsDeleted = 0 AND "{field.name}" '
                f"COLLATE {collation(field)} IN (SELECT value FROM json_each(?))",
                (json.dumps(list(keys)),),
            )
            for value, record in rows:
                found[compared(field, value)].append(record)
        return found

    def find_parents(self, drafts: Sequence[Draft]) -> None:
        """Look up the parents given by external id and put their ids into the drafts."""
        wanted: dict[str, list[tuple[Draft, Any, Any]]] = defaultdict(list)
        for draft in drafts:
            for column, value in draft.parents:
                wanted[f"{column.field.name}.{column.parent_field.name}"].append((draft, column, value))  # type: ignore[union-attr]
        for uses in wanted.values():
            column = uses[0][1]
            found = self.lookup(column.parent, column.parent_field, [value for _, _, value in uses])
            for draft, _, value in uses:
                records = found.get(compared(column.parent_field, value), [])
                if len(records) == 1:
                    draft.values[column.field.name] = records[0]
                elif records:
                    draft.refuse(
                        "DUPLICATE_EXTERNAL_ID",
                        f"{column.parent_field.name}: more than one record found for "
                        f"external id field: [{', '.join(records)}]",
                        column.field.name,
                    )
                else:
                    draft.refuse(
                        "INVALID_FIELD",
                        f"Foreign key external ID: {value} not found for field "
                        f"{column.parent_field.name} in entity {column.parent.name}",
                    )

    def references(self, drafts: Sequence[Draft]) -> None:
        """Refuse references to records that are not there, are deleted, or are of another object."""
        used: set[str] = set().union(*(draft.values for draft in drafts))
        for field in self.obj.fields.values():
            if field.type is not FieldType.REFERENCE or field.name not in used:
                continue
            targets = {o.prefix: o for name in field.reference_to if (o := self.store.schema.object(name))}
            wanted: dict[str, set[str]] = defaultdict(set)
            for draft in drafts:
                if value := draft.values.get(field.name):
                    wanted[value[:3]].add(value)
            state: dict[str, int] = {}
            for prefix, records in wanted.items():
                if prefix in targets:
                    rows = self.db.execute(
                        f'SELECT Id, IsDeleted FROM "{targets[prefix].name}" '
                        "WHERE Id IN (SELECT value FROM json_each(?))",
                        (json.dumps(sorted(records)),),
                    )
                    state.update(rows.fetchall())
            for draft in drafts:
                value = draft.values.get(field.name)
                if not value:
                    continue
                if value[:3] not in targets:
                    draft.refuse(
                        "FIELD_INTEGRITY_EXCEPTION", f"{field.label}: id value of incorrect type: {value}", field.name
                    )
                elif value not in state:
                    draft.refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", field.name)
                elif state[value]:
                    draft.refuse("ENTITY_IS_DELETED", "entity is deleted", field.name)

    def unique(self, drafts: Sequence[Draft], but: Field | None = None) -> None:
        """Refuse values of unique fields that another live record, or an earlier draft, has; `but` was matched before."""
        for field in self.obj.fields.values():
            if not field.unique or field is but:
                continue
            holders = [d for d in drafts if d.values.get(field.name) is not None]
            if not holders:
                continue
            found = self.lookup(self.obj, field, [d.values[field.name] for d in holders])
            seen: set[Any] = set()
            for draft in holders:
                key = compared(field, draft.values[field.name])
                others = [record for record in found.get(key, []) if record != draft.id]
                if others or key in seen:
                    value, record = (field.name, others[0]) if others else ("<unknown>", "<unknown>")
                    draft.refuse(
                        "DUPLICATE_VALUE",
                        f"duplicate value found: {value} duplicates value on record with id: {record}",
                        *([field.name] if others else []),
                    )
                else:
                    seen.add(key)

    def hierarchy(self, drafts: Sequence[Draft]) -> None:
        """Refuse changes that would put a record above itself."""
        for field in self.obj.fields.values():
            if not field.hierarchy:
                continue
            pending: dict[str, str | None] = {}
            for draft in drafts:
                if draft.id is None or field.name not in draft.values:
                    continue
                above: str | None = draft.values[field.name]
                for _ in range(_DEEPEST_HIERARCHY):
                    if above is None or above == draft.id:
                        break
                    if above in pending:
                        above = pending[above]
                    else:
                        row = self.db.execute(
                            f'SELECT "{field.name}" FROM "{self.obj.name}" WHERE Id = ?', (above,)
                        ).fetchone()
                        above = row[0] if row else None
                if above is not None:
                    draft.refuse("CIRCULAR_DEPENDENCY", "attempt to violate hierarchy constraints", field.name)
                else:
                    pending[draft.id] = draft.values[field.name]
