"""Contracts: what a customer subscribed to goes to the ERP of the legal entity that bills it.

**Who owns it**: integration. Contracts that are held or rejected belong to sales operations; terms and credit to finance.

**What it does.** Activated contracts that changed in Salesforce, whole with their lines, pass the source gate and the
canonical gate, which holds whatever the ERP could not bill as agreed (legal entity, currency, term, lines outside it, ramps
with gaps or overlaps, broken billing periods) before anything is posted. The ERP gets each contract once, however often it is
sent. An amendment is a change of the same contract: a line ends and another begins. What is billed stays: a change that would
undo it is refused with the reason. Sync status and last error are written back.

**When it fails**
- A contract waits for its parent: its customer or a product is not in the ERP yet; it goes by itself when it is.
- *Already billed*, *fixed once the contract runs*: sales ends the line after what is billed and begins a new one.
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

for flow in flows_of("contract"):
    globals()[flow.name] = flow_dag(flow, doc_md=__doc__)
