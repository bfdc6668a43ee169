"""Compare: once per batch and target, decide for every record whether it is sent, and write the changes as chunks.

Everything is decided by set-based SQL over a temporary table, in one transaction with the counts it leads to.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, LiteralString

import pyarrow as pa
import pyarrow.compute as pc
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from accord.availability import CATEGORY
from accord.batch import RECORDS, Chunk, Manifest, Staging
from accord.categories import Category, remedy
from accord.errors import SystemShut
from accord.hub.connection import Session, make_room, only
from accord.hub.copying import copy_into
from accord.hub.exceptions import Raised, raise_exceptions
from accord.objects.definition import BusinessObject, Owner, Unknown
from accord.pipeline import drift, recover
from accord.pipeline.comparison_sql import (
    ANALYZED,
    BEHIND,
    BURY,
    CHANGED,
    CLASSIFY,
    CLOSE_EXCEPTIONS,
    COUNTS,
    HOLD_ALL,
    KEYS,
    NATIVES,
    PARKED,
    RECOGNIZE,
    STAGED,
)
from accord.pipeline.duplicates import Duplicates, Suspect
from accord.pipeline.elsewhere import kept_elsewhere
from accord.pipeline.hierarchy import find_parents, hold_for_parents
from accord.pipeline.moving import HOLD_FOR_OTHERS, gone_from, remember_staying, staying
from accord.pipeline.references import References
from accord.pipeline.resolve import OUT_OF_SCOPE, UNRESOLVED
from accord.pipeline.runs import Run, read_run
from accord.pipeline.spilled import Spilled
from accord.pipeline.transform import PROBLEMS, SAID, UNEDITED, amount_columns, said_of
from accord.ports import Target
from accord.records import content_hash
from accord.runtime import Accord
from accord.systems.collapsing import flat

log = logging.getLogger(__name__)

FETCHED = 10_000  # rows of a cursor that come together


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkToLoad:
    """What a load task needs to know: small enough for XCom."""

    run: int
    attempt: int
    target: str
    object: str
    chunk: int
    chunks: int
    rows: int
    file: Mapping[str, Any]


def compare(accord: Accord, run_id: int, manifest_path: str, *, target: str | None = None) -> list[dict[str, Any]]:
    """Compare the canonical batch with what a target was last told; return the chunks to load, [] for a dry run.

    `target` None means every target of the flow; several may be compared side by side. In-doubt dispatches of the stream are
    resolved first.
    """
    run = read_run(accord.hub, run_id)
    manifest = accord.staging.manifest(manifest_path)
    chunks: list[ChunkToLoad] = []
    for name in run.flow.targets if target is None else (target,):
        with drift.told(accord.hub, run, name, run.flow.object):
            chunks += Comparison(accord, run, accord.target(name), run.definition, manifest).carry_out()
    return [] if run.dry else [asdict(chunk) for chunk in chunks]


class Comparison:
    """One batch against one target."""

    recognize: Sequence[str] = RECOGNIZE
    afterwards: Sequence[str] = (BEHIND, CLOSE_EXCEPTIONS, BURY)

    def __init__(
        self, accord: Accord, run: Run, target: Target, definition: BusinessObject, manifest: Manifest
    ) -> None:
        self.accord, self.run, self.target, self.definition, self.manifest = accord, run, target, definition, manifest
        # streams are made before the comparison's transaction begins, which may not wait for one of its own
        self.stream = accord.hub.stream(target.name, definition.name)
        self.references = References(accord.hub, target.name, definition)
        self.side: Owner = accord.system(run.flow.source).side
        # what the source did not show is null, and null is not hashed: the record differs once it is shown again
        self.hashed = target.keeps(definition) & definition.sent_by(self.side, creating=False)

    def carry_out(self) -> list[ChunkToLoad]:
        """Classify every record, raise and close exceptions, write the chunks and the counts.

        What changed is parked when the target takes no calls. Raises SystemShut when that is a matter of seconds.
        """
        shut = self.accord.availability.shut(self.target.name, self.run.priority)
        if shut is None:
            try:
                return self._carry_out(None)
            except SystemShut as raised:
                shut = raised
        if shut.soon:
            raise shut
        log.info("run %d %s → %s: parked. %s", self.run.id, self.definition.name, self.target.name, shut)
        return self._carry_out(shut)

    def _carry_out(self, shut: SystemShut | None) -> list[ChunkToLoad]:
        if not self.run.dry and not shut:
            recover.recover_stream(self.accord, self.target.name, self.definition.name, own_run=self.run.id)
        self.attempt = self._attempt()
        arguments = {
            "run": self.run.id,
            "dry": self.run.dry,
            "asked": self.run.natives is not None,
            "overlap": self.run.flow.overlap.total_seconds(),
            "stream": self.stream,
            "target": self.target.name,
            "origin": f"{self.target.name}:",
            "object": self.definition.name,
            "flow": self.run.flow.name,
            "ordered": self.definition.ordered,
            "judged": self.definition.name == self.run.flow.object,  # a status is told of quarantined records too
        }
        with self.accord.hub.session() as session:
            make_room(session)
            session.execute(STAGED)
            for chunk in self.manifest.chunks:
                self._stage(session, chunk)
            session.execute("CREATE INDEX ON staged (key)")
            session.execute(ANALYZED)
            for statement in CLASSIFY:
                session.execute(statement, arguments)
            if self.definition.parent:
                find_parents(session, arguments)
            for statement in self.recognize:
                session.execute(statement, arguments)
            if self.definition.has_one_place:
                session.execute(HOLD_FOR_OTHERS, arguments)
            session.execute(NATIVES, arguments)
            if self.references:
                self._hold_for_references(session)
            ask = self.definition.duplicate_rules and not shut
            suspects = self._hold_duplicates(session) if ask else {}
            if self.definition.parent:
                hold_for_parents(session, arguments)
            if shut:
                session.execute(HOLD_ALL)
            chunks = self._write_changes(session)
            self._count(session, arguments, chunks)
            if not self.run.dry:
                with session.cursor(name="parked") as parked:
                    parked.execute(PARKED)
                    while rows := parked.fetchmany(self.accord.chunk_rows):
                        raised = [self._matter(row, suspects.get(row["key"]), shut) for row in rows]
                        raise_exceptions(session, self.run.flow.name, self.definition.name, self.run.id, raised)
                for statement in self.afterwards:
                    session.execute(statement, arguments)
            session.execute("DROP TABLE staged")
        return chunks

    def _attempt(self) -> int:
        """A number no other comparison of the run has; only the dispatches of a stream's last comparison count."""
        with self.accord.hub.session() as session:
            bumped = session.execute(
                "UPDATE run SET attempt = attempt + 1 WHERE id = %s RETURNING attempt", (self.run.id,)
            )
            return int(only(bumped)["attempt"])

    def _stage(self, session: Session, chunk: Chunk) -> None:
        table = self.accord.staging.read(chunk.parts[RECORDS])
        gone = pc.fill_null(table["gone"], False)
        stays = staying(session, self.definition, table)
        if self.definition.has_one_place and not self.run.dry:
            remember_staying(session, self.stream, self.target.name, table, stays)
        gone_here = gone_from(self.definition, table, self.target.name, stays)
        told = as_told(self.accord.staging, table, chunk)
        here = told.set_column(told.column_names.index("gone"), "gone", gone_here)
        collapsed = self.target.collapse(self.definition, here)
        content = content_hash(self.definition, collapsed, self.hashed)
        parent = self.definition.parent
        currency, amount = amount_columns(self.definition, told)
        awaits, awaits_object = _awaited(table)
        columns = {
            "key": table["key"],
            "version": table["version"],
            "read_at": table["read_at"],
            "hash": content,
            "hash_alone": self._hash_alone(collapsed, content),
            "said": said_of(table),
            "gone": gone_here,
            "deleted": gone,
            "parent": table[parent] if parent else pa.nulls(table.num_rows, pa.string()),
            "state": table[self.definition.state] if self.definition.state else pa.nulls(table.num_rows, pa.string()),
            "unresolved": awaits,
            "awaits_object": awaits_object,
            "out_of_scope": table[OUT_OF_SCOPE] if OUT_OF_SCOPE in table.column_names else _nowhere(table),
            "currency": currency,
            "amount": amount,
            "batch_chunk": pa.array([chunk.number] * table.num_rows, pa.int32()),
        }
        copy_into(session, "staged", pa.table(columns))

    def _hash_alone(self, collapsed: pa.Table, content: pa.Array) -> pa.Array:
        """The hash of every record without its parent: another one only for those that have a parent."""
        parent = self.definition.parent
        if parent is None:
            return content
        below = flat(pc.is_valid(collapsed[parent]))
        alone = content_hash(self.definition, collapsed.filter(below), self.hashed - {parent})
        return pc.replace_with_mask(content, below, alone)

    def _hold_for_references(self, session: Session) -> None:
        self.references.prepare(session)
        for rows in self._records(session, created=False):
            self.references.add(session, rows)
        self.references.hold(session)

    def _hold_duplicates(self, session: Session) -> dict[str, Suspect]:
        duplicates = Duplicates(session, self.definition, self.target, self.stream)
        for rows in self._records(session, created=True):
            duplicates.look(rows)
        found = {suspect.key: suspect for suspect in duplicates.found()}
        session.execute("UPDATE staged SET bucket = 'parked' WHERE key = ANY(%s)", (sorted(found),))
        return found

    def _records(self, session: Session, *, created: bool) -> Iterator[pa.Table]:
        """The canonical rows that are to be sent (that the target has never been told of, when `created`), chunk by chunk."""
        for chunk, rows in self._by_chunk(session, KEYS, {"created": created}):
            table = self.accord.staging.read(chunk.parts[RECORDS])
            yield table.filter(pc.is_in(table["key"], pa.array([row["key"] for row in rows])))

    def _by_chunk(
        self, session: Session, statement: LiteralString, arguments: Mapping[str, Any]
    ) -> Iterator[tuple[Chunk, list[DictRow]]]:
        """The rows of `statement`, which come in the order of `batch_chunk`, by chunk. They are found once: looking through all of
        `staged` for each chunk would take the square of the records."""
        chunks = {chunk.number: chunk for chunk in self.manifest.chunks}
        with session.cursor(name="by_chunk") as cursor:
            cursor.itersize = FETCHED
            cursor.execute(statement, arguments)
            for number, rows in groupby(cursor, itemgetter("batch_chunk")):
                yield chunks[number], list(rows)

    def _matter(self, row: Mapping[str, Any], suspect: Suspect | None, shut: SystemShut | None) -> Raised:
        """What a parked record waits for."""
        if row["held"] and shut:
            category, message = CATEGORY[shut.why], None
        elif suspect:
            category, message = Category.DUPLICATE, None
        elif row["elsewhere"]:
            category, message = Category.ELSEWHERE, None
        elif row["unresolved"]:
            category, message = (
                Category.REFERENCE_UNKNOWN,
                f"No {row['awaits_object']} is linked to this record yet.",
            )
        else:
            category, message = Category.PARENT_MISSING, None
        return Raised(
            kind="duplicate" if suspect else "parked",
            key=row["key"],
            category=category,
            target=self.target.name,
            version=row["version"],
            said=row["said"],
            other=suspect.other if suspect else None,
            rule=suspect.rule if suspect else None,
            answer=suspect.answer if suspect else None,
            message=message or remedy(category, self.run.flow.source),
            awaits=row["awaits"],
            awaits_object=row["awaits_object"] if row["awaits"] else None,
            not_before=shut.until if row["held"] and shut else None,
            currency=row["currency"],
            at_risk=row["amount"] if row["currency"] else None,
        )

    def _write_changes(self, session: Session) -> list[ChunkToLoad]:
        """Write the changed rows as chunk files; the members of one hierarchy share a chunk."""
        batch = self.accord.staging.new_batch(self.run.flow.name, self.run.id, f"changes-{self.target.name}")
        with closing(Spilled()) as spilled:
            for chunk, rows in self._by_chunk(session, CHANGED, {"chunk_rows": self.accord.chunk_rows}):
                table = self.accord.staging.read(chunk.parts[RECORDS])
                changes = self._changes(table, rows)
                if self.references:
                    changes = self.references.with_natives(session, chunk.number, changes)
                numbers = changes["_number"]
                changes = kept_elsewhere(session, self.definition, self.target.name, changes.drop_columns(["_number"]))
                for number in pc.unique(numbers).to_pylist():
                    spilled.put(number, RECORDS, changes.filter(pc.equal(numbers, number)))
            files = {
                number: self.accord.staging.write(f"{batch}/{number:05d}.parquet", spilled.take(number, RECORDS))
                for number in spilled.buckets
            }
        return [
            ChunkToLoad(
                run=self.run.id,
                attempt=self.attempt,
                target=self.target.name,
                object=self.definition.name,
                chunk=number,
                chunks=len(files),
                rows=file.rows,
                file=asdict(file),
            )
            for number, file in files.items()
        ]

    def _changes(self, table: pa.Table, rows: list[dict[str, Any]]) -> pa.Table:
        decided = pa.Table.from_pylist(
            rows,
            schema=pa.schema(
                [
                    ("key", pa.string()),
                    ("gone", pa.bool_()),
                    ("_deleted", pa.bool_()),
                    ("hash", pa.binary()),
                    ("_said", pa.binary()),
                    ("native", pa.string()),
                    ("parent_native", pa.string()),
                    ("parent_left_out", pa.bool_()),
                    ("depth", pa.int32()),
                    ("_number", pa.int32()),
                    ("_state", pa.string()),
                    ("_currency", pa.string()),
                    ("_amount", pa.decimal128(30, 2)),
                ]
            ),
        )
        order = pc.index_in(decided["key"], value_set=table["key"].combine_chunks())
        changes = table.take(order)
        for name in (UNRESOLVED, OUT_OF_SCOPE, PROBLEMS, SAID):
            if name in changes.column_names:
                changes = changes.drop_columns([name])
        changes = changes.set_column(changes.column_names.index("gone"), "gone", decided["gone"])
        for name in ("native", "_deleted", "depth", "hash", "_said", "_number", "_state", "_currency", "_amount"):
            changes = changes.append_column(name, decided[name])
        if parent := self.definition.parent:
            left_out, nobody = decided["parent_left_out"], pa.scalar(None, pa.string())
            changes = changes.append_column("_left_out", pc.if_else(left_out, changes[parent], nobody))
            known = pc.if_else(left_out, nobody, changes[parent])
            changes = changes.set_column(changes.column_names.index(parent), parent, known)
            changes = changes.append_column(f"{parent}__native", decided["parent_native"])
        return changes

    def _count(self, session: Session, arguments: Mapping[str, Any], chunks: list[ChunkToLoad]) -> None:
        row = only(session.execute(COUNTS))
        session.execute(
            """INSERT INTO comparison (run, stream, attempt, counts, amounts, chunks) VALUES (%s, %s, %s, %s, %s, %s)
               ON CONFLICT (run, stream) DO UPDATE SET attempt = excluded.attempt, counts = excluded.counts,
                 amounts = excluded.amounts, chunks = excluded.chunks""",
            (
                self.run.id,
                self.stream,
                self.attempt,
                Jsonb(row["counts"]),
                Jsonb(row["amounts"]),
                Jsonb([asdict(c) for c in chunks]),
            ),
        )
        log.info(
            "run %d %s → %s: %s",
            self.run.id,
            self.definition.name,
            self.target.name,
            ", ".join(f"{n} {bucket}" for bucket, n in sorted(row["counts"].items())) or "nothing",
        )


def as_told(staging: Staging, table: pa.Table, chunk: Chunk) -> pa.Table:
    """`table` with edited records as the source said them: that is what is remembered and counted, so that an edit holds until the
    source says something else."""
    if UNEDITED not in chunk.parts:
        return table
    unedited = staging.read(chunk.parts[UNEDITED])
    edited = pc.is_in(table["key"], value_set=unedited["key"].combine_chunks())
    told = pa.concat_tables([table.filter(pc.invert(edited)), unedited])
    return told.take(pc.index_in(table["key"], value_set=told["key"].combine_chunks()))


def _awaited(table: pa.Table) -> tuple[pa.Array, pa.Array]:
    """(reference, object) every row waits for because no link knows it; null where it waits for none."""
    awaits: list[str | None] = [None] * table.num_rows
    objects: list[str | None] = [None] * table.num_rows
    if UNRESOLVED in table.column_names and len(pc.list_flatten(table[UNRESOLVED])):
        for row, references in enumerate(table[UNRESOLVED].to_pylist()):
            for reference in references:
                if reference["unknown"] == Unknown.PARK and awaits[row] is None:
                    awaits[row], objects[row] = reference["awaits"], reference["object"]
    return pa.array(awaits, pa.string()), pa.array(objects, pa.string())


def _nowhere(table: pa.Table) -> pa.Array:
    return pa.array([False] * table.num_rows, pa.bool_())
