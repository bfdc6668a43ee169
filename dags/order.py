"""Orders: what a customer ordered goes to the ERP of the legal entity that sells.

**Who owns it**: integration. Orders that are held or rejected belong to sales operations; credit, terms and closed
periods to finance.

**What it does.** Activated Orders that changed in Salesforce, whole with their products and addresses, and Opportunities that
reached their committed stage without an Order, pass the source gate and the canonical gate, which holds whatever breaks the
group's policy (legal entity, currency, price, discount, dates, addresses, terms) before anything is posted. Where sales names
no legal entity, the declared routes choose one. The ERP gets each order once, however often it is sent: in Tryton a draft is
created and the oldest of its reference is confirmed. An Order made of an Opportunity that was sent already is the same order
there. A change of an accepted order is applied to the same ERP order, or refused with a reason: what is shipped or invoiced
stays. A cancelled order is cancelled there, a lost deal's too. Drafts stay here. An order that is held for its account's or
price list's sake is read again when that changes. Sync status and last error are written back.

**When it fails**
- An order waits for its parent: its customer or a product is not in the ERP yet; it goes by itself when it is.
- *Customer on credit hold*, *credit limit exceeded*: finance decides in the ERP; the order then goes by itself.
- `extract` failed: Salesforce refuses us or is away. The log names the cure; a limit or an outage passes by itself.
- `gate_source` or `gate_canonical` failed: the batch as a whole was refused. Open the task's *Gate report*, failures
  come first. Nothing was posted; mend the data, then clear the run.
- `compare_…` or `load_…` failed: that ERP's connection or set-up. The other ERPs went on. Clear the task when it is
  mended: what was sent is read back, not sent again.
- `settle` failed and nothing before it: the counts don't add up. Don't move on; `accord status` shows which records.

**By hand.** *Trigger* opens a form: a window, single keys, a dry run, a full refresh. *Backfill* reads an interval's
changes as the records are now, not as they were then. Neither moves the watermark, so neither leaves a gap.
"""

from accord.flows import flows_of
from accord_airflow.flow_dag import flow_dag

for flow in flows_of("order"):
    globals()[flow.name] = flow_dag(flow, doc_md=__doc__)
