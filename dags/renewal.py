"""Renewals: a contract that nears its end gives rise to an opportunity in Salesforce, and the Contract names it.

**Who owns it**: integration until it is created; from then on sales, every field of it.

**What it does.** Two flows per ERP. `renewal__…` reads the contracts whose last day is at most 90 days away
(`accord.recurring.RENEWAL_NOTICE`) and creates an opportunity for each term, once: customer, legal entity, close date, and
as amount the annual recurring revenue of the contract's last day. Nothing of it is ever written again, whatever sales or the
ERP change. `contract_renewal__…` then names the opportunity on the Contract. A contract that is prolonged gets another one
when the new term nears its end.

**When it fails**
- A contract waits for its renewal: the opportunity is not created yet; it goes by itself when it is.
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

for flow in (*flows_of("renewal"), *flows_of("contract_renewal")):
    globals()[flow.name] = flow_dag(flow, doc_md=__doc__)
