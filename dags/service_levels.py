"""Service levels: whether what was promised is kept, and who is told when it is not.

**Who owns it**: integration. Each alert names its own owner.

**What it does.** Every two minutes it measures from the hub, whatever became of the runs: run deadlines, data freshness, watermarks that
stand still, order acceptance, the age of exceptions. What is not kept any more, and what is kept again, changes the alert ledger, and
each change is told once: by e-mail, Slack, PagerDuty or webhook, as the setting `[accord] alerts` and a connection each declare. Alerts
nobody acknowledges are escalated. A system's declared maintenance excuses its flows. At the end a sign of life goes out, so that
somebody outside notices when it does not. `accord alerts` shows and acknowledges on a terminal. Beside it, every quarter of an hour,
`measure` takes the figures of `docs/metrics.md`.

**When it fails**
- `alert` failed, *notices were not told*: a channel's connection or service. They are kept and go when it is mended; the others went.
- `alert` failed, *nothing was checked*: see the log of `check`.
- The hub is away: `check` and `alert` pass, `measure` is skipped, and the alert about it goes out directly.
- `measure` failed: the figures stay as they were last taken; the next run takes them.
- Nothing runs at all: whoever watches the heartbeat is told.

**By hand.** *Trigger* measures and tells at once.
"""

from datetime import timedelta

from airflow.sdk import DAG

from accord_airflow.operators.metrics import MetricsOperator
from accord_airflow.operators.service_levels import SlaAlertOperator, SlaCheckOperator

with DAG(
    "service_levels",
    schedule="*/2 * * * *",
    catchup=False,
    max_active_runs=1,
    description="What was promised, and who is told when it is not kept",
    tags=["accord", "service levels"],
    doc_md=__doc__,
    # the next run comes in two minutes
    default_args={"owner": "integration", "retries": 0, "execution_timeout": timedelta(minutes=5)},
) as dag:
    check = SlaCheckOperator(task_id="check")
    SlaAlertOperator(task_id="alert", findings=check.output)
    MetricsOperator(task_id="measure")
