"""Load one chunk: claim, send, record. Whatever dies on the way, a second try ends in the same state.

A   write the dispatch, claim its keys, commit      nothing happened before, nobody else can send after
─   send exactly what was claimed
B   results, history, applied state, claims freed   one transaction
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from accord.availability import CATEGORY
from accord.batch import StagedFile
from accord.categories import Category
from accord.errors import AccordError, BadCredentials, SchemaDrift, SystemShut, Unavailable
from accord.hub.changes import without_image
from accord.hub.connection import Session
from accord.hub.dispatches import (
    Dispatch,
    OpenDispatch,
    claim,
    decided,
    open_dispatch,
    open_of_stream,
    own_open,
    settle_dispatch,
)
from accord.hub.exceptions import Raised, raise_exceptions
from accord.objects import business_object
from accord.pipeline import drift, recover
from accord.pipeline.answers import Answers, at_risk
from accord.pipeline.compare import ChunkToLoad
from accord.pipeline.insist import Insisting
from accord.pipeline.outcomes import outcomes, pictured, seeds
from accord.pipeline.references import own_references, with_those_that_came
from accord.pipeline.runs import Run, read_run
from accord.ports import Target
from accord.records import RESULTS, conform, content_hash
from accord.runtime import Accord

log = logging.getLogger(__name__)

# why a key that could not be claimed waits
WAITS = {"busy": Category.CLAIMED_ELSEWHERE, "elsewhere": Category.ELSEWHERE}
READ_BEFORE = 500  # records of a dispatch that are read before they are overwritten, where their last image is not left


def load(accord: Accord, chunk: Mapping[str, Any]) -> dict[str, int]:
    """Send one chunk to its target and return how its records fared, by bucket.

    What is left of it is parked when the target takes no calls. Raises Unavailable, BadCredentials or SchemaDrift when the target took
    nothing: the claims are freed, nothing is half-written; SystemShut when the target has no room now, or what it may have taken
    can't be read back.
    """
    one = ChunkLoad(accord, ChunkToLoad(**chunk))
    with drift.told(accord.hub, one.run, one.chunk.target, one.chunk.object):
        return one.carry_out()


class ChunkLoad:
    """The loading of one chunk, as often as it takes."""

    def __init__(self, accord: Accord, chunk: ChunkToLoad) -> None:
        self.accord, self.chunk = accord, chunk
        self.run: Run = read_run(accord.hub, chunk.run)
        self.target: Target = accord.target(chunk.target)
        self.definition = business_object(chunk.object)
        self.stream = accord.hub.stream(chunk.target, chunk.object)
        self.file = StagedFile(**chunk.file)
        self.unread = self.run.left_out if chunk.object == self.run.flow.object else frozenset()
        self.unwritten: frozenset[str] = frozenset()  # what the target lacks, once it has said so

    def carry_out(self) -> dict[str, int]:
        """Claim, send and record until every key of the chunk has its outcome."""
        try:
            with self.accord.availability.entered(self.chunk.target, self.run.priority):
                return self._carry_out()
        except SystemShut as shut:
            if shut.soon or own_open(self.accord.hub, run=self.run.id, stream=self.stream, chunk=self.chunk.chunk):
                raise
            return self._park(shut)

    def _carry_out(self) -> dict[str, int]:
        self._recover_own()
        changes = self.accord.staging.read(self.file)
        changes = changes.take(pc.sort_indices(changes, sort_keys=[("depth", "ascending"), ("key", "ascending")]))
        until = time.monotonic() + self._patience
        while True:
            with self.accord.hub.session() as session:
                remaining = self._remaining(session, changes)
            if not remaining.num_rows:
                return self._counts()
            try:
                busy = self._once(self._first(remaining), give_up=time.monotonic() > until)
            except SchemaDrift as found:
                changes = self._without_what_lacks(changes, found)
                continue
            if busy is None:
                self._recover_own()
            elif busy:
                for dispatch in open_of_stream(self.accord.hub, self.stream):
                    recover.recover_now(self.accord, dispatch)
                time.sleep(min(1.0, self.accord.lease.total_seconds() / 4))

    def _without_what_lacks(self, changes: pa.Table, found: SchemaDrift) -> pa.Table:
        """Go on without the fields the target no longer takes: what is kept of a record says nothing of them, so that they are sent
        when they are back. Raises `found` when that can't be."""
        if self.unwritten:
            raise found
        lacking = self.target.unwritable(self.definition)
        self.unwritten = drift.left_out(lacking, self.definition, found)
        with self.accord.hub.session() as session:
            drift.note(session, self.run, self.chunk.target, lacking, self.chunk.object, self.chunk.target)
        collapsed = self.target.collapse(self.definition, conform(self.definition, changes))
        rest = content_hash(self.definition, collapsed, self._sent(creating=False) - self.unwritten)
        return changes.set_column(changes.column_names.index("hash"), "hash", rest)

    def _as_there(self, changes: pa.Table) -> pa.Table:
        """`changes` with what the source did not show as the target has it: it stays."""
        known = changes.filter(pc.is_valid(changes["native"]))
        if not self.unread or not known.num_rows:
            return changes
        there = self.target.read_back(self.definition, known.select(["key", "native"]))
        place = pc.index_in(changes["key"].combine_chunks(), value_set=there["key"].combine_chunks())
        for name in sorted(self.unread & self.target.keeps(self.definition)):
            changes = changes.set_column(changes.column_names.index(name), name, there[name].take(place))
        return changes

    def _park(self, shut: SystemShut) -> dict[str, int]:
        """What has no outcome yet waits until the target takes calls; it was not touched."""
        changes = self.accord.staging.read(self.file)
        with self.accord.hub.session() as session:
            opened = self._open(session)
            if opened is None:  # another try of this task is at it
                raise shut
            number, part = opened
            rest = self._remaining(session, changes)
            category = CATEGORY[shut.why]
            raised = [
                replace(
                    self._answers.parked(row, category, number),
                    not_before=shut.until,
                    **at_risk(row),
                )
                for row in rest.select(["key", "version", "_said", "_currency", "_amount"]).to_pylist()
            ]
            dispatch = self._dispatch(number, part)
            if settle_dispatch(session, dispatch, dispatch.fence, outcomes(rest, "parked")):
                raise_exceptions(session, self.run.flow.name, self.chunk.object, self.run.id, raised)
        log.info("run %d → %s: %d parked. %s", self.run.id, self.chunk.target, rest.num_rows, shut)
        return self._counts()

    def _recover_own(self) -> None:
        """Resolve the chunk's own open dispatch: left by an earlier try of this task, or another try is at it right now."""
        for left in own_open(self.accord.hub, run=self.run.id, stream=self.stream, chunk=self.chunk.chunk):
            recover.recover_waiting(self.accord, left)

    def _remaining(self, session: Session, changes: pa.Table) -> pa.Table:
        done = decided(session, run=self.run.id, attempt=self.chunk.attempt, stream=self.stream, chunk=self.chunk.chunk)
        return (
            changes.filter(pc.invert(pc.is_in(changes["key"], pa.array(sorted(done), pa.string()))))
            if done
            else changes
        )

    def _open(self, session: Session) -> tuple[int, int] | None:
        """Write a dispatch of the chunk ahead: its number and part; None when another try of this task has one open."""
        return open_dispatch(
            session,
            run=self.run.id,
            attempt=self.chunk.attempt,
            stream=self.stream,
            chunk=self.chunk.chunk,
            file=self.file,
            lease=self.accord.lease,
        )

    def _first(self, changes: pa.Table) -> pa.Table:
        """Those that go now. Records of the same object refer to each other beyond their parents: one depth after the other."""
        if own_references(self.definition) in ([], [self.definition.parent]):
            return changes
        return changes.filter(pc.equal(changes["depth"], pc.min(changes["depth"])))

    def _once(self, changes: pa.Table, *, give_up: bool) -> int | None:
        """One dispatch over `changes`; returns how many keys another run holds (parked when `give_up`), None when another try of
        this task has a dispatch open."""
        since = time.monotonic()
        with self.accord.hub.session() as session:
            opened = self._open(session)
            if opened is None:
                return None
            number, part = opened
            changes = self._remaining(session, changes)  # another try may have been through since it was last looked at
            claimed, refused = claim(
                session,
                stream=self.stream,
                dispatch=number,
                rows=changes.select(["key", "version", "read_at", "hash", "gone"]),
                overlap=self.run.flow.overlap,
                undone=self.run.undoes,
                one_place=self.definition.name if self.definition.has_one_place else None,
            )
            unknown = without_image(session, stream=self.stream, dispatch=number, most=READ_BEFORE + 1)
            changes = with_those_that_came(session, self.stream, self.definition, changes)
        dispatch = self._dispatch(number, part)
        sending = OpenDispatch(self.accord.hub, number, dispatch.fence, self.accord.lease, since)
        mine = changes.filter(pc.is_in(changes["key"], pa.array(sorted(claimed), pa.string())))
        written = self.definition.without(self.unread | self.unwritten)  # the rest stays as it was told before
        mine = pictured(written, self.target, _with_natives(mine, claimed), self._before(mine, unknown, claimed))
        answers = self._send(mine, sending, dispatch) if mine.num_rows else RESULTS.empty_table()
        judged, raised = self._answers.judge(mine, answers, dispatch.id)
        settled = [judged]
        for bucket in sorted({*refused.values()}):
            if bucket == "busy" and not give_up:
                continue
            keys = [key for key, why in refused.items() if why == bucket]
            rows = changes.filter(pc.is_in(changes["key"], pa.array(keys, pa.string())))
            settled.append(outcomes(rows, "parked" if bucket in WAITS else bucket))
            if bucket in WAITS:
                raised += [
                    self._answers.parked(row, WAITS[bucket], number)
                    for row in rows.select(["key", "version", "_said"]).to_pylist()
                ]
        self._record(dispatch, pa.concat_tables(settled), raised)
        return 0 if give_up else [*refused.values()].count("busy")

    def _before(self, mine: pa.Table, unknown: list[str], claimed: Mapping[str, str | None]) -> pa.Table | None:
        """What the target holds of records whose last image is not left, while they are few; None where it is not known."""
        if not unknown or len(unknown) > READ_BEFORE:
            return None
        keys = [key for key in mine["key"].to_pylist() if key in set(unknown)]
        wanted = pa.table({"key": pa.array(keys), "native": pa.array([claimed[key] for key in keys], pa.string())})
        try:
            return self.target.read_back(self.definition, wanted)
        except AccordError as error:  # the sending will tell
            log.info("run %d → %s: not read before: %s", self.run.id, self.chunk.target, type(error).__name__)
            return None

    def _send(self, changes: pa.Table, sending: OpenDispatch, dispatch: Dispatch) -> pa.Table:
        """Send and insist. Only the first sending knows that nothing was taken; later trouble leaves the dispatch open: in doubt."""
        definition = self.definition.without(self.unwritten)
        try:
            changes = self._as_there(changes)
            answers = self.target.send(definition, changes, sending)
        except (Unavailable, BadCredentials, SchemaDrift, SystemShut):
            self._record(dispatch, outcomes(changes.slice(0, 0), "applied"), [])
            raise
        insisting = Insisting(
            accord=self.accord,
            run=self.run.id,
            target=self.target,
            definition=definition,
            sending=sending,
            patience=self._patience,
        )
        return insisting.until_answered(changes, answers)

    def _record(self, dispatch: Dispatch, results: pa.Table, raised: list[Raised]) -> None:
        with self.accord.hub.session() as session:
            if settle_dispatch(
                session,
                dispatch,
                dispatch.fence,
                results,
                seeds=[*seeds(self.definition), *self.unread, *self.unwritten],
            ):
                raise_exceptions(session, self.run.flow.name, self.chunk.object, self.run.id, raised)
                if not self.unwritten and pc.any(pc.equal(results["outcome"], "applied")).as_py():
                    drift.mended(session, self.run, self.chunk.object, self.chunk.target)

    def _sent(self, *, creating: bool) -> frozenset[str]:
        """Names of the fields and constituents the source's side sends and the target keeps."""
        side = self.accord.system(self.run.flow.source).side
        return self.target.keeps(self.definition) & self.definition.sent_by(side, creating=creating)

    @property
    def _answers(self) -> Answers:
        return Answers(
            run=self.run, target=self.chunk.target, definition=self.definition, sent=self._sent(creating=True)
        )

    @property
    def _patience(self) -> float:
        """Seconds for which somebody else may be in the way."""
        return (self.accord.lease + self.target.longest_request).total_seconds() * 2

    def _dispatch(self, number: int, part: int) -> Dispatch:
        return Dispatch(
            id=number,
            run=self.run.id,
            stream=self.stream,
            target=self.chunk.target,
            object=self.chunk.object,
            chunk=self.chunk.chunk,
            part=part,
            file=self.file,
            remote=None,
            send_before=datetime.now(UTC),
            fence=1,
        )

    def _counts(self) -> dict[str, int]:
        with self.accord.hub.session() as session:
            rows = session.execute(
                """SELECT c.key AS bucket, sum(c.value::bigint)::bigint AS n FROM dispatch d, jsonb_each_text(d.counts) c
                   WHERE d.run = %s AND d.attempt = %s AND d.stream = %s AND d.chunk = %s GROUP BY c.key""",
                (self.run.id, self.chunk.attempt, self.stream, self.chunk.chunk),
            ).fetchall()
        counts = {row["bucket"]: int(row["n"]) for row in rows}
        log.info(
            "run %d %s → %s chunk %d/%d: %s",
            self.run.id,
            self.chunk.object,
            self.chunk.target,
            self.chunk.chunk + 1,
            self.chunk.chunks,
            ", ".join(f"{n} {bucket}" for bucket, n in sorted(counts.items())),
        )
        return counts


def _with_natives(changes: pa.Table, claimed: Mapping[str, str | None]) -> pa.Table:
    """`changes` with the native ids the claim saw: they may be newer than the comparison."""
    natives = [
        claimed.get(k) or n for k, n in zip(changes["key"].to_pylist(), changes["native"].to_pylist(), strict=True)
    ]
    return changes.set_column(changes.column_names.index("native"), "native", pa.array(natives, pa.string()))
