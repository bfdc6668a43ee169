# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters
"""REST: single records and queries."""

from typing import Any

from sandbox.salesforce import ids
from sandbox.salesforce.clock import stored
from sandbox.salesforce.errors import ApiError, from_row, not_found
from sandbox.salesforce.fronts import conditional
from sandbox.salesforce.fronts.messages import Answer, Call
from sandbox.salesforce.org import Org
from sandbox.salesforce.records import values
from sandbox.salesforce.records.drafts import Draft, Operation, Reader
from sandbox.salesforce.schema.model import Field, FieldType, Object
from sandbox.salesforce.schema.permissions import Actor
from sandbox.salesforce.soql.plan import bare
from sandbox.salesforce.soql.running import BATCH

_STAMPS = ("Id", "LastModifiedDate", "SystemModstamp")
_UPSERT_TELLS = 46.0  # the first version whose upsert says what it updated


def batch_size(call: Call) -> int:
    """Return the page size of ``Sforce-Query-Options: batchSize=n``."""
    for part in call.headers.get("sforce-query-options", "").split(","):
        key, _, value = part.strip().partition("=")
        if key.lower() == "batchsize" and value.isdigit():
            return int(value)
    return BATCH


def query(org: Org, call: Call, actor: Actor) -> Answer:
    """Run SOQL; ``queryAll`` sees deleted records too."""
    if "q" not in call.query:
        if "explain" in call.query:
            raise ApiError(400, "NOT_COVERED", "Query plans are not covered by the local org")
        raise ApiError(400, "MALFORMED_QUERY", "A query string has to be specified")
    deleted = "/queryall" in call.path.lower()
    if call.query.get("columns") == "true":
        return Answer(data=_columns(org, actor, call.query["q"]))
    return Answer(data=org.queries.run(actor, call.query["q"], call.base, deleted=deleted, batch=batch_size(call)))


def _columns(org: Org, actor: Actor, text: str) -> dict[str, Any]:
    plan = org.queries.compile(actor, text, deleted=False)
    metadata: list[dict[str, Any]] = [
        {
            "aggregate": plan.aggregate,
            "apexType": "String",
            "booleanType": output.field.type is FieldType.BOOLEAN,
            "columnName": ".".join(bare(output.names)),
            "custom": output.field.custom,
            "displayName": output.names[-1],
            "foreignKeyName": None,
            "insertable": output.field.createable,
            "numberType": output.field.precision > 0,
            "textType": not output.field.precision,
            "updatable": output.field.updateable,
            "joinColumns": [],
        }
        for output in plan.outputs
    ]
    return {
        "columnMetadata": metadata,
        "entityName": plan.object.name,
        "groupBy": bool(plan.group),
        "idSelected": True,
        "keyPrefix": plan.object.prefix,
    }


def query_more(org: Org, call: Call, actor: Actor, cursor: str) -> Answer:
    """Return a further page of a query."""
    return Answer(data=org.queries.more(actor, cursor, call.base, batch_size(call)))


def create(org: Org, call: Call, actor: Actor, name: str) -> Answer:
    """Create a record."""
    obj = org.object(actor, name)
    draft = Reader(org.schema, actor, obj, Operation.INSERT).from_json([call.record()])[0]
    _save(org, call, actor, obj, Operation.INSERT, draft)
    return Answer(
        201,
        {"id": draft.id, "success": True, "errors": []},
        headers={"Location": f"{call.base}/sobjects/{obj.name}/{draft.id}"},
    )


def _save(
    org: Org, call: Call, actor: Actor, obj: Object, operation: Operation, draft: Draft, external: Field | None = None
) -> None:
    org.save(
        actor,
        obj,
        operation,
        [draft],
        place=call.place,
        external=external,
        spoil=org.row_rule(*call.place),
        duplicates=call.duplicates,
    )
    if draft.matches:
        urls = [f"{call.base}/sobjects/{obj.name}/{record}" for record in draft.matches]
        raise ApiError(300, "MULTIPLE", "", body=urls)
    if draft.errors:
        raise from_row(draft.errors[0])


def _existing(org: Org, obj: Object, text: str) -> str:
    record = ids.normalize(text)
    if record is None or not record.startswith(obj.prefix):
        raise ApiError(404, "NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {text}")
    row = org.store.connection.execute(f'SELECT IsDeleted FROM "{obj.name}" WHERE Id = ?', (record,)).fetchone()
    if row is None:
        raise not_found()
    if row[0]:
        raise ApiError(404, "ENTITY_IS_DELETED", "entity is deleted", ())
    return record


def read(org: Org, call: Call, actor: Actor, name: str, record: str) -> Answer:
    """Read one record: all fields the user may see, or those of ``fields=``."""
    obj = org.object(actor, name)
    wanted = _existing(org, obj, record)
    headers = _conditions(org, call, obj, wanted)
    return Answer(data=_read(org, call, actor, obj, wanted), headers=headers)


def _conditions(org: Org, call: Call, obj: Object, record: str) -> dict[str, str]:
    return conditional.check(call, obj.name, org.store.rows(org.store.connection, obj, [record], _STAMPS)[record])


def _read(org: Org, call: Call, actor: Actor, obj: Object, record: str) -> dict[str, Any]:
    chosen = [f for f in call.query.get("fields", "").split(",") if f]
    fields = chosen or [f.name for f in obj.fields.values() if actor.permissions.reads(obj, f)]
    text = f"SELECT {', '.join(fields)} FROM {obj.name} WHERE Id = '{record}'"
    found: list[dict[str, Any]] = org.queries.run(actor, text, call.base)["records"]
    if not found:
        raise not_found()
    return found[0]


def update(org: Org, call: Call, actor: Actor, name: str, record: str) -> Answer:
    """Change a record."""
    obj = org.object(actor, name)
    wanted = _existing(org, obj, record)
    _conditions(org, call, obj, wanted)
    draft = Reader(org.schema, actor, obj, Operation.UPDATE).from_json([call.record()])[0]
    if draft.id:
        raise ApiError(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.", ())
    draft.id = wanted
    _save(org, call, actor, obj, Operation.UPDATE, draft)
    return Answer(204)


def delete(org: Org, call: Call, actor: Actor, name: str, record: str) -> Answer:
    """Delete a record."""
    obj = org.object(actor, name)
    wanted = _existing(org, obj, record)
    error = org.delete(actor, [wanted], place=call.place, spoil=org.row_rule(*call.place), obj=obj)[0]
    if error:
        raise from_row(error)
    return Answer(204)


def _external(org: Org, actor: Actor, name: str, field: str, value: str) -> tuple[Object, Field, Any]:
    obj = org.object(actor, name)
    found = actor.field(obj, field)
    if found is None or not found.id_lookup:
        raise ApiError(404, "NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {field}")
    try:
        return obj, found, values.converter(found)(value)
    except values.Unreadable:
        raise not_found() from None


def _by_external(org: Org, call: Call, obj: Object, field: Field, value: Any) -> str:
    collate = "" if field.case_sensitive else "COLLATE NOCASE"
    rows = org.store.connection.execute(
        f'SELECT Id FROM "{obj.name}" WHERE "{field.name}" = ? {collate} AND IsDeleted = 0', (value,)
    ).fetchall()
    if not rows:
        raise not_found()
    if len(rows) > 1:
        raise ApiError(300, "MULTIPLE", "", body=[f"{call.base}/sobjects/{obj.name}/{row[0]}" for row in rows])
    return str(rows[0][0])


def read_external(org: Org, call: Call, actor: Actor, name: str, field: str, value: str) -> Answer:
    """Read a record by an external id."""
    obj, found, key = _external(org, actor, name, field, value)
    return Answer(data=_read(org, call, actor, obj, _by_external(org, call, obj, found, key)))


def delete_external(org: Org, call: Call, actor: Actor, name: str, field: str, value: str) -> Answer:
    """Delete a record by an external id."""
    obj, found, key = _external(org, actor, name, field, value)
    return delete(org, call, actor, name, _by_external(org, call, obj, found, key))


def upsert(org: Org, call: Call, actor: Actor, name: str, field: str, value: str) -> Answer:
    """Create or update a record by an external id: 201 or 200 (204 before v46); 300 if several records have it."""
    obj, found, key = _external(org, actor, name, field, value)
    given = call.record()
    if any(k.lower() == found.name.lower() for k in given):
        raise ApiError(400, "INVALID_FIELD", f"The {found.name} field should not be specified in the sobject data.", ())
    draft = Reader(org.schema, actor, obj, Operation.UPSERT, found).from_json([given])[0]
    if found.type is FieldType.ID:
        draft.id = key
    else:
        draft.values[found.name] = key
    _save(org, call, actor, obj, Operation.UPSERT, draft, found)
    if not draft.created and float(call.version or 0) < _UPSERT_TELLS:
        return Answer(204)
    return Answer(
        201 if draft.created else 200, {"id": draft.id, "success": True, "errors": [], "created": draft.created}
    )


def changed(org: Org, call: Call, actor: Actor, name: str) -> Answer:
    """Answer getUpdated and getDeleted."""
    obj = org.object(actor, name)
    as_stored = values.converter(next(f for f in obj.fields.values() if f.name == "SystemModstamp"))
    try:
        start, end = (as_stored(call.query.get(key, "").replace(" ", "+")) for key in ("start", "end"))
    except values.Unreadable:
        start = end = None
    if not start or not end:
        raise ApiError(400, "INVALID_PARAMETER", "start and end must be given as yyyy-MM-ddTHH:mm:ssZ")
    if start > end:
        raise ApiError(400, "INVALID_REPLICATION_DATE", "startDate before endDate")
    gone = call.path.rstrip("/").endswith("/deleted")
    rows = org.store.connection.execute(
        f'SELECT Id, SystemModstamp FROM "{obj.name}" WHERE IsDeleted = ? AND SystemModstamp >= ? '
        "AND SystemModstamp < ? ORDER BY SystemModstamp",
        (int(gone), start, end),
    ).fetchall()
    covered = min(end, stored(org.clock.now())).replace("Z", "+0000")
    if not gone:
        return Answer(data={"ids": [row[0] for row in rows], "latestDateCovered": covered})
    first = org.store.connection.execute(f'SELECT min(CreatedDate) FROM "{obj.name}"').fetchone()[0] or start
    return Answer(
        data={
            "deletedRecords": [{"id": r[0], "deletedDate": r[1].replace("Z", "+0000")} for r in rows],
            "earliestDateAvailable": first.replace("Z", "+0000"),
            "latestDateCovered": covered,
        }
    )
