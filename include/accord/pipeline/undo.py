"""Undo a run: what it wrote is written back as it was before, by a run of its own, through claims and dispatches like any other.

What the hub holds of what the source said stays as it is: the same reading again finds nothing to do, so an undo holds until the
source changes. A record that somebody changed since, here or in the target, is left alone and named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import pyarrow as pa
from psycopg.types.json import Jsonb

from accord.batch import RECORDS, Chunk, Manifest
from accord.errors import Stop
from accord.hub.audit import audit
from accord.hub.connection import Session, only
from accord.hub.copying import copy_into
from accord.images import GONE, Image, canonical, field_changes, merged
from accord.pipeline.compare import Comparison
from accord.pipeline.load import load
from accord.pipeline.recover import found_equal
from accord.pipeline.runs import Run, RunKind, open_run, read_run
from accord.pipeline.settle import close_as_failed, settle
from accord.ports import Target
from accord.retention import HISTORY_OF_PERSONS
from accord.runtime import Accord


class Step(StrEnum):
    """What an undo does about one record in one target."""

    RESTORE = "restore"  # the values before are written back
    DEACTIVATE = "deactivate"  # the run created it
    DONE = "done"  # it has been undone already
    LEAVE = "leave"  # `why` says what stands against it
    ELSEWHERE = "elsewhere"  # the run did not write it in this target


_BUCKETS = {
    Step.RESTORE: "changed",
    Step.DEACTIVATE: "changed",
    Step.DONE: "unchanged",
    Step.LEAVE: "superseded",
    Step.ELSEWHERE: "excluded",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """What an undo does about the record `key` in `target`; `fields` are the paths that go back."""

    target: str
    key: str
    step: Step
    why: str = ""
    fields: tuple[str, ...] = ()
    before: Image = field(default_factory=dict, repr=False)  # may hold personal values
    held: Mapping[str, Any] = field(default_factory=dict, repr=False)  # its link


_WRITTEN = """
SELECT DISTINCT y.key FROM delivery y JOIN dispatch d ON d.id = y.dispatch JOIN stream s ON s.id = d.stream
WHERE d.run = %s AND s.object = %s AND y.outcome = 'applied' ORDER BY y.key
"""

_STATE = """
SELECT a.key, i.plain, i.personal, i.dispatch AS last, di.run AS last_run, l.native, l.version, l.read_at, l.hash, l.merged_into,
  l.deleted, l.dispatch AS claim,
  EXISTS (SELECT FROM delivery y JOIN dispatch d ON d.id = y.dispatch
          WHERE y.key = a.key AND y.stream = %(stream)s AND d.run = %(run)s AND y.outcome = 'applied') AS written,
  EXISTS (SELECT FROM audit f WHERE f.subject = a.key AND f.what = 'forgotten'
            AND f.at > (SELECT started FROM run WHERE id = %(run)s)) AS forgotten
FROM unnest(%(keys)s::text[]) a (key)
LEFT JOIN link l ON l.stream = %(stream)s AND l.key = a.key
LEFT JOIN image i ON i.stream = %(stream)s AND i.key = a.key LEFT JOIN dispatch di ON di.id = i.dispatch
ORDER BY a.key
"""

_CHANGES = """
SELECT c.key, c.personal, c.basis, c.before, c.after FROM change c JOIN dispatch d ON d.id = c.dispatch
WHERE d.run = %(run)s AND c.stream = %(stream)s AND c.key = ANY(%(keys)s) ORDER BY c.dispatch DESC
"""


def plan(accord: Accord, run_id: int) -> list[Undoing]:
    """What undoing run `run_id` would do, per record and target; nothing is written. Targets are read.

    Raises Stop when there is no such run, or its history is not whole any more; Unavailable when a target can't be read.
    """
    return [one for page in _pages(accord, _undoable(accord, run_id)) for part in page.values() for one in part]


def undo(accord: Accord, run_id: int, *, who: str) -> tuple[list[Undoing], dict[str, Any]]:
    """Undo run `run_id`; what was done, and the summary of the run that did it. Again, it goes on where it ended.

    Raises what `plan` raises, and what loading raises after closing the undo as failed.
    """
    undone = _undoable(accord, run_id)
    number = open_run(accord, undone.flow, engine_run=f"undo of run {run_id}", kind=RunKind.UNDO)
    with accord.hub.session() as session:
        session.execute("UPDATE run SET undoes = %s WHERE id = %s", (run_id, number))
        audit(session, who, "run undone", [f"run {run_id}"], {"run": number})
    try:
        done, manifests = _stage(accord, undone, number)
        run = read_run(accord.hub, number)
        for name, manifest in manifests.items():
            comparison = UndoComparison(accord, run, accord.target(name), run.definition, manifest)
            for chunk in comparison.carry_out():
                load(accord, asdict(chunk))
    except Exception as error:
        close_as_failed(accord, number, error)
        raise
    return done, settle(accord, number)


class UndoComparison(Comparison):
    """A batch of values before. What is to be sent was decided with it; references and hierarchy are looked up as always."""

    recognize = ()
    afterwards = ()

    def _stage(self, session: Session, chunk: Chunk) -> None:
        table = self.accord.staging.read(chunk.parts[RECORDS])
        rows = table.num_rows
        columns = {
            "key": table["key"],
            "version": table["version"],
            "read_at": table["read_at"],
            "hash": table["_held_hash"],  # what the source said stays
            "hash_alone": table["_held_hash"],
            "gone": table["gone"],
            "deleted": table["_held_deleted"],
            "bucket": table["_bucket"],
            "parent": table[self.definition.parent] if self.definition.parent else pa.nulls(rows, pa.string()),
            "state": table[self.definition.state] if self.definition.state else pa.nulls(rows, pa.string()),
            "out_of_scope": pa.array([False] * rows),
            "batch_chunk": pa.array([chunk.number] * rows, pa.int32()),
        }
        copy_into(session, "staged", pa.table(columns))


def _undoable(accord: Accord, run_id: int) -> Run:
    run = read_run(accord.hub, run_id)
    with accord.hub.session() as session:
        old = only(
            session.execute("SELECT started < now() - %s AS old FROM run WHERE id = %s", (HISTORY_OF_PERSONS, run_id))
        )["old"]
    if old:
        raise Stop(
            f"Run {run_id} is older than the history of personal values is kept.",
            cure="Correct the records in the source; the next run takes them.",
        )
    return run


def _pages(accord: Accord, run: Run) -> Iterator[dict[str, list[Undoing]]]:
    """Target → what is to be done there, a chunk of keys at a time."""
    with accord.hub.session() as session:
        keys = [row["key"] for row in session.execute(_WRITTEN, (run.id, run.flow.object)).fetchall()]
    for first in range(0, len(keys), accord.chunk_rows):
        page = keys[first : first + accord.chunk_rows]
        yield {name: _decide(accord, run, accord.target(name), page) for name in run.flow.targets}


def _decide(accord: Accord, run: Run, target: Target, keys: list[str]) -> list[Undoing]:
    place = {"run": run.id, "keys": keys, "stream": accord.hub.stream(target.name, run.flow.object)}
    with accord.hub.session() as session:
        states = session.execute(_STATE, place).fetchall()
        changes: dict[str, list[Mapping[str, Any]]] = {}
        for row in session.execute(_CHANGES, place).fetchall():
            changes.setdefault(row["key"], []).append(row)
        undoes = {row["id"] for row in session.execute("SELECT id FROM run WHERE undoes = %s", (run.id,)).fetchall()}
    found = [_undoing(run, target.name, state, changes.get(state["key"], []), undoes) for state in states]
    return _as_held(accord, run, target, found, {state["key"]: state for state in states})


def _undoing(
    run: Run, target: str, state: Mapping[str, Any], changes: list[Mapping[str, Any]], undoes: set[int]
) -> Undoing:
    def left(why: str) -> Undoing:
        return Undoing(target=target, key=state["key"], step=Step.LEAVE, why=why, held=state)

    if not state["written"]:
        return Undoing(target=target, key=state["key"], step=Step.ELSEWHERE, held=state)
    if state["last_run"] in undoes:
        return Undoing(target=target, key=state["key"], step=Step.DONE, held=state)
    if state["forgotten"]:
        return left("its personal values were erased on request")
    if state["last_run"] != run.id or not changes:
        return left("written again since")
    if state["claim"] is not None:
        return left("another run is writing it")
    if any(change["basis"] == "unknown" for change in changes):
        return left("what it was before is not known")
    now = merged(state["plain"], state["personal"])
    if any(change["basis"] == "created" for change in changes):
        return Undoing(
            target=target, key=state["key"], step=Step.DEACTIVATE, fields=(GONE,), before={GONE: True}, held=state
        )
    halves = {False: dict(state["plain"]), True: dict(state["personal"])}
    for change in changes:  # the newest first
        half = halves[change["personal"]]
        for name in change["after"]:
            half.pop(name, None)
        half |= change["before"]
    before = merged(halves[False], halves[True])
    paths = tuple(path for path, _, _ in field_changes(now, before))
    return Undoing(target=target, key=state["key"], step=Step.RESTORE, fields=paths, before=before, held=state)


def _as_held(
    accord: Accord, run: Run, target: Target, found: list[Undoing], states: Mapping[str, Mapping[str, Any]]
) -> list[Undoing]:
    """`found`, without those whose target does not hold any more what it was told."""
    asked = [one.key for one in found if one.step in (Step.RESTORE, Step.DEACTIVATE)]
    told = canonical(run.definition, {key: merged(states[key]["plain"], states[key]["personal"]) for key in asked})
    natives = {key: states[key]["native"] for key in asked}
    sent = told.append_column("native", pa.array([natives[key] for key in told["key"].to_pylist()], pa.string()))
    as_told = found_equal(accord, target, run.definition, sent, natives) if asked else {}
    return [
        Undoing(target=one.target, key=one.key, step=Step.LEAVE, why=f"changed in {target.name} since", held=one.held)
        if one.key in natives and one.key not in as_told
        else one
        for one in found
    ]


def _stage(accord: Accord, undone: Run, number: int) -> tuple[list[Undoing], dict[str, Manifest]]:
    """Write what is to go back as batches, one per target, and remember how many records came in."""
    definition, done = undone.definition, []
    folders = {name: accord.staging.new_batch(undone.flow.name, number, f"undo-{name}") for name in undone.flow.targets}
    chunks: dict[str, list[Chunk]] = {name: [] for name in folders}
    keys = 0
    for page_number, page in enumerate(_pages(accord, undone)):
        for name, undoings in page.items():
            table = _before(undone, undoings)
            file = accord.staging.write(f"{folders[name]}/{page_number:05d}-{RECORDS}.parquet", table)
            chunks[name].append(Chunk(number=page_number, parts={RECORDS: file}))
            done += undoings
        keys += len(next(iter(page.values())))
    manifests = {
        name: accord.staging.write_manifest(
            Manifest(
                batch=folder,
                flow=undone.flow.name,
                object=definition.name,
                stage="canonical",
                chunks=tuple(chunks[name]),
                read_at="",
                counts={},
            )
        )
        for name, folder in folders.items()
    }
    with accord.hub.session() as session:
        session.execute(
            "UPDATE run SET counts = %s, amounts = '{}', canonical_manifest = %s WHERE id = %s",
            (Jsonb({"extracted": keys}), next(iter(manifests.values())).path, number),
        )
    return done, manifests


def _before(run: Run, undoings: list[Undoing]) -> pa.Table:
    """The values before as a canonical table, with what the hub holds of each record: that stays."""
    table = canonical(run.definition, {one.key: one.before for one in undoings})
    for name in ("version", "read_at", "merged_into"):
        place = table.column_names.index(name)
        values = pa.array([one.held[name] for one in undoings], table.schema.field(name).type)
        table = table.set_column(place, name, values)
    table = table.append_column("_bucket", pa.array([_BUCKETS[one.step] for one in undoings], pa.string()))
    table = table.append_column("_held_hash", pa.array([one.held["hash"] for one in undoings], pa.binary()))
    return table.append_column("_held_deleted", pa.array([bool(one.held["deleted"]) for one in undoings], pa.bool_()))


def counts(undoings: list[Undoing]) -> dict[str, dict[str, int]]:
    """Target → step → how many records."""
    found: dict[str, Counter[str]] = {}
    for one in undoings:
        if one.step is not Step.ELSEWHERE:
            found.setdefault(one.target, Counter())[one.step.value] += 1
    return {target: dict(sorted(steps.items())) for target, steps in sorted(found.items())}
