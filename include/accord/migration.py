"""Moving a legal entity from one ERP to another: what a change of the routing asks to be done, by the flows there are.

First the catalogues are matched, so that orders quoted from the old ERP's products find them in the new one; then the flows
read everything: customers are created in the new ERP and deactivated in the old one, orders nobody has begun are let go by the
old one and, after that, created in the new one. Everything is a load like any other: stopped anywhere and run again, it ends
the same.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from accord.errors import Stop
from accord.flows import SALESFORCE, Flow, flows_of
from accord.objects import OBJECTS
from accord.objects.customer_account import CUSTOMER_ACCOUNT
from accord.objects.definition import BusinessObject
from accord.pipeline.buckets import Buckets
from accord.pipeline.flow_run import run_flow
from accord.pipeline.runs import Params
from accord.ports import Selection
from accord.routing import LegalEntity, legal_entity
from accord.runtime import Accord

Name = tuple[Any, ...]

log = logging.getLogger(__name__)

# any content: that a record of another ERP is this one's is all the link says
_KNOWN = b"the same record of another ERP"

_LINK = """
INSERT INTO link AS l (stream, key, native, version, read_at, hash)
SELECT %s, key, native, now(), now(), %s FROM unnest(%s::text[], %s::text[]) AS w (key, native)
ON CONFLICT (stream, key) DO UPDATE SET native = excluded.native, version = excluded.version, read_at = excluded.read_at
WHERE l.native IS DISTINCT FROM excluded.native
"""

_LEFT = """
SELECT s.target AS system, coalesce(p.state, 'not told yet') AS state, count(*) AS orders
FROM staying y JOIN stream s ON s.id = y.stream
LEFT JOIN stream t ON t.object = %(progress)s
LEFT JOIN link p ON p.stream = t.id AND p.key = y.key
WHERE s.object = %(object)s AND s.target = ANY(%(former)s) AND y.legal_entity = %(entity)s
GROUP BY 1, 2 ORDER BY 1, 2
"""

_WAITING = """
SELECT object, target, category, count(*) AS records FROM exception
WHERE state <> 'closed' AND object = ANY(%(objects)s) AND target = ANY(%(systems)s)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """How many records of a former ERP's catalogue the new one has too, by `fields`; `missing` are the keys of those it has not,
    or has several times."""

    object: str
    former: str
    fields: tuple[str, ...]
    matched: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """What was done, or would be: the matched catalogues, the summary of every run, the records with one place that former ERPs
    still finish (system, state, orders), and what waits for somebody (object, target, category, records)."""

    entity: str
    system: str
    former: tuple[str, ...]
    dry_run: bool
    matched: list[Matched] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    left: list[dict[str, Any]] = field(default_factory=list)
    waiting: list[dict[str, Any]] = field(default_factory=list)


def migrate(accord: Accord, code: str, *, dry_run: bool = False) -> Migration:
    """Carry out what the routing says of the legal entity `code`: it has moved from its former ERPs to the one it names now.

    A dry run reads and compares, and writes nothing but its runs. Running it again goes on where it stopped. Raises Stop when the
    routing names no such entity, or no former ERP of it; and what a failing run raises.
    """
    entity = _moving(code)
    former = tuple(one.system for one in entity.formerly)
    done = Migration(entity=code, system=entity.system, former=former, dry_run=dry_run)
    for definition in OBJECTS.values():
        if definition.known_by:
            done.matched.extend(_match(accord, definition, entity, dry_run=dry_run))
    if not dry_run:  # how far the former ERPs are decides what stays with them
        for name in _told():
            _run(accord, done, _from(former, name), Params())
    everything = Params(full_refresh=True, dry_run=dry_run)
    for definition in OBJECTS.values():
        if definition.routed_by:
            _run(accord, done, _from((SALESFORCE,), definition.name), everything)
    if not dry_run:
        for definition in OBJECTS.values():
            if definition.has_one_place:  # what the former ERP has let go by now
                _run(accord, done, _from((SALESFORCE,), definition.name), Params())
        for name in (*_told(), CUSTOMER_ACCOUNT.name):
            _run(accord, done, _from((entity.system, *former), name), Params())
    _report(accord, done)
    return done


def _moving(code: str) -> LegalEntity:
    try:
        entity = legal_entity(code)
    except KeyError as error:
        raise Stop(str(error.args[0]), cure="Name a legal entity of accord.routing.") from None
    if not entity.formerly:
        raise Stop(
            f"The routing says of no other ERP that it kept the books of {code} before {entity.system}.",
            cure="Name its new system and company in accord.routing, and the old ones in `formerly`.",
        )
    return entity


def _match(accord: Accord, definition: BusinessObject, entity: LegalEntity, *, dry_run: bool) -> Iterator[Matched]:
    """Have the links say which records of the former ERPs are which of the new one."""
    here = dict(_unique(accord, entity, definition))
    for one in entity.formerly:
        there = _read(accord, one.system, definition, entity.code)
        natives = {
            key: accord.source(entity.system).native_of(definition, here[name]) for key, name in there if name in here
        }
        if not dry_run:
            stream = accord.hub.stream(entity.system, definition.name)
            with accord.hub.session() as session:
                session.execute(_LINK, (stream, _KNOWN, list(natives), list(natives.values())))
        yield Matched(
            object=definition.name,
            former=one.system,
            fields=definition.known_by,
            matched=len(natives),
            missing=tuple(sorted(key for key, _ in there if key not in natives)),
        )


def _unique(accord: Accord, entity: LegalEntity, definition: BusinessObject) -> Iterator[tuple[Name, str]]:
    """(what it is known by, key) of the new ERP's records, where only one is known by that."""
    found = _read(accord, entity.system, definition, entity.code)
    times = Counter(name for _, name in found)
    return ((name, key) for key, name in found if times[name] == 1)


def _read(accord: Accord, system: str, definition: BusinessObject, code: str) -> list[tuple[str, Name]]:
    """(key, what it is known by) of the records of an object `system` has of the legal entity `code`."""
    source = accord.source(system)
    batch = accord.staging.new_batch(f"migration-{system}-{definition.name}", 0, "source")
    sink = Buckets(accord.staging, batch, accord.chunk_rows)
    found: list[tuple[str, Name]] = []
    try:
        read_at = source.extract(definition, Selection(), sink)
        for chunk in sink.close(source.required_columns(definition)):
            parts = {name: accord.staging.read(file) for name, file in chunk.parts.items()}
            table: pa.Table = source.to_canonical(definition, parts, read_at)
            names = {"key", "legal_entity", "legal_entities", *definition.known_by} & {*table.column_names}
            live = table.filter(pc.invert(pc.fill_null(table["gone"], False)))
            for row in live.select(sorted(names)).to_pylist():
                if code in (row.get("legal_entities") or (row.get("legal_entity"),)):
                    found.append((row["key"], tuple(row[name] for name in definition.known_by)))
    finally:
        accord.staging.remove(batch)
    return found


def _told() -> list[str]:
    """The objects that tell how far an ERP is with a record."""
    return [one.progress.object for one in OBJECTS.values() if one.progress]


def _from(systems: tuple[str, ...], object_name: str) -> list[Flow]:
    return [one for one in flows_of(object_name) if one.source in systems]


def _run(accord: Accord, done: Migration, flows: list[Flow], params: Params) -> None:
    for one in flows:
        log.info("%s to %s: %s", done.entity, done.system, one.name)
        done.runs.append(run_flow(accord, one, params=params))


def _report(accord: Accord, done: Migration) -> None:
    """What former ERPs still finish, and what waits in the ERPs the entity has books in."""
    exclusive = [one for one in OBJECTS.values() if one.has_one_place and one.progress]
    routed = [one.name for one in OBJECTS.values() if one.routed_by]
    with accord.hub.session() as session:
        for definition in exclusive:
            values = {
                "progress": definition.progress and definition.progress.object,
                "object": definition.name,
                "former": list(done.former),
                "entity": done.entity,
            }
            done.left.extend(session.execute(_LEFT, values).fetchall())
        systems = ["", done.system, *done.former]
        done.waiting.extend(session.execute(_WAITING, {"objects": routed, "systems": systems}).fetchall())
