"""A small delta: one account changes in Salesforce, is written in the ERP and acknowledged, through the scheduler; and how much of
that is Airflow's own: the same work once more in one process that has imported everything."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from statistics import median
from typing import Any

from sandbox.stack import airflow
from sandbox.stack.connections import read
from sandbox.stack.home import default_home
from tests.benchmarks import steps
from tests.benchmarks.place import own_home
from tests.benchmarks.report import Report
from tests.e2e.story import CUSTOMERS, Stage, raise_curtain

PART = "delta"
TIMES = 3
OURS = 1.5  # seconds of our own work on top of Airflow's


def measure(report: Report, records: int) -> None:
    """Measure on the sample company, which is small: what a run of one record costs does not depend on it."""
    with own_home() as home:
        try:
            _measure(raise_curtain(home, shared=default_home()), report)
        finally:
            airflow.stop(home)


def _measure(stage: Stage, report: Report) -> None:
    stage.api.unpause(CUSTOMERS)
    stage.scheduled(CUSTOMERS)
    through = [_through_the_scheduler(stage, n) for n in range(TIMES)]
    total = median(one["total"] for one in through)
    tasks = int(median(one["tasks"] for one in through))
    report.add(PART, "changed → written → acknowledged, through the scheduler", total, tasks, "tasks")
    report.add(PART, "of which tasks ran, on the longest path", median(one["running"] for one in through))
    for name, seconds in through[-1]["by_task"].items():
        report.add(PART, f"task {name}", seconds)
    steps.start(read(stage.home), stage.home)
    work = median(_alone(stage, TIMES + n) for n in range(TIMES))
    report.add(PART, "the same work in one warm process", work)
    report.add(PART, "Airflow's own", total - work)
    report.most(PART, "seconds of our own", work, OURS)


def _change(stage: Stage, n: int) -> tuple[str, str]:
    """Sales changes an account that has been through; its id, and that of another one."""
    org = stage.organization()
    query = "SELECT Id FROM Account WHERE ERP_Sync_Status__c = 'Synced' ORDER BY Id LIMIT 2"
    account, other = (str(row["Id"]) for row in org.query(query))
    list(org.update([{"attributes": {"type": "Account"}, "id": account, "Phone": f"+31 15 555 {n:04d}"}]))
    return account, other


def _through_the_scheduler(stage: Stage, n: int) -> dict[str, Any]:
    account, _ = _change(stage, n)
    run = stage.play((CUSTOMERS,), {"keys": [account]})[CUSTOMERS]
    (row,) = [one for one in stage.api.runs(CUSTOMERS) if one["dag_run_id"] == run]
    tasks = [task for task in stage.api.tasks(CUSTOMERS, run) if task["start_date"] and task["end_date"]]
    took = {task["task_id"]: _instant(task["end_date"]) - _instant(task["start_date"]) for task in tasks}
    seconds = {name: one.total_seconds() for name, one in took.items()}
    targets = [seconds.get(f"compare_{name}", 0) + seconds.get(f"load_{name}", 0) for name in ("tryton", "legacy")]
    alone = sum(v for name, v in seconds.items() if not name.startswith(("compare_", "load_")))
    total = (_instant(row["end_date"]) - _instant(row["queued_at"])).total_seconds()
    return {"total": total, "tasks": len(tasks), "running": alone + max(targets), "by_task": seconds}


def _alone(stage: Stage, n: int) -> float:
    account, other = _change(stage, n)
    took = steps.step("whole", os.environ, None, CUSTOMERS, other, account)
    return float(took.result)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
