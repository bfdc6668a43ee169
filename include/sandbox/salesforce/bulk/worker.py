"""The workers that carry out Bulk 2.0 jobs, one for ingest and one for queries, each in a thread of its own."""

import itertools
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from sandbox.salesforce.bulk.files import ResultFile, Upload
from sandbox.salesforce.bulk.jobs import DELIMITERS, INGEST, LINE_ENDINGS, QUERY, Job, State
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.faults import Kind, Rule
from sandbox.salesforce.org import Org
from sandbox.salesforce.records.drafts import Column, Operation, Reader
from sandbox.salesforce.schema.model import NUMBER_TYPES, TEXT_TYPES, FieldType, Object
from sandbox.salesforce.schema.permissions import Actor
from sandbox.salesforce.soql.plan import Compiled, Output

_log = logging.getLogger("sandbox.salesforce")
# Rows committed at once, together with their results: small enough to let other writers in between.
BATCH = 2000
_IDLE_SECONDS = 0.5


class Worker(threading.Thread):
    """Takes jobs of one kind, oldest first, until told to stop. Unfinished jobs are taken up again after a restart."""

    def __init__(self, org: Org, kind: str) -> None:
        super().__init__(name=f"bulk-{kind}", daemon=True)
        self.org, self.kind = org, kind
        self._stop_asked = False

    def stop(self) -> None:
        """Ask the worker to stop after the batch at hand, and wait for it."""
        self._stop_asked = True
        self.org.jobs.wake[self.kind].set()
        self.join()

    def run(self) -> None:
        """Work until stopped."""
        wake = self.org.jobs.wake[self.kind]
        while not self._stop_asked:
            wake.clear()
            job = self.org.jobs.next(self.kind)
            if job is None:
                wake.wait(_IDLE_SECONDS)
                continue
            try:
                self._do(job)
            except Exception:  # one job's trouble must not leave all later ones waiting
                _log.exception("job %s failed", job.id)

    def _do(self, job: Job) -> None:
        begun = time.monotonic()
        place = ("JOB", f"/jobs/{self.kind}/{job.object}/{job.operation}")
        try:
            if job.state is State.UPLOAD_COMPLETE:
                job = self.org.jobs.move(job, State.IN_PROGRESS, frozenset({State.UPLOAD_COMPLETE}))
            while self.org.faults.take(*place, Kind.JOB_STALL):
                present = self.org.jobs.find(job.id, self.kind)
                if self._stop_asked or present is None or present.state is not State.IN_PROGRESS:
                    return
                time.sleep(0.05)
            finished = Ingest(self.org, job, place).run(self) if self.kind == INGEST else self._query(job, place)
            if finished:
                self._end(job, State.JOB_COMPLETE, None, begun)
        except ApiError as error:
            self._end(
                job, State.FAILED, error.message if self.kind == INGEST else f"{error.code}: {error.message}", begun
            )
        except Exception as error:  # a job must never be lost, whatever is wrong with the server
            self._end(job, State.FAILED, f"InternalServerError : {type(error).__name__}", begun)
            raise

    @property
    def stopping(self) -> bool:
        """Whether the worker was asked to stop."""
        return self._stop_asked

    def _end(self, job: Job, state: State, message: str | None, begun: float) -> None:
        with self.org.store.write():
            present = self.org.jobs.find(job.id, self.kind)
            # It may have been aborted, or even deleted, meanwhile.
            if present is not None and present.state is State.IN_PROGRESS:
                present.state, present.error = state, message
                present.processed = max(present.processed, job.processed)
                present.milliseconds += int((time.monotonic() - begun) * 1000)
                self.org.jobs.save(present)

    def _query(self, job: Job, place: tuple[str, str]) -> bool:
        failing = self.org.faults.take(*place, Kind.JOB_FAILED)
        if failing:
            raise _failure(failing)
        actor = self.org.actors[job.client]
        plan = self.org.queries.compile(actor, job.query or "", deleted=job.operation == "queryAll")
        check_bulk_query(plan)
        with self.org.store.snapshot() as db:
            lines = db.execute(*csv_statement(plan, job))
            job.processed = ResultFile(self.org.jobs.folder / job.id).write(
                [".".join(output.names) for output in plan.outputs], lines, job
            )
        return True


def check_bulk_query(plan: Compiled) -> None:
    """Refuse what Bulk queries can't do.

    The first message is as users of OpenFn's Salesforce adaptor quote it, the last as makers of Airbyte's source do; the others'
    words are this org's own.

    Raises:
        ApiError: The query groups, counts, nests, skips, or asks for compound fields.
    """
    if plan.counting or plan.aggregate or plan.children:
        raise ApiError(400, "API_ERROR", "Aggregate Relationships not supported in Bulk V2 Query with CSV content type")
    if any(output.conditional for output in plan.outputs):
        raise ApiError(400, "API_ERROR", "TYPEOF not supported in Bulk Query")
    if plan.offset:
        raise ApiError(400, "API_ERROR", "OFFSET not supported in Bulk Query")
    if any(output.field.type is FieldType.ADDRESS for output in plan.outputs):
        raise ApiError(400, "API_ERROR", "Selecting compound data not supported in Bulk Query")


def csv_statement(plan: Compiled, job: Job) -> tuple[str, list[Any]]:
    """Return the statement whose rows are the CSV's lines: SQLite writes them many times faster than Python."""
    between = f"'\"{DELIMITERS[job.delimiter]}\"'"
    end = " || ".join(["'\"'", *(f"char({ord(char)})" for char in LINE_ENDINGS[job.line_ending])])
    cells = f" || {between} || ".join(_cell(output) for output in plan.outputs)
    return plan.rows([f"'\"' || {cells} || {end}"])


def _cell(output: Output) -> str:
    kind, sql = output.field.type, output.sql
    if kind is FieldType.BOOLEAN:
        return f"CASE {sql} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE '' END"
    if kind in TEXT_TYPES:
        return f"replace(coalesce({sql}, ''), '\"', '\"\"')"
    if kind in NUMBER_TYPES and kind is not FieldType.INT:
        # SQLite writes 15 digits by itself; longer amounts are written to their field's scale.
        scale = output.field.scale
        return f"CASE WHEN abs({sql}) >= 1e{14 - scale} THEN printf('%!.{scale or 1}f', {sql}) ELSE coalesce({sql}, '') END"
    return f"coalesce({sql}, '')"


def _failure(rule: Rule) -> ApiError:
    value = rule.value if isinstance(rule.value, dict) else {}
    return ApiError(400, "API_ERROR", value.get("message", "InternalServerError : the job failed on demand"))


def object_of_job(org: Org, actor: Actor, name: str) -> Object:
    """Return the object an ingest job is for.

    Raises:
        ApiError: INVALIDJOB, there is none, or the actor may not read it.
    """
    obj = org.schema.object(name)
    if obj is None or not actor.permissions.allows(obj, "read"):
        raise ApiError(400, "INVALIDJOB", f"InvalidJob : Unable to find object: {name}")
    return obj


class Ingest:
    """One ingest job being carried out. Records and their results are committed together, batch by batch."""

    def __init__(self, org: Org, job: Job, place: tuple[str, str]) -> None:
        self.org, self.job, self.place = org, job, place
        self.actor = org.actors[job.client]
        self.object = obj = object_of_job(org, self.actor, job.object)
        self.operation = Operation(job.operation)
        self.external = self.object.field(job.external_id or "Id") if self.operation is Operation.UPSERT else None
        self.reader = Reader(org.schema, self.actor, obj, self.operation, self.external)
        self.spoil = org.row_rule(*place)
        self.failing = org.faults.take(*place, Kind.JOB_FAILED)

    def run(self, worker: Worker) -> bool:
        """Process what is left of the job; return whether it is done (not aborted, not interrupted)."""
        rows = Upload(self.org.jobs.path(self.job.id, "upload.csv"), self.job).rows()
        header = next(rows, [])
        columns = self._columns(header)
        for _ in itertools.islice(rows, self.job.processed):
            pass
        done = self.job.processed
        fail_after = int((self.failing.value or {}).get("after", 0)) if self.failing else None
        while not worker.stopping:
            size = BATCH if fail_after is None else min(BATCH, fail_after - done)
            batch = list(itertools.islice(rows, size)) if size > 0 else []
            if batch:
                if not self._batch(columns, batch, done):
                    return False
                done += len(batch)
            if fail_after is not None and done >= fail_after and self.failing:
                raise _failure(self.failing)
            if not batch:
                return True
        return False

    def _columns(self, header: list[str]) -> list[Column]:
        deleting = self.operation in (Operation.DELETE, Operation.HARD_DELETE)
        if deleting and [name.strip().lower() for name in header] != ["id"]:
            raise ApiError(400, "INVALIDBATCH", "InvalidBatch : The 'delete' batch must contain only ids")
        columns = self.reader.columns(header)
        if self.operation is Operation.UPSERT and not any(c.field is self.external for c in columns):
            name = self.external.name if self.external else "Id"
            raise ApiError(400, "INVALIDBATCH", f"InvalidBatch : External ID field {name} is missing in the header")
        return columns

    def _batch(self, columns: list[Column], rows: list[list[str]], first: int) -> bool:
        with self.org.store.write() as db:
            present = self.org.jobs.find(self.job.id, INGEST)
            if present is None or present.state is not State.IN_PROGRESS:
                return False
            results = list(self._results(columns, rows, first))
            packed = msgspec.json.encode(results).decode()
            db.execute("INSERT INTO _job_batch VALUES (?, ?, ?)", (self.job.id, first, packed))
            self.job.processed += len(rows)
            self.job.failed += sum(1 for result in results if result[2] is not None)
            self.org.jobs.save(self.job)
            self.org.usage.bulk_batches += -(-len(rows) // 10_000)
        return True

    def _results(self, columns: list[Column], rows: list[list[str]], first: int) -> Iterator[list[Any]]:
        if self.operation in (Operation.DELETE, Operation.HARD_DELETE):
            records = [row[0] for row in rows]
            outcomes = self.org.delete(
                self.actor,
                records,
                place=self.place,
                spoil=self.spoil,
                first=first + 1,
                obj=self.object,
                hard=self.operation is Operation.HARD_DELETE,
            )
            for record, error in zip(records, outcomes, strict=True):
                yield [record, False, error.as_bulk() if error else None]
            return
        drafts = self.reader.from_csv(columns, rows)
        for draft, row in zip(drafts, rows, strict=True):
            if len(row) != len(columns):
                draft.refuse("INVALID_BATCH_ROW", f"The row has {len(row)} columns, the header {len(columns)}")
        self.org.save(
            self.actor,
            self.object,
            self.operation,
            drafts,
            place=self.place,
            external=self.external,
            spoil=self.spoil,
            first=first + 1,
        )
        for draft in drafts:
            yield [draft.id, draft.created, draft.errors[0].as_bulk() if draft.errors else None]


def start(org: Org) -> list[Worker]:
    """Start the workers of an org."""
    workers = [Worker(org, INGEST), Worker(org, QUERY)]
    for worker in workers:
        worker.start()
    return workers
