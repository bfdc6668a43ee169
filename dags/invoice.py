"""Invoices: what a legal entity bills a customer, with its lines, tax, due date and open balance, comes to Salesforce.

**Who owns it**: integration. The values belong to finance; a difference of opinion is settled in the ERP.

**What it does.** One flow per ERP. Invoices that were posted, paid in part or in full, rescheduled, credited, or that fell
due are read from the ERP with all their lines, pass both gates, and those that differ from what Salesforce was last sent
are written to `ERP_Invoice__c` and its lines below their Account. A draft is nothing yet: an invoice that finance can't
post, for instance because its period is closed, is not shown. Days are those of the legal entity, as printed on the
document. Tax is shown per line, rounded per line; the document's tax is what is owed, and may differ by a cent per line.

**When it fails**
- `extract` failed: the ERP refuses us or is away. The log names the cure; an outage passes by itself.
- `gate_source` or `gate_canonical` failed: the batch as a whole was refused. Open the task's *Gate report*, failures
  come first. Nothing was written; mend the data in the ERP, then clear the run.
- `compare_salesforce` or `load_salesforce` failed: the org's login, a missing field permission, a used-up limit. Clear
  the task when it is mended: what was sent is not sent again.
- `settle` failed and nothing before it: the counts don't add up. Don't move on; `accord status` shows which records.
- A record is quarantined because its *amounts do not add up*: the document in the ERP was changed by hand, or a tax rate
  is not one of its lines'. Finance compares it with the books; nothing else of the batch waits for it.
- A record waits for its parent: a product on one of its lines is not in Salesforce yet. It goes by itself.
- An invoice is missing: its customer is not in Salesforce, so that it is out of scope until it is.

**By hand.** *Trigger* opens a form: a window, single keys, a dry run, a full refresh. *Backfill* reads an interval's
changes as the records are now, not as they were then. Neither moves the watermark, so neither leaves a gap.
"""

from accord.flows import flows_of
from accord_airflow.flow_dag import flow_dag

for flow in flows_of("invoice"):
    globals()[flow.name] = flow_dag(flow, doc_md=__doc__)
