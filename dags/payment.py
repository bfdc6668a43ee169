"""Payments: what customers paid, which invoices it settles, and what of it is not applied, comes to Salesforce.

**Who owns it**: integration. The values belong to finance; a difference of opinion is settled in the ERP.

**What it does.** One flow per ERP. Payments that arrived, were applied or went back are read from the ERP with all their
applications, pass both gates, and those that differ from what Salesforce was last sent are written to `ERP_Payment__c` and
its applications below their Account. Cash that is not applied to anything is the field *Unapplied*. A payment that went
back (a bounced debit) is *Reversed*: it pays nothing any more, and its invoices are open again.

**When it fails**
- `extract` failed: the ERP refuses us or is away. The log names the cure; an outage passes by itself.
- `gate_source` or `gate_canonical` failed: the batch as a whole was refused. Open the task's *Gate report*, failures
  come first. Nothing was written; mend the data in the ERP, then clear the run.
- `compare_salesforce` or `load_salesforce` failed: the org's login, a missing field permission, a used-up limit. Clear
  the task when it is mended: what was sent is not sent again.
- `settle` failed and nothing before it: the counts don't add up. Don't move on; `accord status` shows which records.
- A record is quarantined because its *amounts do not add up*: what is applied and what is not do not make the payment.
  Finance looks at the payment in the ERP.
- A record waits for its parent: an invoice it pays is not in Salesforce yet. It goes by itself when the invoice is; look
  for what holds the invoice only if it waits longer than an hour.

**By hand.** *Trigger* opens a form: a window, single keys, a dry run, a full refresh. *Backfill* reads an interval's
changes as the records are now, not as they were then. Neither moves the watermark, so neither leaves a gap.
"""

from accord.flows import flows_of
from accord_airflow.flow_dag import flow_dag

for flow in flows_of("payment"):
    globals()[flow.name] = flow_dag(flow, doc_md=__doc__)
