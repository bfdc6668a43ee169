"""Queries through Bulk API 2.0: the org prepares the result, we read it page by page by its locator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa

from accord.errors import AccordError, SchemaDrift, Stop, Unavailable
from accord.systems.salesforce.client import Client
from accord.systems.salesforce.columns import from_csv
from accord.systems.salesforce.failures import DRIFT
from accord.systems.salesforce.jobs import ENDED, JobState, ended_job
from accord.systems.salesforce.options import PERMISSION_CURE
from accord.systems.salesforce.soql import Select

PAGE = 50_000  # rows; what is in memory at once


def bulk_pages(
    client: Client, select: Select, columns: Mapping[str, pa.DataType], *, page: int = PAGE
) -> Iterator[pa.Table]:
    """The rows of `select`, deleted ones included, as tables of `columns`, at most `page` rows each.

    The job is deleted when the reading ends, however it ends. Raises Unavailable when the job does not end in time.
    """
    body = {"operation": "queryAll", "query": select.text, "contentType": "CSV", "lineEnding": "LF"}
    path = f"/jobs/query/{client.read('POST', '/jobs/query', json=body).json()['id']}"
    try:
        _wait(client, path)
        locator = ""
        while locator != "null":
            wanted = {"maxRecords": str(page)} | ({"locator": locator} if locator else {})
            answer = client.read("GET", f"{path}/results", params=wanted, headers={"Accept": "text/csv"})
            locator = answer.headers.get("Sforce-Locator") or "null"
            table = from_csv(answer.content, columns)
            told = answer.headers.get("Sforce-NumberOfRecords")
            if told and int(told) != table.num_rows:
                raise Unavailable(
                    f"Salesforce announced {told} rows and sent {table.num_rows}.", cure="The read is tried again."
                )
            if table.num_rows:
                yield table
    finally:
        _drop(client, path)


def _wait(client: Client, path: str) -> None:
    job = ended_job(client, path)
    if job is None:
        raise Unavailable(
            "Salesforce has not finished the bulk query in time.",
            cure="It is tried again; raise bulk_wait_s if it recurs.",
        )
    if job["state"] != JobState.JOB_COMPLETE:
        reason = str(job.get("errorMessage") or "")
        code = next((code for code in sorted(DRIFT) if code in reason), None)
        if code:
            raise SchemaDrift(f"Salesforce refused a field of the bulk query ({code}).", cure=PERMISSION_CURE)
        if job["state"] == JobState.ABORTED:
            raise Unavailable("Somebody aborted the bulk query.", cure="It is tried again.")
        raise Stop("Salesforce could not run the bulk query.", cure="Look at the job in Setup, Bulk Data Load Jobs.")


def _drop(client: Client, path: str) -> None:
    """Free the job's storage: only an ended job can be deleted. What fails here the org tidies up after seven days."""
    try:
        if client.json(path)["state"] not in ENDED:
            client.read("PATCH", path, json={"state": JobState.ABORTED.value})
        client.read("DELETE", path)
    except AccordError:
        pass
