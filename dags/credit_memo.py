"""Credit memos: what a legal entity credits a customer, and the invoice it corrects, comes to Salesforce.

**Who owns it**: integration. The values belong to finance; a difference of opinion is settled in the ERP.

**What it does.** One flow per ERP. Credit memos that were posted, applied or paid out are read from the ERP with all their
lines, pass both gates, and those that differ from what Salesforce was last sent are written to `ERP_Credit_Memo__c` and its
lines below their Account. Amounts are positive. The invoice it corrects is named where the ERP names one, or where the
order that was returned has one invoice only.

**When it fails**
- `extract` failed: the ERP refuses us or is away. The log names the cure; an outage passes by itself.
- `gate_source` or `gate_canonical` failed: the batch as a whole was refused. Open the task's *Gate report*, failures
  come first. Nothing was written; mend the data in the ERP, then clear the run.
- `compare_salesforce` or `load_salesforce` failed: the org's login, a missing field permission, a used-up limit. Clear
  the task when it is mended: what was sent is not sent again.
- `settle` failed and nothing before it: the counts don't add up. Don't move on; `accord status` shows which records.
- A record is quarantined because its *amounts do not add up*: the document in the ERP was changed by hand. Finance
  compares it with the books; nothing else of the batch waits for it.
- A record waits for its parent: the invoice it corrects, or a product on one of its lines, is not in Salesforce yet. It
  goes by itself when that one is.

**By hand.** *Trigger* opens a form: a window, single keys, a dry run, a full refresh. *Backfill* reads an interval's
changes as the records are now, not as they were then. Neither moves the watermark, so neither leaves a gap.
"""

from accord.flows import flows_of
from accord_airflow.flow_dag import flow_dag

for flow in flows_of("credit_memo"):
    globals()[flow.name] = flow_dag(flow, doc_md=__doc__)
