"""Order status: what became of an order in its ERP comes back to the Order and its products in Salesforce.

**Who owns it**: integration. The values belong to finance and operations; a difference of opinion is settled in the ERP.

**What it does.** One flow per ERP. Orders whose sale, shipments, invoices or amendments changed are read from the ERP,
pass both gates, and those that differ from what Salesforce was last sent are written to the Order: ERP order number,
status, reason, promised and booked date, total and tax; to each of its products: status, promised date, quantity shipped,
back-ordered and invoiced. Sales made in the ERP by hand are not read.

**When it fails**
- `extract` failed: the ERP refuses us or is away. The log names the cure; an outage passes by itself.
- `gate_source` or `gate_canonical` failed: the batch as a whole was refused. Open the task's *Gate report*, failures
  come first. Nothing was written; mend the data in the ERP, then clear the run.
- `compare_salesforce` or `load_salesforce` failed: the org's login, a missing field permission, a used-up limit. Clear
  the task when it is mended: what was sent is not sent again.
- `settle` failed and nothing before it: the counts don't add up. Don't move on; `accord status` shows which records.

**By hand.** *Trigger* opens a form: a window, single keys, a dry run, a full refresh. *Backfill* reads an interval's
changes as the records are now, not as they were then. Neither moves the watermark, so neither leaves a gap.
"""

from accord.flows import flows_of
from accord_airflow.flow_dag import flow_dag

for flow in flows_of("order_status"):
    globals()[flow.name] = flow_dag(flow, doc_md=__doc__)
