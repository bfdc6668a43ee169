"""Quote to cash: every committed order on its way to the money.

**Who owns it**: sales operations until the ERP has accepted the order, finance from the invoice on.

**What it does.** A way begins with an Opportunity at its committed stage, or with an activated Order; both of one deal are one
order. Every five minutes each order is placed by what the hub knows of it: customer ensured, validated, created,
acknowledged, in fulfilment, shipped, invoiced, paid. Orders whose customer or product has arrived meanwhile, and those whose
acknowledgement is missing, are asked of the flows at once. It writes to no system by itself: the flows of orders do, so no
order has two writers. `accord process` shows the same on a terminal.

**When it fails**
- A system is away: the retry passes by itself; nothing is half-done.
- An order stands still: *Trigger* with action `inspect` and the order's key, or `accord process show KEY`, names what it waits
  for and whose queue that is.

**By hand.** *Trigger* opens a form. `resume` asks for one order, and before it for the customer it waits for. `abandon` gives
an order up: it is cancelled in the ERP, and sales is told why. What is shipped or billed the ERP does not let go: the order
stays `abandoning` with an exception until finance has credited it.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from accord_airflow.operators.process import ACTIONS, ProcessOperator

with DAG(
    "quote_to_cash",
    schedule="*/5 * * * *",
    catchup=False,
    max_active_runs=1,
    description="Orders from commitment to cash",
    tags=["accord", "process"],
    doc_md=__doc__,
    default_args={"owner": "sales operations", "retries": 2, "retry_delay": timedelta(minutes=1)},
    params={
        "action": Param("advance", type="string", enum=list(ACTIONS), title="Action"),
        "key": Param("", type="string", title="Order", description="Canonical id, salesforce:<id>; not for advance."),
        "why": Param("", type="string", title="Why", description="For abandon: sales is told.", maxLength=200),
    },
) as dag:
    ProcessOperator(
        task_id="process",
        process="quote_to_cash",
        action="{{ params.action }}",
        key="{{ params.key }}",
        why="{{ params.why }}",
    )
