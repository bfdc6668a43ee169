"""Bulk jobs as their users make them and wait for them."""

import csv
import io
import time
from typing import Any

ENDED = ("JobComplete", "Failed", "Aborted")


def create(api: Any, obj: str = "Account", operation: str = "insert", **more: Any) -> str:
    answer = api.send("POST", "/jobs/ingest", {"object": obj, "operation": operation, **more})
    assert answer.status == 200, answer.data
    assert answer.data["state"] == "Open"
    return f"/jobs/ingest/{answer.data['id']}"


def put(api: Any, job: str, data: str | bytes) -> Any:
    raw = data if isinstance(data, bytes) else data.encode()
    return api.send("PUT", f"{job}/batches", raw, content_type="text/csv; charset=UTF-8")


def ended(api: Any, job: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        info: dict[str, Any] = api.send("GET", job).data
        if info["state"] in ENDED:
            return info
        time.sleep(0.005)
    raise TimeoutError(job)


def ingest(
    api: Any, data: str | bytes, obj: str = "Account", operation: str = "insert", **more: Any
) -> tuple[str, dict[str, Any]]:
    job = create(api, obj, operation, **more)
    assert put(api, job, data).status == 201
    assert api.send("PATCH", job, {"state": "UploadComplete"}).data["state"] == "UploadComplete"
    return job, ended(api, job)


def results(api: Any, job: str, which: str, delimiter: str = ",") -> list[dict[str, str]]:
    answer = api.send("GET", f"{job}/{which}")
    assert answer.status == 200, answer.data
    return list(csv.DictReader(io.StringIO(answer.content().decode(), newline=""), delimiter=delimiter))


def query(api: Any, text: str, operation: str = "query") -> tuple[str, dict[str, Any]]:
    answer = api.send("POST", "/jobs/query", {"operation": operation, "query": text})
    assert answer.status == 200, answer.data
    job = f"/jobs/query/{answer.data['id']}"
    return job, ended(api, job)
