"""Replay: exceptions are tried again, for whoever mended what they were about.

**Who owns it**: integration. Who works a queue starts it: sales operations, finance, master data.

**What it does.** The exceptions the form names are taken, so that nobody else replays them at the same time, and one run per
flow reads their records again, applies what was edited, judges them by the gates and sends what differs; customers go before
the orders that wait for them. What passes is settled, the rest is open again with what the system said this time. No watermark
moves. `accord exceptions replay` does the same on a terminal.

**When it fails**
- *That would be every exception*, *at most … may be*: say which, or allow more under *At most*.
- A flow failed: a system is away or the login is refused. The others went on; what was not settled is open again. Trigger it
  again when it is mended.
- It died: what it was replaying is open again as soon as somebody looks; what was sent without an answer is read back first.

**By hand.** *Trigger* opens a form: numbers, or a queue, a category, an age … A dry run says what would be sent.
"""

from datetime import timedelta

from airflow.sdk import DAG

from accord_airflow.operators.replay import ReplayOperator, form

with DAG(
    "replay",
    schedule=None,
    catchup=False,
    description="Try exceptions again",
    tags=["accord", "exceptions"],
    doc_md=__doc__,
    default_args={"owner": "integration", "retries": 2, "retry_delay": timedelta(minutes=1)},
    params=form(),
) as dag:
    ReplayOperator(task_id="replay")
