"""Compare: once per batch and target, decide for every record whether it is sent, and write the changes as chunks.

Everything is decided by set-based SQL over a temporary table, in one transaction with the counts it leads to.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from psycopg.types.json import Jsonb

from accord.batch import RECORDS, Manifest, StagedFile, StagedWriter
from accord.categories import HANDLING, Category
from accord.hub.connection import Session, only
from accord.hub.copying import copy_into
from accord.hub.exceptions import Raised, raise_exceptions
from accord.matching import normalized_code, normalized_name
from accord.objects.definition import BusinessObject, Owner, Reference
from accord.pipeline import recover
from accord.pipeline.comparison_sql import (
    BURY,
    CHANGED_OF_CHUNK,
    CLASSIFY,
    CLOSE_EXCEPTIONS,
    COUNTS,
    DUPLICATES_WITHIN,
    HASH_ALONE,
    HOLD_FOR_PARENT,
    LEAVE_OUT_PARENTS,
    NUMBER,
    PARENTS,
    PLACE,
    RECOGNIZE,
    REMEMBER_LEFT_OUT,
    STAGED,
)
from accord.pipeline.runs import Run, read_run
from accord.pipeline.transform import OUT_OF_SCOPE, UNRESOLVED, amount_columns
from accord.ports import Target
from accord.records import content_hash
from accord.routing import entities_of
from accord.runtime import Accord

log = logging.getLogger(__name__)


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
        chunks += Comparison(accord, run, accord.target(name), run.definition, manifest).carry_out()
    return [] if run.dry else [asdict(chunk) for chunk in chunks]


class Comparison:
    """One batch against one target."""

    def __init__(
        self, accord: Accord, run: Run, target: Target, definition: BusinessObject, manifest: Manifest
    ) -> None:
        self.accord, self.run, self.target, self.definition, self.manifest = accord, run, target, definition, manifest
        self.stream = accord.hub.stream(target.name, definition.name)
        # before the comparison's transaction begins, which may not wait for one of its own
        self.parent_stream = (
            accord.hub.stream(target.name, definition.reference(definition.parent).object)
            if definition.parent
            else None
        )
        self.side: Owner = accord.system(run.flow.source).side
        self.hashed = target.keeps(definition) & definition.sent_by(self.side, creating=False)

    def carry_out(self) -> list[ChunkToLoad]:
        """Classify every record, raise and close exceptions, write the chunks and the counts."""
        if not self.run.dry:
            recover.recover_stream(self.accord, self.target.name, self.definition.name, own_run=self.run.id)
        self.attempt = self._attempt()
        arguments = {
            "run": self.run.id,
            "dry": self.run.dry,
            "asked": self.run.natives is not None,
            "overlap": self.run.flow.overlap.total_seconds(),
            "stream": self.stream,
            "target": self.target.name,
            "object": self.definition.name,
            "flow": self.run.flow.name,
            "chunk_rows": self.accord.chunk_rows,
            "judged": self.definition.name == self.run.flow.object,  # a status is told of quarantined records too
        }
        with self.accord.hub.session() as session:
            session.execute(STAGED)
            for chunk in self.manifest.chunks:
                self._stage(session, chunk.number, self.accord.staging.read(chunk.parts[RECORDS]))
            session.execute("CREATE INDEX ON staged (key)")
            session.execute("ANALYZE staged")
            for statement in CLASSIFY:
                session.execute(statement, arguments)
            self._find_parents(session, arguments)
            for statement in RECOGNIZE:
                session.execute(statement, arguments)
            raised = self._unresolved(session)
            raised += self._duplicates(session, arguments)
            raised += self._hold_for_parents(session, arguments)
            for statement in NUMBER:
                session.execute(statement, arguments)
            chunks = self._write_changes(session)
            self._count(session, arguments, chunks)
            if not self.run.dry:
                raise_exceptions(session, self.run.flow.name, self.definition.name, self.run.id, raised)
                session.execute(CLOSE_EXCEPTIONS, arguments)
                session.execute(BURY, arguments)
            session.execute("DROP TABLE staged")
        return chunks

    def _attempt(self) -> int:
        """A number no other comparison of the run has; only the dispatches of a stream's last comparison count."""
        with self.accord.hub.session() as session:
            bumped = session.execute(
                "UPDATE run SET attempt = attempt + 1 WHERE id = %s RETURNING attempt", (self.run.id,)
            )
            return int(only(bumped)["attempt"])

    def _stage(self, session: Session, number: int, table: pa.Table) -> None:
        gone = pc.fill_null(table["gone"], False)
        routed = self._routed(table)
        here = table.set_column(table.column_names.index("gone"), "gone", pc.or_(gone, pc.invert(routed)))
        collapsed = self.target.collapse(self.definition, here)
        content = content_hash(self.definition, collapsed, self.hashed)
        alone = content
        if self.definition.own_parent:
            alone = content_hash(self.definition, collapsed, self.hashed - {str(self.definition.parent)})
        currency, amount = amount_columns(self.definition, table)
        nothing = pa.nulls(table.num_rows, pa.string())
        copy_into(
            session,
            "staged",
            pa.table(
                {
                    "key": table["key"],
                    "version": table["version"],
                    "read_at": table["read_at"],
                    "hash": content,
                    "hash_alone": alone,
                    "gone": here["gone"],
                    "deleted": gone,
                    "parent": table[self.definition.parent] if self.definition.parent else nothing,
                    "unresolved": _optional(table, UNRESOLVED, nothing),
                    "out_of_scope": _optional(table, OUT_OF_SCOPE, pa.array([False] * table.num_rows, pa.bool_())),
                    "currency": currency,
                    "amount": amount,
                    "batch_chunk": pa.array([number] * table.num_rows, pa.int32()),
                }
            ),
        )

    def _routed(self, table: pa.Table) -> pa.ChunkedArray | pa.Array:
        entities = {entity.code for entity in entities_of(self.target.name)}
        if not entities or self.definition.routed_by is None:
            return pa.chunked_array([pa.array([True] * table.num_rows, pa.bool_())])
        values = table[self.definition.routed_by].to_pylist()
        return pa.chunked_array([pa.array([bool(entities.intersection(v or ())) for v in values], pa.bool_())])

    def _unresolved(self, session: Session) -> list[Raised]:
        rows = session.execute(
            "SELECT key, version, unresolved, currency, amount FROM staged WHERE bucket = 'parked'"
        ).fetchall()
        return [
            Raised(
                kind="parked",
                key=r["key"],
                category=Category.REFERENCE_UNKNOWN,
                target=self.target.name,
                version=r["version"],
                message=f"No {self.definition.reference(str(self.definition.parent)).object} is linked to this record yet.",
                awaits=r["unresolved"],
                currency=r["currency"] or None,
                at_risk=r["amount"] if r["currency"] else None,
            )
            for r in rows
        ]

    def _duplicates(self, session: Session, arguments: Mapping[str, Any]) -> list[Raised]:
        """Hold what looks like a record the target already has, or like another record of the batch (the first by key goes)."""
        if not self.definition.duplicate_rules:
            return []
        raised: list[Raised] = []
        session.execute("CREATE TEMP TABLE suspect (key text, rule text, value text) ON COMMIT DROP")
        session.execute("CREATE TEMP TABLE held (key text PRIMARY KEY) ON COMMIT DROP")
        for chunk in self.manifest.chunks:
            rows = session.execute(
                "SELECT key FROM staged WHERE batch_chunk = %s AND bucket = 'changed' AND NOT gone AND NOT known",
                (chunk.number,),
            ).fetchall()
            if not rows:
                continue
            table = self.accord.staging.read(chunk.parts[RECORDS])
            candidates = table.filter(pc.is_in(table["key"], pa.array([r["key"] for r in rows])))
            copy_into(session, "suspect", _suspects(self.definition, candidates))
            for match in self.target.find_matches(self.definition, candidates).to_pylist():
                raised.append(
                    Raised(
                        kind="duplicate",
                        key=match["key"],
                        category=Category.DUPLICATE_CUSTOMER,
                        target=self.target.name,
                        rule=match["rule"],
                        answer=f"same {match['rule'].replace('+', ' and ')} as {self.target.name} {match['native']}",
                        message=HANDLING[Category.DUPLICATE_CUSTOMER].remedy,
                    )
                )
        found = {r.key for r in raised}
        if found:
            copy_into(session, "held", pa.table({"key": sorted(found)}))
        for row in session.execute(DUPLICATES_WITHIN, arguments).fetchall():
            if row["key"] not in found:
                found.add(row["key"])
                raised.append(
                    Raised(
                        kind="duplicate",
                        key=row["key"],
                        category=Category.DUPLICATE_CUSTOMER,
                        target=self.target.name,
                        rule=row["rule"],
                        answer=f"same {row['rule'].replace('+', ' and ')} as {row['first']}",
                        message=HANDLING[Category.DUPLICATE_CUSTOMER].remedy,
                    )
                )
        session.execute("DROP TABLE suspect, held")
        if found:
            session.execute("UPDATE staged SET bucket = 'parked' WHERE key = ANY(%s)", (sorted(found),))
        versions = {
            r["key"]: r["version"]
            for r in session.execute("SELECT key, version FROM staged WHERE bucket = 'parked'").fetchall()
        }
        return [_with_version(r, versions) for r in raised]

    def _find_parents(self, session: Session, arguments: Mapping[str, Any]) -> None:
        """Find each record's parent in the target, or leave it out where it does not belong into the target."""
        if self.definition.parent is None:
            return
        more = dict(arguments) | {"parent_stream": self.parent_stream, "origin": f"{self.target.name}:"}
        session.execute(PARENTS, more)
        if self.definition.own_parent:
            session.execute(LEAVE_OUT_PARENTS, more)
            session.execute(HASH_ALONE)

    def _hold_for_parents(self, session: Session, arguments: Mapping[str, Any]) -> list[Raised]:
        """Hold the changed records whose parent is not there and can't go with them."""
        if self.definition.parent is None:
            return []
        same = self.definition.own_parent
        if same and not self.run.dry:
            session.execute(REMEMBER_LEFT_OUT, dict(arguments) | {"parent_stream": self.parent_stream})
        while session.execute(HOLD_FOR_PARENT, {"same": same}).rowcount:
            pass  # a held parent holds its children in turn
        if same:
            session.execute(PLACE)
        rows = session.execute(
            "SELECT key, version, parent, currency, amount FROM staged WHERE bucket = 'parked' AND waits"
        ).fetchall()
        return [
            Raised(
                kind="parked",
                key=r["key"],
                category=Category.PARENT_MISSING,
                target=self.target.name,
                version=r["version"],
                message=HANDLING[Category.PARENT_MISSING].remedy,
                awaits=r["parent"],
                currency=r["currency"] or None,
                at_risk=r["amount"] if r["currency"] else None,
            )
            for r in rows
        ]

    def _write_changes(self, session: Session) -> list[ChunkToLoad]:
        """Write the changed rows as chunk files; the members of one hierarchy share a chunk."""
        batch = self.accord.staging.new_batch(self.run.flow.name, self.run.id, f"changes-{self.target.name}")
        writers: dict[int, StagedWriter] = {}
        for chunk in self.manifest.chunks:
            rows = session.execute(CHANGED_OF_CHUNK, (chunk.number,)).fetchall()
            if not rows:
                continue
            table = self.accord.staging.read(chunk.parts[RECORDS])
            changes = self._changes(table, rows)
            numbers = changes["number"]
            changes = changes.drop_columns(["number"])
            for number in pc.unique(numbers).to_pylist():
                if number not in writers:
                    writers[number] = self.accord.staging.open_writer(f"{batch}/{number:05d}.parquet", changes.schema)
                writers[number].append(changes.filter(pc.equal(numbers, number)))
        files: dict[int, StagedFile] = {number: writer.close() for number, writer in sorted(writers.items())}
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
                    ("native", pa.string()),
                    ("parent_native", pa.string()),
                    ("parent_left_out", pa.bool_()),
                    ("depth", pa.int32()),
                    ("number", pa.int32()),
                    ("_currency", pa.string()),
                    ("_amount", pa.decimal128(30, 2)),
                ]
            ),
        )
        order = pc.index_in(decided["key"], value_set=table["key"].combine_chunks())
        changes = table.take(order)
        for name in (UNRESOLVED, OUT_OF_SCOPE, "problems"):
            if name in changes.column_names:
                changes = changes.drop_columns([name])
        changes = changes.set_column(changes.column_names.index("gone"), "gone", decided["gone"])
        for name in ("native", "_deleted", "depth", "hash", "number", "_currency", "_amount"):
            changes = changes.append_column(name, decided[name])
        for field in self.definition.fields:
            if isinstance(field.type, Reference):
                if field.name == self.definition.parent:
                    left_out, nobody = decided["parent_left_out"], pa.scalar(None, pa.string())
                    changes = changes.append_column("_left_out", pc.if_else(left_out, changes[field.name], nobody))
                    known = pc.if_else(left_out, nobody, changes[field.name])
                    changes = changes.set_column(changes.column_names.index(field.name), field.name, known)
                native = (
                    decided["parent_native"]
                    if field.name == self.definition.parent
                    else pa.nulls(len(rows), pa.string())
                )
                changes = changes.append_column(f"{field.name}__native", native)
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


def _optional(table: pa.Table, name: str, otherwise: pa.Array) -> pa.Array | pa.ChunkedArray:
    return table[name] if name in table.column_names else otherwise


def _with_version(raised: Raised, versions: Mapping[str, Any]) -> Raised:
    return replace(raised, version=versions.get(raised.key))


def _suspects(definition: BusinessObject, candidates: pa.Table) -> pa.Table:
    """(key, rule, value) of every candidate and duplicate rule whose fields are all filled."""
    keys, rules, values = [], [], []
    rows = candidates.select(["key", *sorted({f for rule in definition.duplicate_rules for f in rule})]).to_pylist()
    for row in rows:
        for rule in definition.duplicate_rules:
            parts = [normalized_name(row[f]) if f == "name" else normalized_code(row[f]) for f in rule]
            if all(parts):
                keys.append(row["key"])
                rules.append("+".join(rule))
                values.append("|".join(parts))
    return pa.table(
        {
            "key": pa.array(keys, pa.string()),
            "rule": pa.array(rules, pa.string()),
            "value": pa.array(values, pa.string()),
        }
    )
