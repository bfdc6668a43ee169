"""What `accord doctor` says about an org: each finding with its cure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

import pyarrow as pa

from accord.errors import AccordError, BadCredentials, SchemaDrift
from accord.objects.definition import BusinessObject, Field, Owner, Reference
from accord.ports import Check
from accord.systems.salesforce.client import Client
from accord.systems.salesforce.describe import Described, describe, unreadable
from accord.systems.salesforce.mapping import ChildWriting, Writing, all_parts
from accord.systems.salesforce.mappings import READINGS, WRITINGS
from accord.systems.salesforce.options import PERMISSION_CURE, PERMISSION_SET
from accord.systems.salesforce.rest_query import rest_pages
from accord.systems.salesforce.soql import Select, compare

_RESERVE = 0.1  # share of the day's requests below which the doctor speaks up


def check(client: Client, name: str, definitions: Mapping[str, BusinessObject]) -> Iterator[Check]:
    """Login, version, limits, permission set, then the objects and fields of every definition. Never raises."""
    try:
        client.login()
        version = client.version
    except AccordError as error:
        yield Check(subject=f"{name} login", ok=False, found=_said(error), cure=error.cure)
        return
    looks = (
        partial(_login, client, name),
        partial(_version, client, name, version),
        partial(_limits, client, name),
        partial(_permission_set, client, name),
        *(partial(_reads, client, name, d) for n, d in definitions.items() if n in READINGS),
        *(
            partial(_writes, client, name, d, writing)
            for n, d in definitions.items()
            if n in WRITINGS
            for writing in (WRITINGS[n], *WRITINGS[n].instead.values())
        ),
    )
    for look in looks:
        try:
            yield from (line if not line.ok else replace(line, cure="") for line in look())
        except AccordError as error:
            yield Check(subject=name, ok=False, found=_said(error), cure=error.cure)
            if isinstance(error, BadCredentials):
                return


def _said(error: AccordError) -> str:
    return str(error).removesuffix(error.cure).strip()


def _login(client: Client, name: str) -> Iterator[Check]:
    user = client.json("/services/oauth2/userinfo").get("preferred_username", "a user")
    yield Check(subject=f"{name} login", ok=True, found=f"{client.login().instance_url} as {user}")


def _version(client: Client, name: str, version: str) -> Iterator[Check]:
    offered = sorted((float(v["version"]) for v in client.json("/services/data")), reverse=True)
    yield Check(
        subject=f"{name} API version",
        ok=float(version[1:]) in offered,
        found=f"{version} in use, v{offered[0]:.1f} is the newest offered",
        cure="Set api_version of the connection to one the org offers, or leave it out.",
    )


def _limits(client: Client, name: str) -> Iterator[Check]:
    limit = client.json("/limits")["DailyApiRequests"]
    left, allowed = int(limit["Remaining"]), int(limit["Max"])
    yield Check(
        subject=f"{name} requests",
        ok=left >= allowed * _RESERVE,
        found=f"{left:,} of {allowed:,} left today",
        cure="Find out which integration uses them up, or buy more; orders need the reserve.",
    )


def _permission_set(client: Client, name: str) -> Iterator[Check]:
    user = client.json("/services/oauth2/userinfo")["user_id"]
    select = Select(
        sobject="PermissionSetAssignment",
        columns=("Id",),
        where=(compare("AssigneeId", "=", user), compare("PermissionSet.Name", "=", PERMISSION_SET)),
    )
    try:
        assigned = any(rest_pages(client, select, {"Id": pa.string()}, deleted=False))
    except SchemaDrift:  # a user without "View Setup and Configuration" does not see it; the fields below tell
        return
    yield Check(
        subject=f"{name} permission set",
        ok=assigned,
        found=f"{PERMISSION_SET} is {'' if assigned else 'not '}assigned to the integration user",
        cure=PERMISSION_CURE,
    )


def _reads(client: Client, name: str, definition: BusinessObject) -> Iterator[Check]:
    for sobject, columns in all_parts(READINGS[definition.name], definition).items():
        missing = unreadable(client, describe(client, sobject), columns)
        yield _fields(name, f"{sobject} for {definition.name}", "read", missing, len(columns))


def _writes(client: Client, name: str, definition: BusinessObject, writing: Writing) -> Iterator[Check]:
    sent = definition.sent_by(Owner.ERP, creating=True)
    fields = [(definition.field(n), place) for n, place in writing.fields.items() if n in sent]
    described = describe(client, writing.sobject)
    columns = [place for _, place in fields]
    subject = f"{writing.sobject} for {definition.name}"
    if writing.external_id:
        missing = described.lacking("createable", "updateable") + described.missing(columns, "createable")
        yield _fields(name, subject, "write", missing, len(columns))
        yield _external_id(name, writing.external_id, described)
    else:
        yield _fields(name, subject, "write", described.missing(columns, "updateable"), len(columns))
    for child in writing.children:
        if child.constituent in sent:
            yield from _child(client, name, definition, child)
            parts = definition.constituent(child.constituent).fields
            fields += [(f, child.fields[f.name]) for f in parts if f.name in child.fields]
    yield from _references(client, name, definition, [field for field, _ in fields])
    if writing.standard_price:
        missing = describe(client, "Pricebook2").missing(("Id", "IsStandard"))
        yield _fields(name, f"Pricebook2 for {definition.name}", "read", missing, 2)


def _child(client: Client, name: str, definition: BusinessObject, child: ChildWriting) -> Iterator[Check]:
    described = describe(client, child.sobject)
    columns, subject = [*child.fields.values()], f"{child.sobject} for {child.constituent} of {definition.name}"
    if child.external_id is None:
        missing = described.missing(columns, "updateable") + described.missing([child.parent])
        yield _fields(name, subject, "write", missing, len(columns) + 1)
        return
    columns += [child.parent, *child.inherited.values()]
    missing = described.lacking("createable", "updateable", "deletable") + described.missing(columns, "createable")
    yield _fields(name, subject, "write and delete", missing, len(columns))
    yield _external_id(name, child.external_id, described)


def _references(client: Client, name: str, definition: BusinessObject, fields: list[Field]) -> Iterator[Check]:
    """The external ids by which records referred to are told."""
    objects = {field.type.object for field in fields if isinstance(field.type, Reference)}
    for writing in (WRITINGS[o] for o in sorted(objects) if o in WRITINGS):
        if writing.external_id:
            missing = describe(client, writing.sobject).missing([writing.external_id])
            yield _fields(name, f"{writing.sobject} for references of {definition.name}", "read", missing, 1)


def _fields(name: str, subject: str, doing: str, missing: list[str], asked: int) -> Check:
    return Check(
        subject=f"{name} {subject}",
        ok=not missing,
        found=f"can't {doing} {', '.join(missing)}" if missing else f"can {doing} all {asked} fields",
        cure=PERMISSION_CURE,
    )


def _external_id(name: str, field: str, described: Described) -> Check:
    unique = described.allows(field, "externalId") and described.allows(field, "unique")
    return Check(
        subject=f"{name} {described.sobject}.{field}",
        ok=unique,
        found=f"is {'a' if unique else 'no'} unique external id",
        cure="Deploy include/salesforce_metadata: without it a record could be created twice.",
    )
