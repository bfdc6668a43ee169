"""Writing through Bulk API 2.0: one job for many records, every one of them accounted for.

The job's id is remembered before the job is let loose; until then it changes nothing and can simply be aborted. The
result files come in any order and are matched by the identifying column. Bulk API 2.0 Developer Guide, "Ingest".
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import requests

from accord.errors import AccordError, BadCredentials, InDoubt, SchemaDrift, Unavailable
from accord.ports import Sending
from accord.systems.results import applied, unanswered
from accord.systems.salesforce.client import Client
from accord.systems.salesforce.columns import from_csv
from accord.systems.salesforce.failures import Refused, bulk_fault
from accord.systems.salesforce.jobs import ENDED, JobState, ended_job
from accord.systems.salesforce.options import PERMISSION_CURE
from accord.systems.salesforce.payload import Group, as_csv
from accord.systems.salesforce.replies import UNREACHED, UNSENT, Once, Refusal, Replies, stop_on_drift

LARGEST = 90_000_000  # bytes of one upload: Salesforce takes 150 MB after base64 and advises 100 MB before
SEPARATOR = ","  # between the ids of several jobs of one sending


class Ingest:
    """The jobs of one sending."""

    def __init__(self, client: Client, sending: Sending) -> None:
        self._client, self._sending = client, sending
        self._jobs: list[str] = []

    def write(self, group: Group, *, earlier: bool) -> Replies:
        """Send `group`; one reply per key. Raises what the first job raises when nothing has been let loose yet,
        neither here nor `earlier`."""
        replies: Replies = {}
        for part, body in as_csv(group, LARGEST):
            try:
                replies |= self._job(part, body)
            except AccordError:
                if not (earlier or replies):
                    raise
                return dict.fromkeys(group.keys, UNSENT) | replies
            if not earlier:
                stop_on_drift(replies)
        return replies

    def _job(self, part: Group, body: bytes) -> Replies:
        order = {"object": part.sobject, "contentType": "CSV", "lineEnding": "LF"}
        if part.by == "Id":
            order["operation"] = "delete" if part.deletes else "update"
        else:
            order |= {"operation": "upsert", "externalIdFieldName": part.by}
        job = str(self._quietly("POST", "/jobs/ingest", json=order)["id"])
        path = f"/jobs/ingest/{job}"
        self._jobs.append(job)
        self._sending.remember_remote(SEPARATOR.join(self._jobs))
        try:
            self._quietly("PUT", f"{path}/batches", data=body, headers={"Content-Type": "text/csv; charset=UTF-8"})
        except AccordError:
            abort(self._client, path)
            raise
        doubt: Replies = {key: unanswered() for key in part.keys}
        if not self._let_loose(path):
            return doubt
        try:
            ended = ended_job(self._client, path, alive=self._sending.before_request)
            return self._account(part, path, ended) if ended else doubt
        except (Unavailable, BadCredentials, InDoubt):  # it goes on without us
            return doubt

    def _quietly(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        """A request that changes no record yet: without an answer it is as if it had not been sent."""
        before = Once(self._sending.before_request)
        try:
            answer = self._client.change(method, path, before=before, **arguments)
        except InDoubt:
            if not before.passed:
                raise
            raise Unavailable(
                "Salesforce did not answer while the job was prepared.", cure="It is tried again."
            ) from None
        return dict(answer.json()) if answer.content else {}

    def _let_loose(self, path: str) -> bool:
        """Set the job going; False when nobody knows whether it goes. Raises when it certainly does not."""
        before = Once(self._sending.before_request)
        try:
            self._client.change("PATCH", path, before=before, json={"state": JobState.UPLOAD_COMPLETE.value})
        except InDoubt:
            if not before.passed:
                abort(self._client, path)
                raise
            try:
                if self._client.json(path)["state"] == JobState.OPEN:
                    abort(self._client, path)  # the request may still be on its way; its result files will tell
            except AccordError:
                return False
        except AccordError:
            abort(self._client, path)
            raise
        return True

    def _account(self, part: Group, path: str, job: dict[str, Any]) -> Replies:
        """Every record's reply from the three result files; one that is in none of them stays in doubt."""
        if job["state"] == JobState.FAILED and str(job.get("errorMessage", "")).startswith("InvalidBatch"):
            raise SchemaDrift("Salesforce refused a column of the bulk job (InvalidBatch).", cure=PERMISSION_CURE)
        place = {id_: at for at, id_ in enumerate(part.ids.to_pylist())}
        replies: Replies = {key: unanswered() for key in part.keys}
        for row in self._file(path, "successfulResults", part.by, "sf__Id"):
            replies[part.keys[place[row[part.by]]]] = applied(row["sf__Id"])
        for row in self._file(path, "failedResults", part.by, "sf__Error"):
            at = place[row[part.by]]
            refusal = Refusal(faults=(bulk_fault(row["sf__Error"] or ""),), values=tuple(part.values(at)))
            replies[part.keys[at]] = refusal
        for row in self._file(path, "unprocessedrecords", part.by):
            replies[part.keys[place[row[part.by]]]] = UNREACHED
        return replies

    def _file(self, path: str, name: str, *columns: str) -> list[dict[str, Any]]:
        body = self._client.read("GET", f"{path}/{name}", headers={"Accept": "text/csv"}).content
        rows: list[dict[str, Any]] = from_csv(body, dict.fromkeys(columns, pa.string())).to_pylist()
        return rows


def abort(client: Client, path: str) -> None:
    """Abort a job that has not ended. One that can't be aborted is found out by its state."""
    try:
        client.read("PATCH", path, json={"state": JobState.ABORTED.value})
    except AccordError:
        pass


def ingest_ended(client: Client, remote: str) -> bool:
    """Whether every job in `remote` can no longer change anything; aborts those that have not begun."""
    return all([_ended(client, f"/jobs/ingest/{job}") for job in remote.split(SEPARATOR) if job])


def _ended(client: Client, path: str) -> bool:
    try:
        state = client.json(path)["state"]
        if state in (JobState.OPEN, JobState.UPLOAD_COMPLETE):
            abort(client, path)
            state = client.json(path)["state"]
    except Refused as refused:
        if refused.status == requests.codes.not_found:
            return True  # Salesforce forgets a job seven days after it ended
        raise
    return state in ENDED
