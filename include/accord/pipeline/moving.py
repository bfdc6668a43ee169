"""Records whose legal entity moves from one ERP to another: which stay where they are, and which wait to be let go.

A record with one place (an order) is in one ERP at a time. What an ERP has begun it finishes; what it has not begun it lets go,
and only then it is created where it belongs now. The hub's links say who has it, so a run that died changes nothing of that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import LiteralString

import pyarrow as pa
import pyarrow.compute as pc

from accord.hub.connection import Hub, Session
from accord.hub.dispatches import ANOTHER_HAS_IT
from accord.objects import business_object
from accord.objects.definition import BusinessObject
from accord.pipeline.route import belongs
from accord.routing import books, erps

# of these records those that an ERP has and has begun: one that kept the legal entity's books before, or one that the routing
# has forgotten
_STAYING = """
SELECT w.key, w.entity, f.target
FROM unnest(%(keys)s::text[], %(entities)s::text[]) AS w (key, entity)
JOIN stream f ON f.object = %(object)s AND (%(former)s::jsonb -> w.entity ? f.target OR f.target <> ALL (%(erps)s))
JOIN link l ON l.stream = f.id AND l.key = w.key AND l.hash IS NOT NULL AND NOT l.gone
WHERE EXISTS (
  SELECT FROM stream s JOIN link p ON p.stream = s.id AND p.key = w.key
  WHERE s.object = %(progress)s AND p.hash IS NOT NULL AND NOT p.gone AND p.state <> ALL (%(open)s))
"""

# what would be created here meanwhile
HOLD_FOR_OTHERS: LiteralString = (
    """
UPDATE staged w SET bucket = 'parked', elsewhere = true
WHERE w.bucket = 'changed' AND NOT w.gone
  AND NOT EXISTS (SELECT FROM link l WHERE l.stream = %(stream)s AND l.key = w.key AND l.hash IS NOT NULL AND NOT l.gone)
  AND """
    + ANOTHER_HAS_IT
)


@dataclass(frozen=True, slots=True)
class Staying:
    """Where a record stays, and its legal entity."""

    system: str
    entity: str


def staying(session: Session, definition: BusinessObject, table: pa.Table) -> dict[str, Staying]:
    """Key → where it stays, of the canonical records of `table` that an ERP finishes though they are routed elsewhere by now."""
    if definition.progress is None or definition.routed_by is None or not definition.has_one_place:
        return {}
    from psycopg.types.json import Jsonb

    rows = session.execute(
        _STAYING,
        {
            "keys": table["key"].to_pylist(),
            "entities": table[definition.routed_by].to_pylist(),
            "object": definition.name,
            "former": Jsonb({code: former for code, (_, *former) in books().items()}),
            "erps": list(erps()),
            "progress": definition.progress.object,
            "open": list(definition.progress.open),
        },
    ).fetchall()
    return {row["key"]: Staying(row["target"], row["entity"]) for row in rows}


def belonging(
    definition: BusinessObject, table: pa.Table, system: str, stays: Mapping[str, Staying] | None = None
) -> pa.Array:
    """Per record, whether it belongs into `system`: where it stays, else where it is routed."""
    routed = belongs(definition, table, system)
    if not stays:
        return routed
    keys = table["key"].to_pylist()
    return pa.array(
        [
            stays[key].system == system if key in stays else there
            for key, there in zip(keys, routed.to_pylist(), strict=True)
        ],
        pa.bool_(),
    )


def gone_from(definition: BusinessObject, table: pa.Table, system: str, stays: Mapping[str, Staying]) -> pa.Array:
    """Per record, whether `system` is told that it is gone: it is, or it does not belong there."""
    return pc.or_(pc.fill_null(table["gone"], False), pc.invert(belonging(definition, table, system, stays)))


def remember_staying(session: Session, stream: int, system: str, table: pa.Table, stays: Mapping[str, Staying]) -> None:
    """Remember which records of `table` the ERP of `stream` finishes, for those who wait for the last of them."""
    session.execute("DELETE FROM staying WHERE stream = %s AND key = ANY(%s)", (stream, table["key"].to_pylist()))
    here = {key: one.entity for key, one in stays.items() if one.system == system}
    session.execute(
        "INSERT INTO staying (stream, key, legal_entity) SELECT %s, * FROM unnest(%s::text[], %s::text[])",
        (stream, list(here), list(here.values())),
    )


def moved_away(hub: Hub, definition: BusinessObject, table: pa.Table, source: str) -> pa.Array:
    """Per record, whether `source` tells of a record that it has let go for another ERP: what it says of it is history.

    Only what moved was let go; what sales took back where it was is gone, and not let go. A record that moved and was taken back
    then is history here all the same.
    """
    about = business_object(definition.about) if definition.about else None
    if about is None or not about.has_one_place:
        return pa.array([False] * table.num_rows, pa.bool_())
    with hub.session() as session:
        rows = session.execute(
            """SELECT l.key FROM stream s JOIN link l ON l.stream = s.id AND l.key = ANY(%s)
               WHERE s.target = %s AND s.object = %s AND l.hash IS NOT NULL AND l.gone AND l.let_go""",
            (table["key"].to_pylist(), source, about.name),
        ).fetchall()
    away = {row["key"] for row in rows}
    return pa.array([key in away for key in table["key"].to_pylist()], pa.bool_())
