"""Bulk 2.0 jobs: what is known of each, kept in the store, and their files."""

import json
import shutil
import threading
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sandbox.salesforce import ids
from sandbox.salesforce.clock import Clock
from sandbox.salesforce.errors import ApiError, not_found
from sandbox.salesforce.store import Store

DELIMITERS = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
INGEST, QUERY = "ingest", "query"


class State(StrEnum):
    """Job states, as Salesforce names them."""

    OPEN = "Open"
    UPLOAD_COMPLETE = "UploadComplete"
    IN_PROGRESS = "InProgress"
    JOB_COMPLETE = "JobComplete"
    FAILED = "Failed"
    ABORTED = "Aborted"


ENDED = frozenset({State.JOB_COMPLETE, State.FAILED, State.ABORTED})
# How refusals speak of a change of state, and of the state a job is in.
_MOVING = {State.UPLOAD_COMPLETE: "Closing", State.IN_PROGRESS: "Starting", State.ABORTED: "Aborting"}
_BEING = {State.UPLOAD_COMPLETE: "closed", State.IN_PROGRESS: "closed", State.JOB_COMPLETE: "Completed"}


@dataclass(slots=True, kw_only=True)
class Job:
    """One job. `uploaded` says how often data came, `processed` how many rows have a result; `client` created it."""

    id: str
    kind: str
    operation: str
    object: str
    client: str
    user_id: str
    created: str
    version: str
    state: State
    delimiter: str = "COMMA"
    line_ending: str = "LF"
    external_id: str | None = None
    query: str | None = None
    modified: str = ""
    uploaded: int = 0
    processed: int = 0
    failed: int = 0
    milliseconds: int = 0
    error: str | None = None

    def info(self, *, full: bool = True) -> dict[str, Any]:
        """Return the job as the API shows it; `full` adds the figures of GET."""
        result: dict[str, Any] = {
            "id": self.id,
            "operation": self.operation,
            "object": self.object,
            "createdById": self.user_id,
            "createdDate": self.created.replace("Z", "+0000"),
            "systemModstamp": (self.modified or self.created).replace("Z", "+0000"),
            "state": self.state.value,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
        }
        if self.kind == INGEST:
            if self.state is State.OPEN:
                result["contentUrl"] = f"services/data/v{self.version}/jobs/ingest/{self.id}/batches"
            if self.external_id:
                result["externalIdFieldName"] = self.external_id
        result |= {"lineEnding": self.line_ending, "columnDelimiter": self.delimiter}
        if full:
            result |= {
                "jobType": "V2Ingest" if self.kind == INGEST else "V2Query",
                "retries": 0,
                "totalProcessingTime": self.milliseconds,
                "numberRecordsProcessed": self.processed,
            }
            if self.kind == INGEST:
                result |= {
                    "numberRecordsFailed": self.failed,
                    "apiActiveProcessingTime": self.milliseconds,
                    "apexProcessingTime": 0,
                }
            if self.error:
                result["errorMessage"] = self.error
        return result


class Jobs:
    """All jobs of the org."""

    def __init__(self, store: Store, clock: Clock, folder: Path) -> None:
        self.store, self.clock, self.folder = store, clock, folder
        self.wake = {INGEST: threading.Event(), QUERY: threading.Event()}

    def path(self, job: str, name: str) -> Path:
        """Return where a file of a job is kept."""
        return self.folder / job / name

    def create(self, **values: Any) -> Job:
        """Store a new job."""
        with self.store.write() as db:
            job = Job(
                id=ids.make("750", self.store.take_numbers(db, "750", 1)[0]), created=self.clock.stamp(), **values
            )
            (self.folder / job.id).mkdir(parents=True, exist_ok=True)
            self.save(job)
        return job

    def save(self, job: Job) -> None:
        """Store what changed about a job; part of the caller's transaction if there is one."""
        job.modified = self.clock.stamp()
        with self.store.write() as db:
            db.execute(
                "INSERT OR REPLACE INTO _job VALUES (?, ?, ?, ?)",
                (job.id, job.kind, job.state.value, json.dumps(asdict(job))),
            )

    def get(self, job_id: str, kind: str) -> Job:
        """Return a job.

        Raises:
            ApiError: 404, there is none of this kind with this id.
        """
        job = self.find(job_id, kind)
        if job is None:
            raise not_found()
        return job

    def find(self, job_id: str, kind: str) -> Job | None:
        """Return a job, or None if there is none."""
        record = ids.normalize(job_id)
        row = self.store.connection.execute(
            "SELECT detail FROM _job WHERE id = ? AND kind = ?", (record, kind)
        ).fetchone()
        return self._job(row[0]) if row else None

    @staticmethod
    def _job(detail: str) -> Job:
        values = json.loads(detail)
        return Job(**{**values, "state": State(values["state"])})

    def list(self, kind: str) -> list[Job]:
        """Return the jobs of a kind, newest first."""
        rows = self.store.connection.execute("SELECT detail FROM _job WHERE kind = ? ORDER BY id DESC", (kind,))
        return [self._job(row[0]) for row in rows]

    def next(self, kind: str) -> Job | None:
        """Return the oldest job a worker should do, unfinished work of a killed server included."""
        row = self.store.connection.execute(
            "SELECT detail FROM _job WHERE kind = ? AND state IN ('UploadComplete', 'InProgress') ORDER BY id LIMIT 1",
            (kind,),
        ).fetchone()
        return self._job(row[0]) if row else None

    def move(self, job: Job, state: State, allowed: frozenset[State]) -> Job:
        """Change a job's state if its present one allows that.

        Raises:
            ApiError: INVALIDJOBSTATE, in the words of the guide's "Abort a Query Job" and of what users of salesforcer saw.
        """
        with self.store.write():
            job = self.get(job.id, job.kind)
            if job.state not in allowed:
                raise ApiError(
                    400,
                    "INVALIDJOBSTATE",
                    f"{_MOVING[state]} already {_BEING.get(job.state, job.state.value)} Job not allowed",
                )
            job.state = state
            self.save(job)
        self.wake[job.kind].set()
        return job

    def delete(self, job: Job) -> None:
        """Forget a job that has ended, or an ingest job nobody works on yet, and its files.

        Raises:
            ApiError: API_ERROR, as the guide's "Delete a Query Job" shows it; "Delete a Job" names the states.
        """
        with self.store.write() as db:
            job = self.get(job.id, job.kind)
            if job.state not in ENDED and (job.kind, job.state) != (INGEST, State.UPLOAD_COMPLETE):
                raise ApiError(
                    400, "API_ERROR", "Error encountered when deleting the job because the job is not terminated"
                )
            db.execute("DELETE FROM _job WHERE id = ?", (job.id,))
            db.execute("DELETE FROM _job_batch WHERE job = ?", (job.id,))
        shutil.rmtree(self.folder / job.id, ignore_errors=True)
