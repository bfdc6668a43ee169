# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters
"""Roll-up summary fields: recomputed in the transaction that changes a child, and a change touches the parent."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.salesforce.schema.model import Field, FieldType, Object, Schema, Summary, SummaryFilter

_OPERATORS = {
    "equals": "IS",
    "notEqual": "IS NOT",
    "lessThan": "<",
    "greaterThan": ">",
    "lessOrEqual": "<=",
    "greaterOrEqual": ">=",
}


def _condition(child: Object, item: SummaryFilter) -> tuple[str, Any]:
    field = child.field(item.field)
    if field is None or item.operation not in _OPERATORS:
        raise ValueError(
            f"Roll-up filter on {child.name}.{item.field} ({item.operation}) is not covered by the local org"
        )
    value: Any = item.value
    if field.type is FieldType.BOOLEAN:
        value = int(item.value.lower() in ("true", "1"))
    elif field.precision:
        value = float(item.value)
    return f'"{field.name}" {_OPERATORS[item.operation]} ?', value


def statement(child: Object, summary: Summary) -> tuple[str, list[Any]]:
    """Return the SQL that computes a roll-up per parent (parents as a JSON array, the last parameter), and its values."""
    terms = [_condition(child, item) for item in summary.filters]
    where = "".join(f" AND {sql}" for sql, _ in terms)
    column = "*" if summary.field is None else f'"{_field(child, summary.field).name}"'
    via = _field(child, summary.via).name
    # Names come from the schema; values are parameters.
    sql = (
        f'SELECT "{via}", {summary.operation}({column}) FROM "{child.name}" WHERE IsDeleted = 0{where} '
        f'AND "{via}" IN (SELECT value FROM json_each(?)) GROUP BY 1'
    )
    return sql, [value for _, value in terms]


def _field(obj: Object, name: str) -> Field:
    field = obj.field(name)
    if field is None:
        raise ValueError(f"A roll-up refers to {obj.name}.{name}, which does not exist")
    return field


def recalculate(
    db: sqlite3.Connection,
    schema: Schema,
    child: Object,
    parents: Mapping[str, Iterable[str]],
    stamp: str,
    user_id: str,
) -> None:
    """Bring the roll-ups over a child object up to date.

    Args:
        db: The connection that holds the write transaction.
        schema: The org's objects.
        child: The object whose records changed.
        parents: Ids of the parents to look at, by the name of the child's field that points to them.
        stamp: The instant of the change; changed parents are modified at it.
        user_id: Who changed the children.
    """
    changed: dict[str, dict[str, dict[str, Any]]] = defaultdict(lambda: defaultdict(dict))
    for obj, field in schema.summaries(child):
        if field.summary is None:
            continue
        wanted = sorted({p for p in parents.get(_field(child, field.summary.via).name, ()) if p})
        if not wanted:
            continue
        sql, parameters = statement(child, field.summary)
        packed = json.dumps(wanted)
        totals = dict(db.execute(sql, [*parameters, packed]).fetchall())
        # Amounts are stored as doubles: a sum is brought back to the digits of what it sums.
        scale = (
            _field(child, field.summary.field).scale
            if field.summary.operation == "sum" and field.summary.field
            else None
        )
        empty = None if field.summary.operation in ("min", "max") else 0.0
        current = db.execute(
            f'SELECT Id, "{field.name}" FROM "{obj.name}" WHERE Id IN (SELECT value FROM json_each(?))', (packed,)
        )
        for record, old in current:
            new = totals.get(record, empty)
            new = round(float(new), 15 if scale is None else scale) if new is not None else None
            if new != old:
                changed[obj.name][record][field.name] = new
    for name, records in changed.items():
        obj = schema.objects[name.lower()]
        for record, values in records.items():
            values = {**values, "LastModifiedDate": stamp, "LastModifiedById": user_id, "SystemModstamp": stamp}
            assignments = ", ".join(f'"{column}" = ?' for column in values)
            db.execute(f'UPDATE "{name}" SET {assignments} WHERE Id = ?', (*values.values(), record))
        _climb(db, schema, obj, sorted(records), stamp, user_id)


def _climb(db: sqlite3.Connection, schema: Schema, obj: Object, records: list[str], stamp: str, user_id: str) -> None:
    vias = {_field(obj, f.summary.via).name for _, f in schema.summaries(obj) if f.summary}
    if not vias:
        return
    above: dict[str, set[str]] = {}
    for via in vias:
        rows = db.execute(
            f'SELECT DISTINCT "{via}" FROM "{obj.name}" WHERE Id IN (SELECT value FROM json_each(?))',
            (json.dumps(records),),
        )
        above[via] = {row[0] for row in rows}
    recalculate(db, schema, obj, above, stamp, user_id)
