"""Shipments: goods on their way to a customer, or back, with their lines, dates and tracking, come to Salesforce.

**Who owns it**: integration. The values belong to the warehouse; a difference of opinion is settled in the ERP.

**What it does.** One flow per ERP. Shipments and returns that were planned, picked, packed, sent, delivered or cancelled are
read from the ERP with all their lines, pass both gates, and those that differ from what Salesforce was last sent are written
to `ERP_Shipment__c` and its lines below their Account. What is not sent of an order waits in a shipment of its own, the
back-order, which is *Planned*. A return is a record of its own kind.

**When it fails**
- `extract` failed: the ERP refuses us or is away. The log names the cure; an outage passes by itself.
- `gate_source` or `gate_canonical` failed: the batch as a whole was refused. Open the task's *Gate report*, failures
  come first. Nothing was written; mend the data in the ERP, then clear the run.
- `compare_salesforce` or `load_salesforce` failed: the org's login, a missing field permission, a used-up limit. Clear
  the task when it is mended: what was sent is not sent again.
- `settle` failed and nothing before it: the counts don't add up. Don't move on; `accord status` shows which records.
- A record waits for its parent: a product on one of its lines is not in Salesforce yet. It goes by itself.
- A planned shipment stays although the warehouse no longer has it: Tryton deletes what waits when an order is amended and
  makes it anew, and tells nobody of the deletion. Cancel it in Salesforce after a look into the ERP.

**By hand.** *Trigger* opens a form: a window, single keys, a dry run, a full refresh. *Backfill* reads an interval's
changes as the records are now, not as they were then. Neither moves the watermark, so neither leaves a gap.
"""

from accord.flows import flows_of
from accord_airflow.flow_dag import flow_dag

for flow in flows_of("shipment"):
    globals()[flow.name] = flow_dag(flow, doc_md=__doc__)
