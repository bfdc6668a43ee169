# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters
"""sObject collections: up to 200 records in one request."""

import json
from collections.abc import Sequence
from typing import Any

from sandbox.salesforce import ids
from sandbox.salesforce.errors import ApiError, RowError
from sandbox.salesforce.fronts.messages import Answer, Call
from sandbox.salesforce.org import Org
from sandbox.salesforce.records.drafts import Draft, Operation, Reader
from sandbox.salesforce.schema.model import Field, Object
from sandbox.salesforce.schema.permissions import Actor
from sandbox.salesforce.soql.records import renderer

LARGEST = 200
LARGEST_RETRIEVE = 2000
_ROLLED_BACK = RowError(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)


class _RollBack(Exception):
    pass


def _records(call: Call) -> tuple[list[dict[str, Any]], bool]:
    body = call.record()
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records) or not records:
        raise ApiError(400, "INVALID_INPUT", "records must be a list of at least one record")
    if len(records) > LARGEST:
        raise ApiError(
            400, "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {LARGEST} records in this call"
        )
    return records, body.get("allOrNone") is True


def _object(org: Org, actor: Actor, record: dict[str, Any], name: str | None) -> Object:
    attributes = record.get("attributes")
    type = name or (attributes.get("type") if isinstance(attributes, dict) else None)
    if not isinstance(type, str):
        raise ApiError(400, "INVALID_INPUT", "attributes.type is missing in a record")
    found = org.schema.object(type)
    if found is None or not actor.permissions.allows(found, "read"):
        raise ApiError(400, "INVALID_TYPE", f"sObject type '{type}' is not supported.")
    return found


def _save(
    org: Org, call: Call, actor: Actor, operation: Operation, name: str | None = None, field: str | None = None
) -> Answer:
    records, all_or_none = _records(call)
    objects = [_object(org, actor, record, name) for record in records]
    external: Field | None = None
    if field is not None:
        external = actor.field(objects[0], field)
        if external is None or not external.id_lookup:
            raise ApiError(400, "INVALID_FIELD", f"{field} is not an External ID field of {objects[0].name}")
    spoil = org.row_rule(*call.place)
    drafts: list[Draft] = []
    try:
        with org.store.write():
            start = 0
            # Salesforce too works off runs of records of the same type.
            for at in range(1, len(records) + 1):
                if at < len(records) and objects[at] is objects[start]:
                    continue
                reader = Reader(org.schema, actor, objects[start], operation, external)
                chunk = reader.from_json(records[start:at])
                org.save(
                    actor,
                    objects[start],
                    operation,
                    chunk,
                    place=call.place,
                    external=external,
                    spoil=spoil,
                    first=start + 1,
                    duplicates=call.duplicates,
                )
                drafts += chunk
                start = at
            if all_or_none and any(draft.errors for draft in drafts):
                raise _RollBack
    except _RollBack:
        for draft in drafts:
            if not draft.errors:
                draft.errors = [_ROLLED_BACK]
                draft.id = None if draft.created else draft.id
    return Answer(data=[_result(draft, upsert=operation is Operation.UPSERT) for draft in drafts])


def _result(draft: Draft, *, upsert: bool) -> dict[str, Any]:
    if draft.errors:
        result: dict[str, Any] = {"success": False, "errors": [error.as_save_result() for error in draft.errors]}
        return {"id": draft.id, **result} if draft.id else result
    result = {"id": draft.id, "success": True, "errors": []}
    return {**result, "created": draft.created} if upsert else result


def create(org: Org, call: Call, actor: Actor) -> Answer:
    """Create records."""
    return _save(org, call, actor, Operation.INSERT)


def update(org: Org, call: Call, actor: Actor) -> Answer:
    """Change records."""
    return _save(org, call, actor, Operation.UPDATE)


def upsert(org: Org, call: Call, actor: Actor, name: str, field: str) -> Answer:
    """Create or change records by an external id."""
    org.object(actor, name)
    return _save(org, call, actor, Operation.UPSERT, name, field)


def delete(org: Org, call: Call, actor: Actor) -> Answer:
    """Delete the records of ``ids=``."""
    records = [record for record in call.query.get("ids", "").split(",") if record]
    if not 1 <= len(records) <= LARGEST:
        raise ApiError(400, "EXCEEDED_ID_LIMIT", f"give 1 to {LARGEST} ids")
    all_or_none = call.query.get("allOrNone", "").lower() == "true"
    outcomes: Sequence[RowError | None] = ()
    try:
        with org.store.write():
            outcomes = org.delete(actor, records, place=call.place, spoil=org.row_rule(*call.place))
            if all_or_none and any(outcomes):
                raise _RollBack
    except _RollBack:
        outcomes = [error or _ROLLED_BACK for error in outcomes]
    return Answer(
        data=[
            {
                "id": ids.normalize(record) or record,
                "success": error is None,
                "errors": [error.as_save_result()] if error else [],
            }
            for record, error in zip(records, outcomes, strict=True)
        ]
    )


def retrieve(org: Org, call: Call, actor: Actor, name: str) -> Answer:
    """Read records by id, in the order asked for; null for one that is not there."""
    obj = org.object(actor, name)
    if call.method == "POST":
        body = call.record()
        wanted, fields = body.get("ids") or [], body.get("fields") or []
    else:
        wanted, fields = call.query.get("ids", "").split(","), call.query.get("fields", "").split(",")
    if not wanted or not fields or len(wanted) > LARGEST_RETRIEVE:
        raise ApiError(400, "INVALID_INPUT", f"ids (at most {LARGEST_RETRIEVE}) and fields must be given")
    records = [ids.normalize(str(text)) for text in wanted]
    if any(record is None or not record.startswith(obj.prefix) for record in records):
        raise ApiError(400, "MALFORMED_ID", "malformed id " + ", ".join(str(text) for text in wanted))
    text = f"SELECT {', '.join(str(f) for f in fields)} FROM {obj.name}"
    plan = org.queries.compile(actor, text, deleted=False)
    record = renderer(plan, call.base)
    with org.store.snapshot() as db:
        found = {row[0]: record(row) for row in db.execute(plan.page(), (json.dumps(records),))}
        gone = {
            row[0]
            for row in db.execute(
                f'SELECT Id FROM "{obj.name}" WHERE IsDeleted = 1 AND Id IN (SELECT value FROM json_each(?))',
                (json.dumps(records),),
            )
        }
    return Answer(data=[None if one in gone else found.get(one or "") for one in records])
