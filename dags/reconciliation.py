"""Reconciliation: every object on both sides, every night before business opens.

**Who owns it**: integration; what it finds goes to the queue of its class: amounts to finance, fields and duplicates to master
data, what was lost on the way to integration.

**What it does.** For every object and target it reads what the owner says and what the target holds, names every difference
(missing, extra, field differs, amount differs, status lag, duplicate, orphan link) with its likely cause, and has the object's
own flow put right what the object declares may be put right without asking. More than that waits as exceptions. Records that
are on their way, or wait for somebody already, are no differences. Hard deletes are found by the census of keys. The log has
the amounts of both sides per currency; `accord reconcile --trend` shows the nights.

**When it fails**
- A system is away: the retry passes by itself; what was corrected stays so.
- A warning says that corrections wait for an approval: look at one with `accord reconcile OBJECT --key KEY --dry-run`. One cause
  for all of them is likely: a mapping, a permission, an import. Mend that first.

**By hand.** *Trigger* opens a form: an object, a target, single keys. `apply` says how much is put right: `auto` as at night,
`none` to look only, `all` to approve everything that is found; who asked for it is kept.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from accord.flows import FLOWS
from accord_airflow.flow_dag import pool
from accord_airflow.operators.reconcile import ALL, APPLY, ReconcileOperator

OBJECTS = sorted({flow.object for flow in FLOWS.values()})
TARGETS = sorted({target for flow in FLOWS.values() for target in flow.targets})

with DAG(
    "reconciliation",
    schedule="30 2 * * *",
    catchup=False,
    max_active_runs=1,
    max_active_tasks=2,
    description="Both sides of every object held against each other",
    tags=["accord", "reconciliation"],
    doc_md=__doc__,
    default_args={"owner": "integration", "retries": 2, "retry_delay": timedelta(minutes=5)},
    params={
        "object": Param(ALL, type="string", enum=[ALL, *OBJECTS], title="Object"),
        "flow": Param(ALL, type="string", enum=[ALL, *FLOWS], title="Flow"),
        "target": Param(ALL, type="string", enum=[ALL, *TARGETS], title="Target"),
        "keys": Param(
            [],
            type="array",
            items={"type": "string"},
            title="Keys",
            description="Look at just these records of the object: one on each line.",
        ),
        "apply": Param(
            APPLY[0],
            type="string",
            enum=list(APPLY),
            title="Correct",
            description="auto: what may be without asking; none: look only; all: everything.",
        ),
    },
) as dag:
    for flow in FLOWS.values():
        for target in flow.targets:
            ReconcileOperator(
                task_id=f"{flow.object}__{flow.source}_to_{target}", flow=flow, target=target, pool=pool(target)
            )
