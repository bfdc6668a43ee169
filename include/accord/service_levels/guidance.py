"""What an alert says besides its figures: what it means for the business, the first three things to do, what happens by itself.

Each measure has a runbook of the same name under docs/runbooks; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass

from accord.service_levels.targets import Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """`actions`: the first three, in order; `next`: what Accord does by itself; `runbook`: a file of docs/runbooks, without .md."""

    runbook: str
    actions: tuple[str, str, str]
    next: str


GUIDES: dict[Measure, Guide] = {
    Measure.RUN: Guide(
        runbook="run-deadline",
        actions=(
            "Open the run: the first red task names the cause and its cure. None is red, or none runs: is the DAG paused, the pool full?",
            "Look at `accord doctor`: connections, logins, permissions, missing fields.",
            "Mend it, then clear the failed task: what was sent is read back, not sent again.",
        ),
        next="The next scheduled run reads from the watermark: nothing is skipped.",
    ),
    Measure.FRESHNESS: Guide(
        runbook="data-freshness",
        actions=(
            "Look whether the DAG is paused or its runs are queued: unpause it, or free the pool.",
            "Look at `accord status`: the last run of the flow and its error.",
            "Trigger the DAG: it goes on from the watermark, whatever was missed.",
        ),
        next="The next scheduled run catches up from the watermark.",
    ),
    Measure.WATERMARK: Guide(
        runbook="watermark-stands-still",
        actions=(
            "Look at `accord status`: why do the runs of the flow end without success?",
            "Open the newest run's `settle`: it names the records that are not accounted for, or the task that failed.",
            "Mend that, clear the run, and see the watermark move.",
        ),
        next="Every run reads the same window again until one succeeds: nothing is lost, and nothing newer goes on.",
    ),
    Measure.ACCEPTANCE: Guide(
        runbook="order-acceptance-time",
        actions=(
            "List them: `accord process list`; the oldest first.",
            "Ask one what it waits for: `accord process show KEY`.",
            "If it waits for nothing, `accord process resume KEY`; if many do, see to the flow of orders and its ERP.",
        ),
        next="quote_to_cash asks the flows again for what is ready, every five minutes.",
    ),
    Measure.AGEING: Guide(
        runbook="exception-ageing",
        actions=(
            "List them: `accord exceptions list` with the queue, the gravest and oldest first.",
            "Assign them: `accord exceptions assign`; each says what to do about it.",
            "When they are mended, replay them: `accord exceptions replay`.",
        ),
        next="An exception closes by itself when its record passes.",
    ),
    Measure.RECONCILIATION: Guide(
        runbook="reconciliation",
        actions=(
            "Look at what the last reconciliation found, and whether it ended at all: `accord reconcile --trend`.",
            "If it did not end, open its run in Airflow: a system was away, or the login is refused.",
            "If it found differences, see whose they are; approve or refuse the corrections it proposes.",
        ),
        next="The next reconciliation looks again and corrects what may be corrected by itself.",
    ),
    Measure.HUB: Guide(
        runbook="hub-unavailable",
        actions=(
            "Look whether PostgreSQL runs and has room: the database of the connection accord_hub.",
            "Look at `accord doctor`: is the login refused, or is the schema behind?",
            "When it is back, do nothing: every flow goes on from its watermark.",
        ),
        next="Nothing moves without the hub, and nothing is sent. Alerts go out directly until it is back.",
    ),
}

# what it means when an object is late
CONSEQUENCES: dict[str, str] = {
    "order": "Orders that sales has committed are not in the ERP: nothing is reserved, shipped or billed.",
    "order_status": "Sales does not see what became of its orders and promises what it can't know.",
    "customer": "New customers can't be sold to, and changed addresses and terms don't reach the ERP.",
    "customer_account": "Sales does not see credit holds, limits and balances of its customers.",
    "contract": "Contracts don't reach billing: what is agreed is not invoiced.",
    "contract_status": "Sales does not see billing, ARR and renewal dates of its contracts.",
    "contract_renewal": "Renewals are not linked to their contracts.",
    "renewal": "Renewal opportunities appear late: customers may lapse unnoticed.",
    "shipment": "Sales does not see what was shipped and can't tell the customer.",
    "invoice": "Sales does not see invoices; disputes are found late.",
    "credit_memo": "Sales does not see credits and talks to the customer about the wrong balance.",
    "payment": "Customers who paid are still chased; overdue ones are still sold to.",
    "product": "Quotes show products the ERP does not sell, or miss those it does.",
    "price_list": "Quotes are made from a price list that is out of date.",
    "price": "Quoted prices differ from invoiced ones.",
}
_OTHERWISE: dict[Measure, str] = {
    Measure.AGEING: "Records wait for a person longer than agreed: they are missing in the other system.",
    Measure.RECONCILIATION: "Nobody can say whether both sides agree; reports before business opening may be wrong.",
    Measure.HUB: "No data moves in any direction until it is back.",
}


def consequence(measure: Measure, object_name: str) -> str:
    """What it means for the business."""
    return _OTHERWISE.get(measure) or CONSEQUENCES.get(
        object_name, f"{object_name or 'Data'} is not where it is needed."
    )
