"""Price lists: which prices a legal entity asks, in which currency and for how long, from the ERPs to Salesforce.

**Who owns it**: integration. The lists belong to finance, and are mended in the ERP.

**What it does.** One flow per ERP. Lists that changed, or whose validity began or ended, pass both gates, and those that
differ from what Salesforce was last sent are written to `Pricebook2`. A list that is not in use, or whose validity has
ended, is not active: nobody can quote from it, and its prices go the same way in their own flow.

**When it fails**
- `extract` failed: the ERP refuses us or is away. The log names the cure; an outage passes by itself.
- `gate_source` or `gate_canonical` failed: the batch as a whole was refused. Open the task's *Gate report*, failures
  come first. Nothing was written; mend the data in the ERP, then clear the run.
- `compare_salesforce` or `load_salesforce` failed: the org's login, a missing field permission, a used-up limit. Clear
  the task when it is mended: what was sent is not sent again.
- `settle` failed and nothing before it: the counts don't add up. Don't move on; `accord status` shows which records.
- A list is quarantined for its currency: its legal entity does not trade in it. In Tryton the last word of a list's name
  is its currency: a renamed list may be all that is wrong.

**By hand.** *Trigger* opens a form: a window, single keys, a dry run, a full refresh. *Backfill* reads an interval's
changes as the records are now, not as they were then. Neither moves the watermark, so neither leaves a gap.
"""

from accord.flows import flows_of
from accord_airflow.flow_dag import flow_dag

for flow in flows_of("price_list"):
    globals()[flow.name] = flow_dag(flow, doc_md=__doc__)
