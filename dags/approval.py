"""Approvals: what a rule wants a person to approve waits alone, and never holds a batch.

**Who owns it**: the queue the rule names; for discounts sales operations.

**What it does.** `approvals` looks every five minutes for records that wait and starts one run of `approval` for each version
of each, which shows a form under *Required actions*. Approved, the record goes on at once; refused, its exception says so and
the source is told. Without an answer in two days it is refused. An answer holds for the version it was given for: a record
that changes meanwhile is asked about again.

**When it fails**
- `decide` failed: a system is away, or the login is refused. The decision is kept; clear the task, or let the flow run.
- An `approval` run waits: that is its work. Answer in the UI, or by `accord approve KEY` / `accord refuse KEY --why …`; a run
  whose matter is settled otherwise ends by itself at its answer.

**By hand.** Don't trigger `approval` yourself: `approvals` names what waits.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from accord_airflow.operators.approval import (
    REASON,
    AskOperator,
    DecideOperator,
    PendingApprovalsOperator,
    StartApprovalOperator,
)

SHARED = {
    "catchup": False,
    "tags": ["accord", "approval"],
    "doc_md": __doc__,
    "default_args": {"owner": "sales operations", "retries": 2, "retry_delay": timedelta(minutes=1)},
}

with DAG(
    "approvals", schedule="*/5 * * * *", max_active_runs=1, description="Ask for approvals", **SHARED
) as approvals:
    pending = PendingApprovalsOperator(task_id="pending")
    StartApprovalOperator.partial(
        task_id="ask", trigger_dag_id="approval", doc_md="One run per record and version."
    ).expand_kwargs(pending.output)

with DAG(
    "approval",
    schedule=None,
    description="One record, one decision",
    params={name: Param("", type="string") for name in ("key", "version", "object", "queue", "money", "reasons")},
    **SHARED,
) as approval:
    answer = AskOperator(
        task_id="ask",
        subject="{{ params.object }} {{ params.key }}: approve?",
        body="{{ params.money }}, for {{ params.queue }}\n\n{{ params.reasons }}",
        params=REASON,
        doc_md="Waits for a person without holding a worker.",
    )
    DecideOperator(task_id="decide", key="{{ params.key }}", version="{{ params.version }}", answer=answer.output)
