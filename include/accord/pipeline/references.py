"""Where the records a changed record refers to stand in the target: by their links, or by their own ids where they come from it.

A record waits for what it refers to; its changes carry the target's ids beside the canonical ones (see accord.ports). One that
refers to records of its own batch (a bundle to its products) goes after them, in the same run: deeper, and in a later chunk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from accord.flows import origins
from accord.hub.connection import Hub, Session
from accord.hub.copying import copy_into
from accord.objects.definition import BusinessObject, Reference
from accord.systems.collapsing import flat
from accord.systems.nesting import with_part_column

_REFERS = """
CREATE TEMP TABLE refers (key text NOT NULL, object text NOT NULL, stream smallint, ref text NOT NULL, native text) ON COMMIT DROP
"""

_FIND = """
UPDATE refers r SET native = coalesce(l.native, substr(l.key, strpos(l.key, ':') + 1))
FROM link l WHERE r.native IS NULL AND l.stream = r.stream AND l.key = r.ref AND l.hash IS NOT NULL
"""

# where the target is the origin the id says it, unless another record carries it on
_CARRIED_ON = """
UPDATE refers r SET native = substr(i.native, strpos(i.native, ':') + 1)
FROM identity i WHERE r.stream IS NULL AND i.object = r.object AND i.key = r.ref AND i.native <> i.key
"""

_HOLD = """
UPDATE staged s SET bucket = 'parked', awaits = r.ref, awaits_object = r.object
FROM (SELECT DISTINCT ON (key) key, object, ref FROM refers f
      WHERE native IS NULL AND NOT (object = %(own)s AND EXISTS (
        SELECT FROM staged p WHERE p.key = f.ref AND p.bucket = 'changed' AND NOT p.gone))
      ORDER BY key, object, ref) r
WHERE s.key = r.key AND s.bucket = 'changed' AND NOT s.gone
"""

# one that refers to a record of the depth above goes after it
_DEEPEN = """
UPDATE staged s SET depth = %(depth)s FROM refers r JOIN staged p ON p.key = r.ref
WHERE r.key = s.key AND r.native IS NULL AND r.object = %(own)s AND p.depth = %(depth)s - 1 AND p.bucket = 'changed'
  AND s.bucket = 'changed' AND NOT s.gone
"""

_CAME = """
SELECT key, coalesce(native, substr(key, strpos(key, ':') + 1)) AS native FROM link
WHERE stream = %s AND key = ANY(%s) AND hash IS NOT NULL
"""

DEEPEST = 20  # records one behind the other in a batch

_NATIVES = """
SELECT DISTINCT r.object, r.ref, r.native FROM refers r JOIN staged s ON s.key = r.key
WHERE s.batch_chunk = %s AND s.bucket = 'changed' AND r.native IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Referred:
    """One reference of a definition: its dotted path, the object it names, the stream that object has in the target. Where the
    target is an `origin` of that object, canonical ids of its own hold its ids; links say which of its records are another ERP's."""

    path: str
    object: str
    stream: int
    origin: bool


class References:
    """The references of one object into one target. Made before the comparison's transaction, as streams are."""

    def __init__(self, hub: Hub, target: str, definition: BusinessObject) -> None:
        self._target = target
        self._referred = tuple(
            Referred(path, kind.object, hub.stream(target, kind.object), target in origins(kind.object))
            for path, kind in definition.references()
        )
        self._own = "" if definition.parent else definition.name  # a hierarchy's records travel in trees

    def __bool__(self) -> bool:
        return bool(self._referred)

    def prepare(self, session: Session) -> None:
        """Make room for the references of the changed records."""
        session.execute(_REFERS)

    def add(self, session: Session, changed: pa.Table) -> None:
        """Take in the references of `changed`, canonical rows."""
        own = f"{self._target}:"
        for one in self._referred:
            owners, values = _column(changed, one.path)
            there = pc.is_valid(values)
            owners, values = owners.filter(there), values.filter(there)
            native = pa.nulls(len(values), pa.string())
            if one.origin:
                rest = pc.utf8_slice_codeunits(values, start=len(own))
                native = pc.if_else(pc.starts_with(values, own), rest, native)
            rows = pa.table(
                {
                    "key": owners,
                    "object": pa.repeat(one.object, len(values)),
                    "stream": pa.repeat(pa.scalar(one.stream, pa.int16()), len(values)),
                    "ref": values,
                    "native": native,
                }
            )
            copy_into(session, "refers", rows.group_by(rows.column_names).aggregate([]))

    def hold(self, session: Session) -> None:
        """Find what is referred to; records whose references are not there, and don't go before them, are parked."""
        session.execute("CREATE INDEX ON refers (key)")
        session.execute(_FIND)
        session.execute(_CARRIED_ON)
        session.execute(_HOLD, {"own": self._own})
        for depth in range(1, DEEPEST + 1):
            if not session.execute(_DEEPEN, {"own": self._own, "depth": depth}).rowcount:
                break  # what goes round in a circle ends up deepest: the target holds it, as all whose reference did not arrive

    def with_natives(self, session: Session, chunk: int, changes: pa.Table) -> pa.Table:
        """`changes` of a chunk with `<reference>__native` for every reference: a column of the root's, a field in a part's."""
        natives: dict[str, dict[str, str]] = {one.object: {} for one in self._referred}
        for row in session.execute(_NATIVES, (chunk,)).fetchall():
            natives[row["object"]][row["ref"]] = row["native"]
        for one in self._referred:
            constituent, _, field = one.path.rpartition(".")
            _, values = _column(changes, one.path)
            found = _mapped(values, natives[one.object])
            if constituent:
                place = changes.column_names.index(constituent)
                lists = with_part_column(flat(changes[constituent]), f"{field}__native", found)
                changes = changes.set_column(place, constituent, lists)
            else:
                changes = changes.append_column(f"{field}__native", found)
        return changes


def own_references(definition: BusinessObject) -> list[str]:
    """Dotted paths of the references to records of the same object, the parent included."""
    fields = definition.every_field()
    return [p for p, field in fields if isinstance(field.type, Reference) and field.type.object == definition.name]


def with_those_that_came(session: Session, stream: int, definition: BusinessObject, changes: pa.Table) -> pa.Table:
    """`changes` with the native ids of records of the same object that were written after the comparison: before them by the
    same run, by another run, or by a try that died."""
    for path in own_references(definition):
        constituent, _, field = path.rpartition(".")
        _, values = _column(changes, path)
        _, natives = _column(changes, f"{path}__native")
        asked = pc.unique(values.filter(pc.and_(pc.is_null(natives), pc.is_valid(values)))).to_pylist()
        if not asked:
            continue
        came = {row["key"]: row["native"] for row in session.execute(_CAME, (stream, asked)).fetchall()}
        found = pc.coalesce(natives, _mapped(values, came))
        name = constituent or f"{field}__native"
        column = with_part_column(flat(changes[name]), f"{field}__native", found) if constituent else found
        changes = changes.set_column(changes.column_names.index(name), name, column)
    return changes


def _column(table: pa.Table, path: str) -> tuple[pa.Array, pa.Array]:
    """(key of the record, value) of every value of the reference `path`."""
    constituent, _, field = path.rpartition(".")
    keys = flat(table["key"])
    if not constituent:
        return keys, flat(table[field])
    lists = flat(table[constituent])
    return keys.take(pc.list_parent_indices(lists)), pc.struct_field(pc.list_flatten(lists), field)


def _mapped(values: pa.Array, natives: Mapping[str, str]) -> pa.Array:
    place = pc.index_in(values, value_set=pa.array(list(natives), pa.string()))
    return pa.array(list(natives.values()), pa.string()).take(place)
