# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters
"""Duplicate rules: records that match one that is there already, field by field, are refused."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.salesforce.records.drafts import Draft
from sandbox.salesforce.schema.model import Object


def find_duplicates(
    db: sqlite3.Connection, obj: Object, drafts: Sequence[Draft], old: Mapping[str, dict[str, Any]], *, allowed: bool
) -> None:
    """Refuse the drafts that duplicate a stored record; with `allowed` only where the rule blocks instead of alerting."""
    rules = [rule for rule in obj.duplicates if rule.blocks or not allowed]
    for draft in drafts if rules else ():
        values = {**old.get(draft.id or "", {}), **draft.values}
        for rule in rules:
            given = [values.get(name) for name in rule.fields]
            if None in given or draft.values.keys().isdisjoint(rule.fields):
                continue
            same = " AND ".join(f'"{name}" = ? COLLATE NOCASE' for name in rule.fields)
            sql = f'SELECT 1 FROM "{obj.name}" WHERE IsDeleted = 0 AND Id IS NOT ? AND {same} LIMIT 1'
            if db.execute(sql, (draft.id, *given)).fetchone():
                draft.refuse("DUPLICATES_DETECTED", rule.message)
                break
