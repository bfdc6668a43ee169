"""What Bulk API 2.0's query and ingest jobs share: states, and waiting for one to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from accord.systems.salesforce.client import Client


class JobState(StrEnum):
    """Bulk API 2.0 Developer Guide, "Job states"."""

    OPEN = "Open"
    UPLOAD_COMPLETE = "UploadComplete"
    IN_PROGRESS = "InProgress"
    JOB_COMPLETE = "JobComplete"
    FAILED = "Failed"
    ABORTED = "Aborted"


ENDED = frozenset({JobState.JOB_COMPLETE, JobState.FAILED, JobState.ABORTED})
_FIRST_POLL = 0.1  # seconds; small jobs end at once


def ended_job(client: Client, path: str, *, alive: Callable[[], None] | None = None) -> dict[str, Any] | None:
    """The job at `path` once it has ended; None when it has not within the connection's `bulk_wait`.

    `alive` is called while it goes on: whoever waits for a job it let loose is not to be taken for dead.
    """
    deadline = time.monotonic() + client.options.bulk_wait
    pause = min(_FIRST_POLL, client.options.bulk_poll)
    while True:
        job: dict[str, Any] = client.json(path)
        if job["state"] in ENDED:
            return job
        if time.monotonic() + pause > deadline:
            return None
        if alive:
            alive()
        time.sleep(pause)
        pause = min(pause * 1.5, client.options.bulk_poll)
