"""Products: what can be ordered, what a bundle is made of, and what is left in each warehouse, from the ERPs to Salesforce.

**Who owns it**: integration. The items belong to master data, their tax category to finance; both mend them in the ERP.

**What it does.** One flow per ERP. Products that changed in the ERP, or whose stock did, pass both gates, and those that
differ from what Salesforce was last sent are written to `Product2`, with their components and their availability per
warehouse. A bundle goes after its products, in the same run. A discontinued or blocked product stays, and is not active:
sales can't quote it, old orders keep it. Salesforce never overwrites any of it.

**When it fails**
- `extract` failed: the ERP refuses us or is away. The log names the cure; an outage passes by itself.
- `gate_source` or `gate_canonical` failed: the batch as a whole was refused. Open the task's *Gate report*, failures
  come first. Nothing was written; mend the data in the ERP, then clear the run.
- `compare_salesforce` or `load_salesforce` failed: the org's login, a missing field permission, a used-up limit. Clear
  the task when it is mended: what was sent is not sent again.
- `settle` failed and nothing before it: the counts don't add up. Don't move on; `accord status` shows which records.
- A product is quarantined because its tax can't be decided: finance gives it a tax category in the ERP. Until then sales
  sees what was sent last.
- A bundle waits for its parent: one of its products was refused, or is not sold. Mend that one; the bundle follows.

**By hand.** *Trigger* opens a form: a window, single keys, a dry run, a full refresh. *Backfill* reads an interval's
changes as the records are now, not as they were then. Neither moves the watermark, so neither leaves a gap.
"""

from accord.flows import flows_of
from accord_airflow.flow_dag import flow_dag

for flow in flows_of("product"):
    globals()[flow.name] = flow_dag(flow, doc_md=__doc__)
