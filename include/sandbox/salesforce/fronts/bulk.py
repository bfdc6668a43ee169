"""Bulk API 2.0: jobs/ingest and jobs/query."""

import base64
import binascii
from dataclasses import replace
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from sandbox.salesforce.bulk.files import ResultFile, Upload, ingest_results
from sandbox.salesforce.bulk.jobs import DELIMITERS, ENDED, INGEST, LINE_ENDINGS, QUERY, Job, State
from sandbox.salesforce.bulk.worker import check_bulk_query, object_of_job
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.faults import Kind
from sandbox.salesforce.fronts.messages import Answer, Call
from sandbox.salesforce.org import Org
from sandbox.salesforce.records.drafts import Operation
from sandbox.salesforce.schema.permissions import Actor

LARGEST_UPLOAD = 150_000_000
LARGEST_PART = 100_000
DAILY_BATCHES = 15_000
DEFAULT_PAGE = 50_000
PARALLEL_PAGES = 5
_DAILY_QUERY_JOBS = 10_000
_LISTED = 1000


def _text(body: dict[str, Any], name: str, default: str, allowed: Any) -> str:
    value = body.get(name) or default
    if value not in allowed:
        raise ApiError(400, "API_ERROR", f"Invalid value: '{value}' supplied for property: '{name}'")
    return str(value)


def _common(body: dict[str, Any], call: Call, actor: Actor) -> dict[str, Any]:
    _text(body, "contentType", "CSV", {"CSV"})
    return {
        "delimiter": _text(body, "columnDelimiter", "COMMA", DELIMITERS),
        "version": call.version,
        "line_ending": _text(body, "lineEnding", "LF", LINE_ENDINGS),
        "client": actor.client,
        "user_id": actor.user_id,
    }


def _parts(call: Call) -> tuple[Call, bytes | None]:
    """Return a multipart request's job, as a request of its own, and its data; any other request as it is, without data."""
    kind = call.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/"):
        return call, None
    message = BytesParser(policy=HTTP).parsebytes(
        f"Content-Type: {kind}\r\n\r\n".encode("latin-1", "replace") + call.body
    )
    parts: dict[str, bytes] = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        data = part.get_payload(decode=True)
        parts[str(part.get_param("name", "", "content-disposition"))] = data if isinstance(data, bytes) else b""
    if set(parts) != {"job", "content"}:
        raise ApiError(
            400, "INVALIDJOB", "InvalidJob : a multipart request has two parts: job (JSON) and content (CSV)"
        )
    if len(parts["content"]) > LARGEST_PART:
        raise ApiError(400, "INVALIDJOB", f"InvalidJob : content may have at most {LARGEST_PART} characters here")
    return replace(call, body=parts["job"]), parts["content"]


def create_ingest(org: Org, call: Call, actor: Actor) -> Answer:
    """Create an ingest job; a multipart request brings the data along and closes it."""
    call, data = _parts(call)
    body = call.record()
    if org.usage.bulk_batches >= DAILY_BATCHES:
        raise ApiError(400, "EXCEEDEDQUOTA", f"ExceededQuota : {DAILY_BATCHES} batches a day are used up")
    obj = object_of_job(org, actor, str(body.get("object") or ""))
    operation = Operation(_text(body, "operation", "", [o.value for o in Operation]))
    external = body.get("externalIdFieldName")
    if operation is Operation.UPSERT:
        field = actor.field(obj, str(external or ""))
        if field is None or not field.id_lookup:
            raise ApiError(
                400,
                "INVALIDJOB",
                f"InvalidJob : Field name provided, {external} does not match an External ID, "
                f"Salesforce Id, or indexed field for {obj.name}",
            )
        external = field.name
    elif external:
        raise ApiError(400, "INVALIDJOB", "InvalidJob : externalIdFieldName is only for upsert")
    admin = actor.permissions.has("BulkApiHardDelete")
    if operation is Operation.HARD_DELETE and not admin:
        raise ApiError(
            400,
            "FEATURENOTENABLED",
            "FeatureNotEnabled : hard delete is not allowed for this user: the "
            "permission Bulk API Hard Delete is missing",
        )
    job = org.jobs.create(
        kind=INGEST,
        operation=operation.value,
        object=obj.name,
        state=State.OPEN,
        external_id=external,
        **_common(body, call, actor),
    )
    org.usage.ingest_jobs += 1
    if data is not None:
        org.jobs.path(job.id, "upload.csv").write_bytes(data)
        job.uploaded = 1
        org.jobs.save(job)
        job = org.jobs.move(job, State.UPLOAD_COMPLETE, frozenset({State.OPEN}))
    return Answer(data=job.info(full=False))


def upload(org: Org, call: Call, actor: Actor, job_id: str) -> Answer:
    """Take the CSV data of an open job. Data that come a second time are taken too: closing the job fails then."""
    if call.headers.get("content-type", "").split(";")[0].strip().lower() != "text/csv":
        raise ApiError(400, "INVALID_CONTENT_TYPE", "The Content-Type must be text/csv")
    if len(call.body) > LARGEST_UPLOAD:
        raise ApiError(413, "REQUEST_TOO_LARGE", f"The data may have at most {LARGEST_UPLOAD} bytes")
    job = org.jobs.get(job_id, INGEST)
    with org.store.write():
        job = org.jobs.get(job_id, INGEST)
        if job.state is not State.OPEN:
            raise ApiError(400, "INVALIDJOBSTATE", f"Data can't be uploaded to a job that is {job.state.value}")
        org.jobs.path(job.id, "upload.csv").write_bytes(call.body)
        job.uploaded += 1
        org.jobs.save(job)
    return Answer(201)


def change_state(org: Org, call: Call, actor: Actor, kind: str, job_id: str) -> Answer:
    """Close an ingest job (UploadComplete) or abort a job.

    That a job with two uploads can't be closed, and in which words, is told in question 231917 of Salesforce Stack Exchange.
    """
    job = org.jobs.get(job_id, kind)
    wanted = call.record().get("state")
    if wanted == State.ABORTED:
        job = org.jobs.move(job, State.ABORTED, frozenset({State.OPEN, State.UPLOAD_COMPLETE, State.IN_PROGRESS}))
    elif wanted == State.UPLOAD_COMPLETE and kind == INGEST:
        if job.uploaded > 1 and job.state is State.OPEN:
            raise ApiError(
                400,
                "INVALIDJOB",
                f"Found multipe contents for job: <{job.id[:15]}>, please 'Close' / 'Abort' / 'Delete' the current Job "
                "then create a new Job and make sure you only do 'PUT' once on a given Job.",
            )
        if not job.uploaded and job.state is State.OPEN:
            org.jobs.path(job.id, "upload.csv").write_bytes(b"")
        job = org.jobs.move(job, State.UPLOAD_COMPLETE, frozenset({State.OPEN}))
    else:
        raise ApiError(
            400,
            "INVALIDJOBSTATE",
            f"state must be {State.ABORTED.value}" + (f" or {State.UPLOAD_COMPLETE.value}" if kind == INGEST else ""),
        )
    return Answer(data=job.info(full=False))


def show(org: Org, call: Call, actor: Actor, kind: str, job_id: str) -> Answer:
    """Show one job."""
    return Answer(data=org.jobs.get(job_id, kind).info())


def delete(org: Org, call: Call, actor: Actor, kind: str, job_id: str) -> Answer:
    """Forget a job."""
    org.jobs.delete(org.jobs.get(job_id, kind))
    return Answer(204)


def listing(org: Org, call: Call, actor: Actor, kind: str) -> Answer:
    """List jobs, newest first."""
    start = call.number("queryLocator", 0)
    jobs = org.jobs.list(kind)
    done = start + _LISTED >= len(jobs)
    return Answer(
        data={
            "done": done,
            "records": [
                job.info(full=False) | {"jobType": "V2Ingest" if kind == INGEST else "V2Query"}
                for job in jobs[start : start + _LISTED]
            ],
            "nextRecordsUrl": None if done else f"{call.base}/jobs/{kind}?queryLocator={start + _LISTED}",
        }
    )


def results(org: Org, call: Call, actor: Actor, job_id: str, wanted: str) -> Answer:
    """Give a result file of an ingest job that has ended."""
    job = org.jobs.get(job_id, INGEST)
    if job.state not in ENDED:
        raise ApiError(
            400,
            "INVALIDJOBSTATE",
            f"Invalid job state: results are available once the job has ended, it is {job.state.value}",
        )
    wanted = {n.lower(): n for n in ("successfulResults", "failedResults", "unprocessedrecords")}[wanted.lower()]
    batches = org.store.connection.execute(
        "SELECT first, results FROM _job_batch WHERE job = ? ORDER BY first", (job.id,)
    )
    shuffled = org.faults.take("JOB", f"/jobs/ingest/{job.object}/{job.operation}", Kind.SHUFFLE_RESULTS) is not None
    content = ingest_results(Upload(org.jobs.path(job.id, "upload.csv"), job), batches, wanted, job, shuffled=shuffled)
    return Answer(raw=content, type="text/csv")


def create_query(org: Org, call: Call, actor: Actor) -> Answer:
    """Create a query job; a query that can't work is refused at once."""
    body = call.record()
    operation = _text(body, "operation", "", ("query", "queryAll"))
    text = str(body.get("query") or "")
    if org.usage.query_jobs >= _DAILY_QUERY_JOBS:
        raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "DailyBulkV2QueryJobs Limit exceeded.")
    plan = org.queries.compile(actor, text, deleted=operation == "queryAll")
    check_bulk_query(plan)
    job = org.jobs.create(
        kind=QUERY,
        operation=operation,
        object=plan.object.name,
        query=text,
        state=State.UPLOAD_COMPLETE,
        **_common(body, call, actor),
    )
    org.usage.query_jobs += 1
    org.jobs.wake[QUERY].set()
    return Answer(data=job.info(full=False))


def _locator(row: int) -> str:
    return base64.urlsafe_b64encode(str(row).encode()).decode().rstrip("=")


def _row(locator: str, count: int) -> int:
    if not locator:
        return 0
    try:
        row = int(base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)))
    except (ValueError, binascii.Error):
        row = -1
    if not 0 <= row <= count:
        raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return row


def _finished(org: Org, call: Call, job_id: str) -> Job:
    job = org.jobs.get(job_id, QUERY)
    if job.version != call.version:
        raise ApiError(
            409, "API_VERSION_MISMATCH", f"The job was created with API version {job.version}: use that version"
        )
    if job.state is not State.JOB_COMPLETE:
        raise ApiError(
            400,
            "INVALIDJOBSTATE",
            f"Invalid job state: results are available once the job is complete, it is {job.state.value}",
        )
    return job


def query_results(org: Org, call: Call, actor: Actor, job_id: str) -> Answer:
    """Give one page of a query job's rows."""
    job = _finished(org, call, job_id)
    first = _row(call.query.get("locator", ""), job.processed)
    count = min(max(1, call.number("maxRecords", DEFAULT_PAGE)), job.processed - first)
    following = first + count
    content = ResultFile(org.jobs.folder / job.id).page(first, count)
    return Answer(
        raw=content,
        type="text/csv",
        headers={
            "Sforce-Locator": _locator(following) if following < job.processed else "null",
            "Sforce-NumberOfRecords": str(count),
        },
    )


def result_pages(org: Org, call: Call, actor: Actor, job_id: str) -> Answer:
    """List up to five pages that may be read side by side, and where the next five are listed."""
    job = _finished(org, call, job_id)
    first = _row(call.query.get("locator", ""), job.processed)
    base = f"{call.base}/jobs/query/{job.id}"
    starts = [first + DEFAULT_PAGE * at for at in range(PARALLEL_PAGES)]
    starts = [start for start in starts if start < job.processed or start == 0]
    following = first + DEFAULT_PAGE * PARALLEL_PAGES
    done = following >= job.processed
    return Answer(
        data={
            "resultPages": [{"resultUrl": f"{base}/results?locator={_locator(start)}"} for start in starts],
            "nextRecordsUrl": None if done else f"{base}/resultPages?locator={_locator(following)}",
            "done": done,
        }
    )
