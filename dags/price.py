"""Prices: what each product costs on each price list today, and from which quantity and day on it costs something else.

**Who owns it**: integration. The prices belong to finance, and are mended in the ERP.

**What it does.** One flow per ERP. When a list or one of its lines changes, an exchange rate, or the day on which a line
begins or has ended, all prices of the list are read again; when a product changes, its price on every list. What passes
both gates and differs from what Salesforce was last sent is written to `PricebookEntry`, after the standard price it
needs, with every quantity break as `ERP_Price_Tier__c`. A price book keeps two decimals, the tiers four. A price that is
no more becomes inactive.

**When it fails**
- `extract` failed: the ERP refuses us or is away. The log names the cure; an outage passes by itself.
- `gate_source` or `gate_canonical` failed: the batch as a whole was refused. Open the task's *Gate report*, failures
  come first. Nothing was written; mend the price list in the ERP, then clear the run.
- `compare_salesforce` or `load_salesforce` failed: the org's login, a missing field permission, a used-up limit. Clear
  the task when it is mended: what was sent is not sent again.
- `settle` failed and nothing before it: the counts don't add up. Don't move on; `accord status` shows which records.
- A price waits for its parent: its product or its list is not in Salesforce. It goes by itself once that one is there.
- A price is still quoted though its line was deleted in the ERP: a line deleted by itself leaves no trace. *Trigger* with
  a full refresh, or save the list in the ERP.

**By hand.** *Trigger* opens a form: a window, single keys, a dry run, a full refresh. *Backfill* reads an interval's
changes as the records are now, not as they were then. Neither moves the watermark, so neither leaves a gap.
"""

from accord.flows import flows_of
from accord_airflow.flow_dag import flow_dag

for flow in flows_of("price"):
    globals()[flow.name] = flow_dag(flow, doc_md=__doc__)
