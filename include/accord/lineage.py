"""Lineage by column: from which field of which system a value comes, what it is in between, and where it goes. Read off the
definitions and mappings, so it can't differ from what runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from accord.flows import SALESFORCE, flows_of
from accord.objects import business_object
from accord.objects.definition import BusinessObject, ChoiceSet, Field, Owner, Reference
from accord.systems.places import places


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One field's way from a source to a target. `field` is the canonical path (`addresses.city`), `read` and `written` are the
    systems' own names; `read` is "" where no field of the source is (Accord's own), `rule` what happens in between."""

    object: str
    field: str
    source: str
    read: str
    target: str
    written: str
    rule: str


@cache
def lineage(object_name: str) -> tuple[Way, ...]:
    """Every way a value of the business object takes, in the order of flows, targets and fields."""
    return tuple(_ways(object_name))


def _ways(object_name: str) -> Iterator[Way]:
    definition = business_object(object_name)
    for flow in flows_of(object_name):
        side = Owner.SALESFORCE if flow.source == SALESFORCE else Owner.ERP
        sent = definition.sent_by(side, creating=True)
        read = places(flow.source, object_name)
        for target in flow.targets:
            written = places(target, object_name)
            for path, field in definition.every_field():
                if path.partition(".")[0] in sent and path in written:
                    yield Way(
                        object=object_name,
                        field=path,
                        source=flow.source,
                        read=read.get(path, ""),
                        target=target,
                        written=written[path],
                        rule=_rule(definition, path, field, side),
                    )


def _rule(definition: BusinessObject, path: str, field: Field, side: Owner) -> str:
    rules = []
    match field.type:
        case Reference(object=name):
            rules.append(f"the target's id of the {name}, by its link")
        case ChoiceSet():
            rules.append("as a sorted set")
    if path == definition.routed_by and definition.routing is not None:
        rules.append("by the declared routes where the source names none")
    if field.seeded_by is side and field.owner is not side:
        rules.append("when the record is created, and never after")
    return ", ".join(rules) or "as it is"


_SAID = re.compile(r"\s*\([^()]*\)")  # what a place says of itself beside its name
_COLUMN = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_BARE = re.compile(r"[A-Za-z_]\w*")


def columns(place: str) -> tuple[str, ...]:
    """The fields a place names, in their order: of `party.address.invoice, delivery` party.address.invoice and party.address.delivery;
    () where it names none (`derived from the lines`)."""
    found: list[str] = []
    listing = False  # what follows a field may be another of the same table, by its bare name
    for part in re.split(r",| and | × |;", _SAID.sub("", place)):
        if named := _COLUMN.search(part):
            found.append(named[0])
            listing = part.endswith(named[0])
        elif listing and _BARE.fullmatch(part.strip()):
            found.append(f"{found[-1].rpartition('.')[0]}.{part.strip()}")
        else:
            listing = False
    return tuple(dict.fromkeys(found))
