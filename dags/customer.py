"""Customers: what sales knows about an account goes to the ERPs that do business with it.

**Who owns it**: integration. Records that are held or rejected belong to sales operations and master data.

**What it does.** Accounts that changed in Salesforce, whole with their addresses and contacts, pass the source gate and
the canonical gate, are compared with what each ERP was last sent, and only the differences are written: a customer is
created in an ERP once and updated after. An account goes to the ERPs of the legal entities it buys from. Parents go
before children. A legal name typed by sales seeds the new customer and never overwrites finance's. Deleted and merged
accounts are deactivated. At the end each account's sync status and last error are written back, where they changed.

**When it fails**
- `extract` failed: Salesforce refuses us or is away. The log names the cure; a limit or an outage passes by itself.
- `gate_source` or `gate_canonical` failed: the batch as a whole was refused. Open the task's *Gate report*, failures
  come first. Nothing was written; mend the data, then clear the run.
- `compare_…` or `load_…` failed: that ERP's connection or set-up. The other ERPs went on. Clear the task when it is
  mended: what was sent is not sent again.
- `settle` failed and nothing before it: the counts don't add up. Don't move on; `accord status` shows which records.

**By hand.** *Trigger* opens a form: a window, single keys, a dry run, a full refresh. *Backfill* reads an interval's
changes as the records are now, not as they were then. Neither moves the watermark, so neither leaves a gap.
"""

from accord.flows import flows_of
from accord_airflow.flow_dag import flow_dag

for flow in flows_of("customer"):
    globals()[flow.name] = flow_dag(flow, doc_md=__doc__)
