# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters
"""Validation rules: formulas held against records that are about to be saved."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sandbox.salesforce.records.drafts import Draft
from sandbox.salesforce.schema.formula import condition, rule_names
from sandbox.salesforce.schema.model import Object, Schema


def validate(
    db: sqlite3.Connection,
    schema: Schema,
    obj: Object,
    drafts: Sequence[Draft],
    old: Mapping[str, dict[str, Any]],
    today: date,
) -> None:
    """Refuse the drafts for which a rule's condition holds; `old` has the stored records by id."""
    if not obj.validations or not drafts:
        return
    before = [old.get(draft.id or "") for draft in drafts]
    records = [{"n": {**(was or {}), **draft.values}, "o": was} for draft, was in zip(drafts, before, strict=True)]
    names = rule_names(schema, obj, today)
    conditions = ", ".join(condition(names, rule.condition) for rule in obj.validations)
    for at, *holding in db.execute(f"SELECT j.key, {conditions} FROM json_each(?) j", (json.dumps(records),)):
        for rule, holds in zip(obj.validations, holding, strict=True):
            if holds:
                fields = (rule.field,) if rule.field else ()
                drafts[at].refuse("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, *fields)
