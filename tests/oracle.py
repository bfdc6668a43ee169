"""Who is right in the end: looks only at what the source says and at what the targets hold and were told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from accord.objects import CUSTOMER
from accord.objects.definition import Owner
from accord.ports import Selection
from accord.routing import entities_of
from tests.fakes import CollectingSink, FakeTarget
from tests.tables import Row, by_key
from tests.world import World


def complaints(world: World) -> list[str]:
    """What is lost, double, out of date or written twice among the customers of the ERPs; [] when all is well."""
    said = _said(world)
    return [c for target in (world.tryton, world.legacy) for c in (*_held_wrong(target, said), *_told_twice(target))]


def _said(world: World) -> Mapping[str, Row]:
    sink = CollectingSink()
    read_at = world.source.extract(CUSTOMER, Selection(), sink)
    if not sink.written:
        return {}
    return by_key(world.source.to_canonical(CUSTOMER, sink.chunk(), read_at))


def _held_wrong(target: FakeTarget, said: Mapping[str, Row]) -> Iterator[str]:
    codes = {entity.code for entity in entities_of(target.name)}
    updated = target.keeps(CUSTOMER) & CUSTOMER.sent_by(Owner.SALESFORCE, creating=False)
    for key, row in said.items():
        live = not row["gone"] and bool(codes.intersection(row["legal_entities"] or ()))
        held = target.held(CUSTOMER, key)
        if len(held) > 1:
            yield f"{target.name} has {key} {len(held)} times"
        if live and not held:
            yield f"{target.name} has lost {key}"
        for record in held:
            if record["gone"] == live:
                yield f"{target.name}: {key} is {'in' if live else ''}active"
            elif live:
                yield from (
                    f"{target.name}: {name} of {key} is not what Salesforce says"
                    for name in sorted(updated)
                    if record[name] != (row[name] or None)
                )
    known = {record["key"] for record in target.records.get(CUSTOMER.name, {}).values()}
    yield from (f"{target.name} has {key}, which Salesforce has not" for key in sorted(known - said.keys()))


def _told_twice(target: FakeTarget) -> Iterator[str]:
    created: set[str] = set()
    last: dict[str, Row] = {}
    for write in target.writes:
        if write.object != CUSTOMER.name:
            continue
        if write.created and write.key in created:
            yield f"{target.name} was told twice to create {write.key}"
        if write.created:
            created.add(write.key)
        content = {
            name: v for name, v in write.fields.items() if name in CUSTOMER.sent_by(Owner.SALESFORCE, creating=False)
        }
        if last.get(write.key) == content:
            yield f"{target.name} was told the same of {write.key} twice"
        last[write.key] = content
