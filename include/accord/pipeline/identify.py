"""Records that carry on others become one with them: whoever came first named it, and the name stays.

An Opportunity that reached its committed stage is an order; so is the Order that sales makes of it. As long as there is no
Order the Opportunity asks for it. Once there is one the Order does: under the Opportunity's canonical id when the Opportunity
has asked before, so that the ERPs see an amendment and no second order; under its own when it came first. What no longer asks
counts as superseded. An Order that was sent under its own id before somebody joined it to an Opportunity that was sent too
leaves two requests: the Opportunity's is withdrawn.

Whoever names a record holds a lock of the object until it is written: two runs never name it twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from accord.hub.connection import Hub, Session
from accord.hub.identities import Identities
from accord.objects.definition import BusinessObject, Carried
from accord.records import CARRIED_ON, CARRIED_PARTS, CARRIES_ON
from accord.systems.collapsing import flat
from accord.systems.nesting import with_part_column

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Decided:
    """What becomes of the rows of a batch, by the id each has by itself."""

    keys: dict[str, str] = field(default_factory=dict)  # the id it goes by, where that is another
    superseded: set[str] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)


def identify(hub: Hub, definition: BusinessObject, source: str, table: pa.Table, *, dry: bool) -> pa.Table:
    """`table` (one row per record) with every record under the canonical id it goes by, without those another one speaks for and
    without the columns about it. Nothing is remembered of a dry run."""
    if definition.carried is None or CARRIES_ON.name not in table.column_names:
        return table
    rows = {row["key"]: row for row in _about(definition, table)}
    with hub.session() as session, session.transaction(force_rollback=dry):
        identities = Identities.about(session, definition.name, _named(rows.values()))
        decided = _decide(definition, identities, rows)
        parts = _parts(session, definition, definition.carried, table, decided.keys)
        identities.tell_anew(source)
    if decided.keys or decided.superseded:
        log.info(
            "%d %s(s) carry on another record, %d superseded",
            len(decided.keys),
            definition.name,
            len(decided.superseded),
        )
    return _applied(definition.carried, table, decided, parts)


def _about(definition: BusinessObject, table: pa.Table) -> list[dict[str, Any]]:
    scope = definition.scope
    live = pc.invert(pc.fill_null(table["gone"], False))
    if scope is not None:
        live = pc.and_(live, pc.is_in(table[scope.field], value_set=pa.array(scope.travels, pa.string())))
    told: list[dict[str, Any]] = (
        table.select(["key", "gone", CARRIES_ON.name, CARRIED_ON.name]).append_column("travels", live).to_pylist()
    )
    return told


def _named(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted({key for row in rows for key in (row["key"], row[CARRIES_ON.name]) if key})


def _decide(definition: BusinessObject, known: Identities, rows: Mapping[str, Mapping[str, Any]]) -> _Decided:
    decided = _Decided()
    origins = {key: row for key, row in rows.items() if row[CARRIED_ON.name] is not None}
    for key in sorted(origins):
        holder = known.holder(key)
        if holder is None or holder == key or holder not in rows:
            continue
        if rows[holder]["gone"] and not origins[key]["gone"]:
            known.hand_back(key)  # the record that carried it on was taken away
            decided.superseded.add(holder)
    for key in sorted(rows.keys() - origins.keys() - decided.superseded):
        row = rows[key]
        origin = None if row["gone"] else row[CARRIES_ON.name]
        if key in known:
            known.carries(key, row[CARRIES_ON.name] if known.key(key) != key else origin)
        elif origin and known.holder(origin) == origin and not known.was_sent(key):
            known.take_over(key, origin)
        elif origin:
            known.claim(key, carries_on=origin)
        if known.key(key) != key:
            decided.keys[key] = known.key(key)
    for key, row in origins.items():
        holder = known.holder(key)
        spoken_for = row[CARRIED_ON.name] or known.carriers(key)
        if holder not in (None, key) or (spoken_for and holder is None):
            decided.superseded.add(key)
        elif spoken_for:
            decided.withdrawn.add(key)
        elif holder is None and row["travels"]:
            known.claim(key)
    return decided


def _parts(
    session: Session, definition: BusinessObject, carried: Carried, table: pa.Table, keys: Mapping[str, str]
) -> dict[str, str]:
    """Canonical id of a part → the id it goes by, of the records that go by another's."""
    adopted = table.filter(pc.is_in(table["key"], value_set=pa.array(list(keys), pa.string())))
    pairs = [
        (pair["part"], pair["as"], key)
        for key, told in zip(adopted["key"].to_pylist(), adopted[CARRIED_PARTS.name].to_pylist(), strict=True)
        for pair in told or ()
    ]
    part_key = definition.constituent(carried.parts).key
    ids = pc.struct_field(pc.list_flatten(flat(adopted[carried.parts])), part_key).to_pylist()
    return Identities.of_parts(session, f"{definition.name}.{carried.parts}", pairs, ids)


def _applied(carried: Carried, table: pa.Table, decided: _Decided, parts: Mapping[str, str]) -> pa.Table:
    own = table["key"].to_pylist()
    kept = {name: dict(zip(own, table[name].to_pylist(), strict=True)) for name in carried.keeps}
    for name in carried.keeps:
        values = [kept[name].get(decided.keys.get(key, key), kept[name][key]) for key in own]
        table = _set(table, name, pa.array(values, table.schema.field(name).type))
    lists = flat(table[carried.parts])
    if parts:
        ids = pc.struct_field(pc.list_flatten(lists), "id")
        renamed = pa.array([parts.get(one, one) for one in ids.to_pylist()], pa.string())
        table = _set(table, carried.parts, with_part_column(lists, "id", renamed))
    table = _set(table, "key", pa.array([decided.keys.get(key, key) for key in own], pa.string()))
    gone = pc.or_(pc.fill_null(table["gone"], False), pa.array([key in decided.withdrawn for key in own], pa.bool_()))
    table = _set(table, "gone", gone).drop_columns([CARRIES_ON.name, CARRIED_ON.name, CARRIED_PARTS.name])
    return table.filter(pa.array([key not in decided.superseded for key in own], pa.bool_()))


def _set(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)
