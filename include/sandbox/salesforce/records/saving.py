# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters
"""Insert, update and upsert, in blocks of at most 200 records, as Salesforce processes them."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from sandbox.salesforce.errors import FieldProblem
from sandbox.salesforce.records import rollups
from sandbox.salesforce.records.checks import Checks, compared
from sandbox.salesforce.records.drafts import Draft, Operation
from sandbox.salesforce.records.duplicates import find_duplicates
from sandbox.salesforce.records.rules import Record, Saved
from sandbox.salesforce.records.standard_rules import RULES
from sandbox.salesforce.records.validations import validate
from sandbox.salesforce.schema.countries import ALIGNED, Countries
from sandbox.salesforce.schema.model import Field, FieldType, Object
from sandbox.salesforce.schema.permissions import Actor
from sandbox.salesforce.store import Store, quoted

BLOCK = 200


class Saving:
    """Records of one object being saved inside the caller's write transaction, in blocks of at most `BLOCK`."""

    def __init__(
        self,
        store: Store,
        db: sqlite3.Connection,
        countries: Countries,
        actor: Actor,
        obj: Object,
        operation: Operation,
        external: Field | None,
        stamp: str,
        *,
        duplicates: bool = False,
    ) -> None:
        self.duplicates = duplicates
        self.store, self.db, self.countries, self.actor, self.obj = store, db, countries, actor, obj
        self.operation, self.external, self.stamp = operation, external, stamp
        self.checks = Checks(store, db, obj)
        self.old: dict[str, dict[str, Any]] = {}
        fields = obj.fields.values()
        self.rules = RULES.get(obj.name, ())
        summaries = [f.summary for _, f in store.schema.summaries(obj) if f.summary]
        self.parents: dict[str, set[str]] = {obj.fields[s.via.lower()].name: set() for s in summaries}
        summed = {name for s in summaries for name in (s.field, *(item.field for item in s.filters)) if name}
        self.summed = {*self.parents, *(obj.fields[name.lower()].name for name in summed)}
        self.indexed = self.summed | {
            f.name for f in fields if f.unique or f.external_id or f.type is FieldType.REFERENCE
        }
        self.required = [
            f.name
            for f in fields
            if f.required and f.createable and f.default is None and f.type is not FieldType.BOOLEAN
        ]
        self.defaults = {
            f.name: _default(f)
            for f in fields
            if f.default is not None and (f.createable or f.type is not FieldType.BOOLEAN)
        }
        prefixes = [f.name.removesuffix("CountryCode") for f in fields if f.name.endswith("CountryCode")]
        self.addresses = {prefix: frozenset(prefix + part for part in ALIGNED) for prefix in prefixes}
        self.person = obj.field("FirstName") is not None and obj.field("LastName") is not None
        self.owned = obj.field("OwnerId") is not None
        self.fixed = {f.name for f in fields if f is not external and not f.updateable}
        # An insert that gives others was refused before, or is an administrator's.
        inserting = operation is Operation.INSERT
        self.made = set() if inserting else {f.name for f in fields if f is not external and not f.createable}

    def save(self, drafts: Sequence[Draft]) -> None:
        """Save the drafts that have no errors and note in the others why they were refused."""
        for start in range(0, len(drafts), BLOCK):
            self._block(drafts[start : start + BLOCK])
        if any(self.parents.values()):
            rollups.recalculate(self.db, self.store.schema, self.obj, self.parents, self.stamp, self.actor.user_id)

    def _block(self, drafts: Sequence[Draft]) -> None:
        self.checks.find_parents(drafts)
        self._identify(drafts)
        self._may(drafts)
        known = [d.id for d in drafts if d.id and not d.errors]
        self.old = self.store.rows(self.db, self.obj, known, self._looked_at()) if known else {}
        self._exists(drafts)
        self._complete([d for d in drafts if not d.errors])
        self.checks.references([d for d in drafts if not d.errors])
        self.checks.unique([d for d in drafts if not d.errors], but=self.external)
        self.checks.hierarchy([d for d in drafts if not d.errors])
        self._apply_rules([d for d in drafts if not d.errors])
        today = date.fromisoformat(self.stamp[:10])
        validate(self.db, self.store.schema, self.obj, [d for d in drafts if not d.errors], self.old, today)
        find_duplicates(self.db, self.obj, [d for d in drafts if not d.errors], self.old, allowed=self.duplicates)
        good = [d for d in drafts if not d.errors]
        self._insert([d for d in good if d.id is None])
        self._update([d for d in good if not d.created])
        self._roll_up(good)

    def _looked_at(self) -> list[str]:
        """Return the stored fields that saving looks at; none stands for all, which rules may look at."""
        if self.rules or self.obj.validations or self.obj.duplicates:
            return []
        names = {"IsDeleted", *self.summed}
        names |= {prefix + part for prefix in self.addresses for part in ("CountryCode", "StateCode")}
        if self.external is not None:
            names.add(self.external.name)
        return sorted(names | ({"FirstName", "LastName"} if self.person else set()))

    def _identify(self, drafts: Sequence[Draft]) -> None:
        if self.operation is Operation.INSERT:
            for draft in drafts:
                if draft.id:
                    draft.refuse("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", "Id")
        elif self.operation is Operation.UPDATE:
            for draft in drafts:
                if not draft.id and not draft.errors:
                    draft.refuse("MISSING_ARGUMENT", "Id not specified in an update call", "Id")
        elif self.external is not None and self.external.type is not FieldType.ID:
            self._match(drafts, self.external)
        if self.operation is not Operation.INSERT:
            seen: set[str] = set()
            for draft in drafts:
                if draft.id and not draft.id.startswith(self.obj.prefix):
                    draft.refuse("MALFORMED_ID", f"Id: id value of incorrect type: {draft.id}", "Id")
                elif draft.id and draft.id in seen:
                    draft.refuse("DUPLICATE_VALUE", f"duplicate id in list: {draft.id}", "Id")
                elif draft.id:
                    seen.add(draft.id)

    def _match(self, drafts: Sequence[Draft], external: Field) -> None:
        name = external.name
        found = self.checks.lookup(
            self.obj, external, [d.values[name] for d in drafts if d.values.get(name) is not None]
        )
        seen: set[Any] = set()
        for draft in drafts:
            value = draft.values.get(name)
            if draft.id:
                draft.refuse(
                    "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id when upserting by an external id", "Id"
                )
            if value is None:
                if not draft.errors:
                    draft.refuse("MISSING_ARGUMENT", f"{name} not specified", name)
                continue
            key = compared(external, value)
            records = found.get(key, [])
            if key in seen:
                draft.refuse("DUPLICATE_VALUE", f"Duplicate external id specified: {value}", name)
            elif len(records) > 1:
                draft.matches = records
                draft.refuse(
                    "DUPLICATE_EXTERNAL_ID",
                    f"{name}: more than one record found for external id field: [{', '.join(records)}]",
                    name,
                )
            elif records:
                draft.id = records[0]
            seen.add(key)

    def _may(self, drafts: Sequence[Draft]) -> None:
        create = self.actor.permissions.allows(self.obj, "create") and not self.obj.read_only
        edit = self.actor.permissions.allows(self.obj, "edit") and not self.obj.read_only
        for draft in drafts:
            if not (edit if draft.id else create):
                what = "edited" if draft.id else "created"
                draft.refuse(
                    "INSUFFICIENT_ACCESS_OR_READONLY",
                    f"insufficient access rights: {self.obj.name} can't be {what} by this user",
                )
            fixed = self.fixed if draft.id else self.made
            locked = [] if draft.errors or fixed.isdisjoint(draft.values) else [n for n in draft.values if n in fixed]
            if locked:
                draft.refuse(
                    "INVALID_FIELD_FOR_INSERT_UPDATE",
                    f"Unable to create/update fields: {', '.join(locked)}. "
                    "Please check the security settings of this field and verify that it is read/write for "
                    "your profile or permission set.",
                    *locked,
                )

    def _exists(self, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            if draft.id and not draft.errors:
                old = self.old.get(draft.id)
                if old is None:
                    draft.refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
                elif old["IsDeleted"]:
                    draft.refuse("ENTITY_IS_DELETED", "entity is deleted")

    def _complete(self, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            if draft.id is None:
                old: dict[str, Any] = {}
                new = draft.values = {**self.defaults, **draft.values}
                if self.owned and new.get("OwnerId") is None:
                    new["OwnerId"] = self.actor.user_id
                missing = [name for name in self.required if new.get(name) is None]
            else:
                old, new = self.old[draft.id], draft.values
                missing = [name for name in self.required if name in new and new[name] is None]
            if missing:
                draft.refuse("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", *missing)
            for prefix, names in self.addresses.items():
                if names.isdisjoint(new):
                    continue
                try:
                    self.countries.align(prefix, new, old)
                except FieldProblem as problem:
                    draft.errors.append(problem.error)
            if self.person and ("FirstName" in new or "LastName" in new):
                parts = (new.get(name, old.get(name)) for name in ("FirstName", "LastName"))
                new["Name"] = " ".join(part for part in parts if part)

    def _apply_rules(self, drafts: Sequence[Draft]) -> None:
        rules = self.rules
        if not rules or not drafts:
            return
        saved = Saved(store=self.store, db=self.db, actor=self.actor, obj=self.obj, stamp=self.stamp)
        records = [Record(draft=draft, old=self.old.get(draft.id or "", {}), saved=saved) for draft in drafts]
        saved.load({via for rule in rules for via in rule.vias}, records)
        for record in records:
            for rule in rules:
                rule.apply(record)
                if record.draft.errors:
                    break

    def _insert(self, drafts: Sequence[Draft]) -> None:
        if not drafts:
            return
        audit = self._modified() | {"CreatedDate": self.stamp, "CreatedById": self.actor.user_id}
        groups: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
        numbered = {
            f.name: _numbered(f.auto_number, self.store.take_numbers(self.db, f"{self.obj.name}.{f.name}", len(drafts)))
            for f in self.obj.fields.values()
            if f.auto_number
        }
        for draft, record in zip(drafts, self.store.new_ids(self.db, self.obj.prefix, len(drafts)), strict=True):
            draft.id, draft.created = record, True
            # An administrator may bring dates of their own.
            draft.values = {"Id": record, **audit, **draft.values}
            for name, numbers in numbered.items():
                draft.values[name] = next(numbers)
            groups[tuple(draft.values)].append(tuple(draft.values.values()))
        for names, rows in groups.items():
            marks = ", ".join("?" * len(names))
            self.db.executemany(f'INSERT INTO "{self.obj.name}" ({quoted(names)}) VALUES ({marks})', rows)

    def _update(self, drafts: Sequence[Draft]) -> None:
        """Write what was given, but for indexed fields that stay as they are: their indexes need no new entries."""
        groups: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
        modified = self._modified()
        for draft in drafts:
            old = self.old[draft.id or ""]
            same = {name for name in self.indexed & draft.values.keys() & old.keys() if old[name] == draft.values[name]}
            new = {name: value for name, value in draft.values.items() if name not in same} | modified
            groups[tuple(new)].append((*new.values(), draft.id))
        for names, rows in groups.items():
            assignments = ", ".join(f'"{name}" = ?' for name in names)
            self.db.executemany(f'UPDATE "{self.obj.name}" SET {assignments} WHERE Id = ?', rows)

    def _modified(self) -> dict[str, Any]:
        """Return the fields that tell of the latest change."""
        return {
            "LastModifiedDate": self.stamp,
            "LastModifiedById": self.actor.user_id,
            "SystemModstamp": self.stamp,
        }

    def _roll_up(self, drafts: Sequence[Draft]) -> None:
        for draft in drafts if self.parents else ():
            new, old = draft.values, self.old.get(draft.id or "", {})
            if not old or any(name in new and new[name] != old[name] for name in self.summed):
                for via, parents in self.parents.items():
                    parents.update(p for p in (new.get(via), old.get(via)) if p)


def _default(field: Field) -> Any:
    if field.type is FieldType.BOOLEAN:
        return int(field.default == "true")
    return float(field.default or 0) if field.precision else field.default


def _numbered(pattern: str, numbers: Iterable[int]) -> Iterator[str]:
    """Yield the numbers as the pattern of an auto-number field writes them."""
    head, _, rest = pattern.partition("{")
    zeros, _, tail = rest.partition("}")
    width = len(zeros)
    return (f"{head}{number:0{width}}{tail}" for number in numbers)
