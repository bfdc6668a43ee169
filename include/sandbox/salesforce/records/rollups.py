# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters
"""Roll-up summary fields: recomputed in the transaction that changes a child, and a change touches the parent."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox.salesforce.schema.model import Field, FieldType, Object, Schema, Summary, SummaryFilter
from sandbox.salesforce.store import quoted

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


def statement(child: Object, summaries: Sequence[Summary]) -> tuple[str, list[Any]]:
    """Return the SQL that computes roll-ups over the same reference, per parent, and its values.

    The parents are a JSON array, the last parameter.
    """
    columns, values = [], []
    for summary in summaries:
        terms = [_condition(child, item) for item in summary.filters]
        column = "*" if summary.field is None else f'"{_field(child, summary.field).name}"'
        kept = f" FILTER (WHERE {' AND '.join(sql for sql, _ in terms)})" if terms else ""
        columns.append(f"{summary.operation}({column}){kept}")
        values += [value for _, value in terms]
    via = _field(child, summaries[0].via).name
    # Names come from the schema; values are parameters.
    sql = (
        f'SELECT "{via}", {", ".join(columns)} FROM "{child.name}" WHERE IsDeleted = 0 '
        f'AND "{via}" IN (SELECT value FROM json_each(?)) GROUP BY 1'
    )
    return sql, values


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
    together: dict[tuple[str, str], list[tuple[Field, Summary]]] = defaultdict(list)
    for obj, field in schema.summaries(child):
        if field.summary is not None:
            together[obj.name, _field(child, field.summary.via).name].append((field, field.summary))
    changed: dict[str, dict[str, dict[str, Any]]] = defaultdict(lambda: defaultdict(dict))
    for (name, via), pairs in together.items():
        wanted = sorted({p for p in parents.get(via, ()) if p})
        if not wanted:
            continue
        sql, parameters = statement(child, [summary for _, summary in pairs])
        packed = json.dumps(wanted)
        totals = {row[0]: row[1:] for row in db.execute(sql, [*parameters, packed])}
        nothing = (None,) * len(pairs)
        rules = [(field.name, *_ending(child, summary)) for field, summary in pairs]
        current = db.execute(
            f'SELECT Id, {quoted([field.name for field, _ in pairs])} FROM "{name}" '
            "WHERE Id IN (SELECT value FROM json_each(?))",
            (packed,),
        )
        for record, *old in current:
            for (field_name, empty, scale), before, total in zip(rules, old, totals.get(record, nothing), strict=True):
                new = empty if total is None else round(float(total), scale)
                if new != before:
                    changed[name][record][field_name] = new
    for name, records in changed.items():
        groups: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
        for record, values in records.items():
            groups[tuple(values)].append((*values.values(), stamp, user_id, stamp, record))
        for names, rows in groups.items():
            columns = (*names, "LastModifiedDate", "LastModifiedById", "SystemModstamp")
            assignments = ", ".join(f'"{column}" = ?' for column in columns)
            db.executemany(f'UPDATE "{name}" SET {assignments} WHERE Id = ?', rows)
        _climb(db, schema, schema.objects[name.lower()], sorted(records), stamp, user_id)


def _ending(child: Object, summary: Summary) -> tuple[float | None, int]:
    """Return what a roll-up over nothing is, and the digits after the point it is brought to."""
    empty = None if summary.operation in ("min", "max") else 0.0
    # Amounts are stored as doubles: a sum is brought back to the digits of what it sums.
    summed = summary.operation == "sum" and summary.field
    return empty, _field(child, summary.field).scale if summed and summary.field else 15


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
