"""Lead to customer: every prospect that buys from a legal entity, until its ERPs have it and sales knows.

**Who owns it**: sales operations until the account passes its gate, master data until every ERP has the customer.

**What it does.** Every five minutes each account that names a legal entity is placed by what the hub knows of it: validated,
created in every ERP of its legal entities, acknowledged. Accounts whose parent has arrived meanwhile, and those whose
acknowledgement is missing, are asked of the flow at once. It writes to no system by itself: the flow of customers does. Once sales
is told the process is over. `accord process` shows the same on a terminal.

**When it fails**
- A system is away: the retry passes by itself; nothing is half-done.
- A customer stands still: *Trigger* with action `inspect` and the account's key, or `accord process show KEY`, names what it waits
  for and whose queue that is.

**By hand.** *Trigger* opens a form. `resume` asks for one account, and before it for the parent it waits for. `abandon` gives one
up: it is deactivated where an ERP has it already, and sales is told why.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from accord_airflow.operators.process import ACTIONS, ProcessOperator

with DAG(
    "lead_to_customer",
    schedule="*/5 * * * *",
    catchup=False,
    max_active_runs=1,
    description="Prospects on their way to being customers",
    tags=["accord", "process"],
    doc_md=__doc__,
    default_args={"owner": "sales operations", "retries": 2, "retry_delay": timedelta(minutes=1)},
    params={
        "action": Param("advance", type="string", enum=list(ACTIONS), title="Action"),
        "key": Param("", type="string", title="Account", description="Canonical id, salesforce:<id>; not for advance."),
        "why": Param("", type="string", title="Why", description="For abandon: sales is told.", maxLength=200),
    },
) as dag:
    ProcessOperator(
        task_id="process",
        process="lead_to_customer",
        action="{{ params.action }}",
        key="{{ params.key }}",
        why="{{ params.why }}",
    )
