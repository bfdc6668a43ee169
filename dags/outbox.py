"""The outbox: what flows and processes did is told to subscribers, as signed webhooks.

**Who owns it**: integration. Each receiver belongs to whoever asked for it.

**What it does.** Every minute each subscriber is sent the events that are new for it: a record applied, deleted or rejected in a
system, an order that reached a step. In order and at least once; a cursor in the hub moves when the receiver has confirmed.
Subscribers are declared by the setting `[accord] subscribers` and a connection each; without any there is nothing to do.

**When it fails**
- A receiver that does not take its events fails no run: they wait, and are tried again with back-off. After five failures in a
  row one exception names it; `accord outbox list` tells what it answered.
- A receiver answered 410 Gone: nothing more is sent to it. `accord outbox resume NAME` when it is back.
- `publish` failed: the hub is away. The next run goes on where this one ended.

**By hand.** *Trigger* publishes at once. `accord outbox replay NAME --since …` sends again what was sent before.
"""

from datetime import timedelta

from airflow.sdk import DAG

from accord_airflow.operators.outbox import PublishEventsOperator

with DAG(
    "outbox",
    schedule="* * * * *",
    catchup=False,
    max_active_runs=1,
    description="Events to subscribers",
    tags=["accord", "events"],
    doc_md=__doc__,
    default_args={"owner": "integration", "retries": 1, "retry_delay": timedelta(seconds=15)},
) as dag:
    # a round takes 45 s at most and a request 35: what lasts longer hangs
    PublishEventsOperator(task_id="publish", execution_timeout=timedelta(minutes=3))
