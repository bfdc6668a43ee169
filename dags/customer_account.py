"""Customer accounts: what finance knows about a customer comes back to Salesforce, one record per legal entity.

**Who owns it**: integration. The values belong to finance; a difference of opinion is settled in the ERP.

**What it does.** One flow per ERP. Customers whose number, terms, credit, tax classification or receivables changed are
read from the ERP, pass both gates, and those that differ from what Salesforce was last sent are written to
`ERP_Account__c` below their Account: customer number, legal name, tax classification, payment terms, credit limit and
hold, balance, overdue, risk. The Account's roll-up follows by itself. Salesforce never overwrites any of it.

**When it fails**
- `extract` failed: the ERP refuses us or is away. The log names the cure; an outage passes by itself.
- `gate_source` or `gate_canonical` failed: the batch as a whole was refused. Open the task's *Gate report*, failures
  come first. Nothing was written; mend the data in the ERP, then clear the run.
- `compare_salesforce` or `load_salesforce` failed: the org's login, a missing field permission, a used-up limit. Clear
  the task when it is mended: what was sent is not sent again.
- `settle` failed and nothing before it: the counts don't add up. Don't move on; `accord status` shows which records.
- A record waits for its parent: its customer is not known in Salesforce, or its own flow has not linked it yet.

**By hand.** *Trigger* opens a form: a window, single keys, a dry run, a full refresh. *Backfill* reads an interval's
changes as the records are now, not as they were then. Neither moves the watermark, so neither leaves a gap.
"""

from accord.flows import flows_of
from accord_airflow.flow_dag import flow_dag

for flow in flows_of("customer_account"):
    globals()[flow.name] = flow_dag(flow, doc_md=__doc__)
