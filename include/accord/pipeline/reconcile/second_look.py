"""The second look: the doubtful records once more, by key, with the hub's word before and after.

The link is read first, then the source, then the target, then the link again. A flow claims a record before it writes it and
frees it after: whatever the target was told between the two looks at the link, shows in the link.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from accord.hub.connection import Session
from accord.objects.definition import Constituent, Reference
from accord.pipeline.reconcile.amounts import Amounts, add_amounts, counted
from accord.pipeline.reconcile.classes import Difference, Facts, Held, Link, Said, Standing, classify
from accord.pipeline.reconcile.sides import Ours, Pair, asked_of, source_says
from accord.records import schema_of
from accord.systems.collapsing import flat

AT_ONCE = 2_000  # records whose fields are held against each other at once

Verdict = Standing | Difference


@dataclass(frozen=True, slots=True)
class SecondLook:
    """The verdicts on some keys, the run that read them, and when by the source's clock."""

    run: int
    read_at: datetime
    verdicts: Mapping[str, Verdict]
    amounts: Amounts


def second_look(pair: Pair, keys: Sequence[str], natives: Mapping[str, tuple[str, ...]], *, whole: bool) -> SecondLook:
    """Judge `keys`; `natives` are the target's own ids where a census saw them. The amounts are those of records the source has
    no trace of, of all of them when `whole`."""
    before = _links(pair, keys)
    run, read_at, readings = _read(pair, keys)
    said = {row["key"]: row for ours in readings for row in _said(pair, ours)}
    asked = [_native(said.get(key), before.get(key), natives.get(key)) for key in keys]
    theirs = pair.theirs(pa.array(keys, pa.string()), pa.array(asked, pa.string()))
    held = {row["key"]: row for row in theirs.to_pylist()}
    after = _links(pair, keys)
    waits, discards, undone = _waiting(pair, keys), _discarded(pair, keys), _undone(pair, keys)
    unknown = _Unknowable(pair, held.values())
    verdicts: dict[str, Verdict] = {}
    for key in keys:
        ours, there = said.get(key), held.get(key)
        link = after.get(key)
        digest = (ours["_alone"] if link and link.left_out else ours["_digest"]) if ours else None
        facts = Facts(
            key=key,
            said=Said(ours["_said"]) if ours else Said.ABSENT,
            held=_held(pair, ours, there),
            read_at=read_at,
            fields=tuple(_differing(pair, ours, there, link, unknown)) if ours and there else (),
            version=ours["version"] if ours else None,
            hash=digest,
            natives=natives.get(key) or ((there["native"],) if there else ()),
            before=before.get(key),
            after=link,
            waits=key in waits,
            discarded=ours is not None
            and ((key, ours["_words"]) in discards or (key in undone and link is not None and link.hash == digest)),
            handed_over=not pair.names,
            amounts=_money(pair, ours, there),
        )
        verdicts[key] = classify(pair.definition, facts)
    amounts: Amounts = {}
    mine = [schema_of(pair.definition).empty_table()]
    for some in readings:
        mine.append(some.rows)
        if whole:
            # what carries one of the records on, or is carried on by it, is read with it
            asked_for = pc.is_in(flat(some.rows["key"]), value_set=pa.array(keys, pa.string()))
            live = pc.and_(pc.equal(some.said, Said.LIVE.value), asked_for)
            add_amounts(amounts, pair, some.rows.filter(live), side="source")
    stray = [whole or key not in said for key in theirs["key"].to_pylist()]
    counts = pa.array([s and not g for s, g in zip(stray, theirs["gone"].to_pylist(), strict=True)], pa.bool_())
    theirs, beside = theirs.filter(counts), pa.concat_tables(mine)
    of = pc.index_in(flat(theirs["key"]), value_set=flat(beside["key"]))
    add_amounts(amounts, pair, theirs, side="target", beside=beside.take(of))
    return SecondLook(run, read_at, verdicts, amounts)


def _read(pair: Pair, keys: Sequence[str]) -> tuple[int, datetime, list[Ours]]:
    """What the source says of `keys`: the run that read it, when, and what it says."""
    asked = asked_of(pair.accord, pair.flow, keys)
    if not asked:
        return 0, datetime.now(UTC), []
    with source_says(pair.accord, pair.flow, asked) as reading:
        manifest = reading.manifest
        readings = [pair.ours(chunk) for chunk in manifest.chunks]
    return reading.run, datetime.fromisoformat(manifest.read_at), readings


def _said(pair: Pair, ours: Ours) -> Iterator[dict[str, Any]]:
    """The rows of the source as the target would hold them, with what is said of each."""
    columns = {
        "_said": ours.said,
        "_digest": pair.digest(ours.told),
        "_alone": pair.digest(ours.told, alone=True),
        "_words": ours.words,
        "_native": ours.natives,
    }
    rows = ours.rows
    for name, column in columns.items():
        rows = rows.append_column(name, column)
    yield from rows.to_pylist()


def _native(ours: Mapping[str, Any] | None, link: Link | None, seen: tuple[str, ...] | None) -> str | None:
    if ours is not None and ours["_native"]:
        return str(ours["_native"])
    if link is not None and link.told:
        return link.native
    return seen[0] if seen else None


def _held(pair: Pair, ours: Mapping[str, Any] | None, there: Mapping[str, Any] | None) -> Held:
    if there is None:
        return Held.ABSENT
    # a record with a state says in its state that it is gone
    in_state = pair.definition.state is not None and ours is not None and ours["_said"] != Said.GONE
    return Held.GONE if there["gone"] and not in_state else Held.LIVE


def _money(pair: Pair, ours: Mapping[str, Any] | None, there: Mapping[str, Any] | None) -> tuple[str, Any, Any]:
    """(currency, the source's amount, the target's). Of a record both have, only amounts that the target keeps."""
    mine = ours if ours and ours["_said"] == Said.LIVE else None
    other_one = there if there and (mine or not there["gone"]) else None
    currency, amount = counted(pair.definition, mine, pair.names if other_one else pair.definition.counted)
    other, held = counted(pair.definition, other_one, pair.names)
    return currency or other, amount, held


# ------------------------------------------------------------------------------------------------ field by field
def _differing(
    pair: Pair, ours: Mapping[str, Any], there: Mapping[str, Any], link: Link | None, unknowable: _Unknowable
) -> Iterator[str]:
    """Dotted paths of what is compared and not equal."""
    parts = {constituent.name: constituent for constituent in pair.definition.constituents}
    filled_in = pair.target.fills_in(pair.definition)
    for name in sorted(pair.names):
        mine, other = ours[name], there[name]
        if name in filled_in and not mine:
            continue
        if name in parts:
            if name in filled_in:
                told = {part[parts[name].key] for part in mine}
                other = [part for part in other or () if part[parts[name].key] in told]
            yield from _differing_parts(parts[name], mine, other, unknowable)
            continue
        if name == pair.definition.parent and link is not None and link.left_out == mine:
            mine = None
        if (mine or None if isinstance(mine, list) else mine) == (other or None if isinstance(other, list) else other):
            continue
        if not unknowable.of(name, other):
            yield name


def _differing_parts(
    constituent: Constituent,
    ours: list[dict[str, Any]] | None,
    there: list[dict[str, Any]] | None,
    unknowable: _Unknowable,
) -> Iterator[str]:
    mine = {part[constituent.key]: part for part in ours or ()}
    other = {part[constituent.key]: part for part in there or ()}
    if mine.keys() != other.keys() or len(mine) != len(ours or ()) or len(other) != len(there or ()):
        if sorted(map(str, ours or ())) != sorted(map(str, there or ())):
            yield constituent.name
        return
    for field in constituent.fields:
        path = f"{constituent.name}.{field.name}"
        pairs = ((mine[key][field.name], other[key][field.name]) for key in mine)
        if any(a != b and not unknowable.of(path, b) for a, b in pairs):
            yield path


class _Unknowable:
    """References of held records that name what no link knows: the target can't tell whose record that is, so nothing can be said."""

    def __init__(self, pair: Pair, held: Any) -> None:
        named: dict[str, set[str]] = {}
        self._objects: dict[str, str] = {}
        rows = list(held)
        for path, field in pair.definition.every_field():
            if isinstance(field.type, Reference):
                self._objects[path] = field.type.object
                named.setdefault(field.type.object, set()).update(_values(rows, path))
        self._known: set[tuple[str, str]] = set()
        with pair.accord.hub.session() as session:
            for name, values in named.items():
                foreign = {v for v in values if not v.startswith(f"{pair.target.name}:")}
                self._known |= {(name, v) for v in values - foreign}
                self._known |= {(name, key) for key in _linked(session, pair.target.name, name, sorted(foreign))}

    def of(self, path: str, value: str | None) -> bool:
        """Whether `value` at `path` names nothing that is known."""
        name = self._objects.get(path)
        return name is not None and value is not None and (name, value) not in self._known


def _values(rows: list[dict[str, Any]], path: str) -> set[str]:
    constituent, _, name = path.rpartition(".")
    parts = (part for row in rows for part in (row[constituent] or ())) if constituent else rows
    return {part[name] for part in parts if part[name]}


def _linked(session: Session, target: str, object_name: str, keys: list[str]) -> set[str]:
    rows = session.execute(
        """SELECT l.key FROM link l JOIN stream s ON s.id = l.stream
           WHERE s.target = %s AND s.object = %s AND l.key = ANY(%s) AND l.hash IS NOT NULL""",
        (target, object_name, keys),
    ).fetchall()
    return {row["key"] for row in rows}


# --------------------------------------------------------------------------------------------------- what the hub says
def _links(pair: Pair, keys: Sequence[str]) -> dict[str, Link]:
    with pair.accord.hub.session() as session:
        rows = session.execute(
            """SELECT key, coalesce(native, substr(key, strpos(key, ':') + 1)) AS native, version, read_at, hash, gone,
                 dispatch IS NOT NULL AS claimed, left_out
               FROM link WHERE stream = %s AND key = ANY(%s)""",
            (pair.stream, list(keys)),
        ).fetchall()
    return {row["key"]: Link(**{name: value for name, value in row.items() if name != "key"}) for row in rows}


def _waiting(pair: Pair, keys: Sequence[str]) -> set[str]:
    """Keys that an open exception has already; that they differ is no reason not to look whether they still do."""
    with pair.accord.hub.session() as session:
        rows = session.execute(
            """SELECT DISTINCT key FROM exception
               WHERE object = %s AND target IN ('', %s) AND key = ANY(%s) AND state <> 'closed' AND kind <> 'difference'""",
            (pair.definition.name, pair.target.name, list(keys)),
        ).fetchall()
    return {row["key"] for row in rows}


def _discarded(pair: Pair, keys: Sequence[str]) -> set[tuple[str, bytes]]:
    """(key, the hash of what the source said) a person decided to leave behind."""
    with pair.accord.hub.session() as session:
        rows = session.execute(
            """SELECT key, said FROM exception
               WHERE discarded AND said IS NOT NULL AND object = %s AND target IN ('', %s) AND key = ANY(%s)""",
            (pair.definition.name, pair.target.name, list(keys)),
        ).fetchall()
    return {(row["key"], bytes(row["said"])) for row in rows}


def _undone(pair: Pair, keys: Sequence[str]) -> set[str]:
    """Keys whose last write was taken back: until the source says something else, that holds."""
    with pair.accord.hub.session() as session:
        rows = session.execute(
            """SELECT i.key FROM image i JOIN dispatch d ON d.id = i.dispatch JOIN run r ON r.id = d.run
               WHERE i.stream = %s AND i.key = ANY(%s) AND r.undoes IS NOT NULL""",
            (pair.stream, list(keys)),
        ).fetchall()
    return {row["key"] for row in rows}
