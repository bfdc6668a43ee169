"""Housekeeping: every night, what is kept no longer leaves the hub, staging and the reports; room is made for what comes.

**Who owns it**: integration.

**What it does.** Makes the partitions of the coming months, drops those of months that are old enough, deletes old rows, staged files
and reports. How long what is kept is declared in `accord/retention.py` and told in `docs/retention.md`.

**When it fails**
- The hub was too busy to change partitions: it is tried again. Two months are made ahead, so that several bad nights do no harm.
- The hub is away: the next night does the work of both.

**By hand.** *Trigger* does it now; `accord housekeeping --dry-run` says what would go. A person is erased with `accord forget`.
"""

from datetime import timedelta

from airflow.sdk import DAG

from accord_airflow.operators.housekeeping import HousekeepingOperator

with DAG(
    "housekeeping",
    schedule="20 2 * * *",
    catchup=False,
    max_active_runs=1,
    description="What is kept no longer, and room for what comes",
    tags=["accord", "housekeeping"],
    doc_md=__doc__,
    default_args={"owner": "integration", "retries": 3, "retry_delay": timedelta(minutes=10)},
) as dag:
    HousekeepingOperator(task_id="housekeep", execution_timeout=timedelta(hours=2))
