"""Contract status: what an ERP makes of a contract comes back to the Contract in Salesforce, with its billing schedule.

**Who owns it**: integration. The values belong to finance; a difference of opinion is settled in the ERP.

**What it does.** One flow per ERP. Contracts that changed, were billed, or of which a line began or ended are read from the
ERP, pass both gates, and those that differ from what Salesforce was last sent are written to the Contract: ERP contract
number, status, next invoice date, annual recurring revenue (ARR), renewal date and what there is to renew; and the billing
schedule below it. The canonical gate holds the ERP's figures against its own lines by Accord's one definition: a contract
whose ARR or schedule is not what its lines make is held. Contracts begun in the ERP by hand are not read.

**When it fails**
- *Amounts do not add up*: finance compares the contract's lines, figures and instalments in the ERP.
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

for flow in flows_of("contract_status"):
    globals()[flow.name] = flow_dag(flow, doc_md=__doc__)
