"""What the org shows the integration user: asked on every extract and send, so that drift is found before it hurts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests

from accord.errors import SchemaDrift
from accord.objects.definition import Day, FieldType, Flag, Instant, Money, Number, Whole
from accord.systems.salesforce.client import Client, told_at
from accord.systems.salesforce.failures import Refused
from accord.systems.salesforce.options import PERMISSION_CURE


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """An object as the org describes it to this user; `at` is the org's clock when it did."""

    sobject: str
    at: datetime
    fields: Mapping[str, Mapping[str, Any]]
    rights: frozenset[str]  # of createable, updateable, deletable

    def missing(self, names: Iterable[str], *rights: str) -> list[str]:
        """`Object.Field` of those that are not there, or lack one of `rights` (createable, updateable, unique …)."""
        return [
            f"{self.sobject}.{n}"
            for n in dict.fromkeys(names)
            if n not in self.fields or not all(self.fields[n].get(right) for right in rights)
        ]

    def lacking(self, *rights: str) -> list[str]:
        """The object's name when it lacks one of `rights` as a whole."""
        return [] if self.rights.issuperset(rights) else [self.sobject]

    def allows(self, name: str, right: str) -> bool:
        """Whether the field has the right."""
        return not self.missing([name], right)


def describe(client: Client, sobject: str) -> Described:
    """The description of one object. Raises SchemaDrift when the org shows none."""
    try:
        response = client.read("GET", f"/sobjects/{sobject}/describe")
    except Refused as refused:
        if refused.status != requests.codes.not_found:
            raise
        raise SchemaDrift(f"Salesforce shows no object {sobject}.", cure=PERMISSION_CURE) from None
    at = told_at(response)
    told = response.json()
    return Described(
        sobject=sobject,
        at=at,
        fields={f["name"]: f for f in told.get("fields", ())},
        rights=frozenset(right for right in ("createable", "updateable", "deletable") if told.get(right)),
    )


def unreadable(client: Client, described: Described, names: Iterable[str]) -> list[str]:
    """`Object.Field` of the columns that can't be read; a column `Parent.Field` is a field of the record referred to."""
    own: list[str] = []
    others: dict[str, list[str]] = {}
    for column in names:
        parent, _, field = column.rpartition(".")
        if parent:
            others.setdefault(parent, []).append(field)
        else:
            own.append(column)
    missing = described.missing(own)
    by_relationship = {f.get("relationshipName"): f for f in described.fields.values()}
    for parent, fields in others.items():
        if parent not in by_relationship:
            missing.append(f"{described.sobject}.{parent}")
            continue
        (sobject,) = by_relationship[parent]["referenceTo"]
        missing += describe(client, sobject).missing(fields)
    return missing


# what the org may say a field of a kind is (Object Reference, "Field Types"); a field of any other kind may be anything with text
_KINDS: tuple[tuple[type, frozenset[str]], ...] = (
    (Flag, frozenset({"boolean"})),
    (Day, frozenset({"date"})),
    (Instant, frozenset({"datetime"})),
    (Money, frozenset({"currency", "double", "int", "percent"})),
    (Number, frozenset({"currency", "double", "int", "percent"})),
    (Whole, frozenset({"double", "int"})),
)


def retyped(described: Described, kinds: Mapping[str, FieldType]) -> list[str]:
    """`Object.Field` of the object's own fields that are no longer of a type that can hold what `kinds` (field → type) says."""
    wrong = []
    for name, kind in kinds.items():
        told = described.fields.get(name, {}).get("type")
        wanted = next((types for one, types in _KINDS if isinstance(kind, one)), None)
        if told and wanted and told not in wanted:
            wrong.append(f"{described.sobject}.{name}")
    return wrong


def demand(missing: Iterable[str], doing: str) -> None:
    """Raise SchemaDrift naming the fields, if there are any."""
    names = list(dict.fromkeys(missing))
    if names:
        raise SchemaDrift(
            f"Salesforce does not let the integration user {doing} {', '.join(names)}.", cure=PERMISSION_CURE
        )
