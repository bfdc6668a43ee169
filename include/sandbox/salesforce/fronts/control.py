# ruff: noqa: S608 - statements are made of names from the schema; values are always parameters
"""Control endpoints under /sandbox: faults, calls, clock, permissions, merge and the recycle bin. No sign-in."""

import shutil
from datetime import datetime, timedelta
from functools import partial

from sandbox.salesforce.clock import stored
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.fronts.messages import Answer, Call
from sandbox.salesforce.org import Org
from sandbox.salesforce.records.deleting import Deleting
from sandbox.salesforce.schema.permissions import Permissions


def faults(org: Org, call: Call, number: str | None = None) -> Answer:
    """GET lists the rules, POST adds one, DELETE removes one or all."""
    if call.method == "POST":
        return Answer(201, org.faults.add(call.record()))
    if call.method == "DELETE":
        org.faults.remove(int(number) if number else None)
        return Answer(204)
    return Answer(data=org.faults.list())


def calls(org: Org, call: Call) -> Answer:
    """GET lists recent calls, oldest first; DELETE forgets them."""
    if call.method == "DELETE":
        org.usage.calls.clear()
        return Answer(204)
    return Answer(data=list(org.usage.calls))


def reset(org: Org, call: Call) -> Answer:
    """Empty the org: records, jobs, faults, permission changes, calls, clock.

    Users, sessions and the standard price book stay, with their ids.
    """
    with org.store.write() as db:
        for obj in org.schema.objects.values():
            if not obj.setup:
                db.execute(f'DELETE FROM "{obj.name}"' + (" WHERE IsStandard = 0" if obj.name == "Pricebook2" else ""))
        for table in ("_deletion", "_cleared", "_job", "_job_batch"):
            db.execute(f"DELETE FROM {table}")
    org.queries.forget()
    shutil.rmtree(org.jobs.folder, ignore_errors=True)
    org.faults.remove()
    org.clock.offset, org.clock.standing = timedelta(), None
    org.usage.calls.clear()
    org.actors[org.settings.client_id].permissions = Permissions(org.sets)
    return Answer(204)


def merge(org: Org, call: Call) -> Answer:
    """Merge: ``{"master": id, "losers": [id, ...], "values": {field: value of the master, ...}}``."""
    body = call.record()
    obj, master = org.addressed(body.get("master"))
    losers = [org.addressed(loser)[1] for loser in body.get("losers") or []]
    return Answer(data=org.merge(org.admin, obj, master, losers, body.get("values") or {}, call.place))


def undelete(org: Org, call: Call) -> Answer:
    """Bring records back from the recycle bin: ``{"ids": [...]}``."""
    for value in call.record().get("ids") or []:
        record = org.addressed(value)[1]
        org.deleting(org.admin, partial(Deleting.undelete, record=record))
    return Answer(204)


def empty_bin(org: Org, call: Call) -> Answer:
    """Erase records that are in the recycle bin: ``{"ids": [...]}``, or all of it without ids."""
    wanted = call.record().get("ids") if call.body else None
    if wanted is None:
        wanted = [row[0] for row in org.store.connection.execute("SELECT DISTINCT root FROM _deletion").fetchall()]
    for value in wanted:
        org.deleting(org.admin, partial(Deleting.empty, record=org.addressed(value)[1]))
    return Answer(204)


def permissions(org: Org, call: Call) -> Answer:
    """Change the integration user's rights until the next reset or restart.

    ``{"object": "Account", "actions": ["read", "edit"]}`` or
    ``{"object": "Account", "field": "Phone", "read": true, "edit": false}``; DELETE goes back to the permission sets.
    """
    actor = org.actors[org.settings.client_id]
    if call.method == "DELETE":
        actor.permissions = Permissions(org.sets)
        return Answer(204)
    body = call.record()
    obj = org.schema.object(str(body.get("object")))
    if obj is None:
        raise ApiError(400, "INVALID_TYPE", f"there is no object {body.get('object')}")
    changed = actor.permissions.copy()
    if "field" in body:
        field = obj.field(str(body["field"]))
        if field is None:
            raise ApiError(400, "INVALID_FIELD", f"there is no field {obj.name}.{body['field']}")
        changed.set_field(
            obj.name, field.compound or field.name, read=bool(body.get("read")), edit=bool(body.get("edit"))
        )
    else:
        changed.set_object(obj.name, [str(action) for action in body.get("actions") or []])
    # Replaced as a whole: requests being answered go on with the rights they began with.
    actor.permissions = changed
    return Answer(204)


def clock(org: Org, call: Call) -> Answer:
    """Show the org's clock; POST ``{"offset_seconds": n}`` shifts it against the machine's, ``{"at": instant}`` lets it stand."""
    if call.method == "POST":
        body = call.record()
        try:
            org.clock.standing = datetime.fromisoformat(body["at"]) if "at" in body else None
        except (TypeError, ValueError):
            raise ApiError(400, "INVALID_CLOCK", "at is no instant: write it like 2026-01-31T12:00:00+00:00") from None
        org.clock.offset = timedelta(seconds=float(body.get("offset_seconds", 0)))
    return Answer(data={"now": stored(org.clock.now()), "offset_seconds": org.clock.offset.total_seconds()})


def sessions(org: Org, call: Call) -> Answer:
    """End all sessions."""
    org.revoke()
    return Answer(204)


def health(org: Org, call: Call) -> Answer:
    """Say that the org is up, and what it is."""
    return Answer(data={"status": "ok", "objects": len(org.schema.objects), "data": org.settings.data.name})
