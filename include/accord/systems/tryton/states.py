"""What Tryton's states mean: one table per kind of document. A state that is not in its table is not shown: a draft is nothing yet."""

from __future__ import annotations

from collections.abc import Mapping

# account.invoice.state; one that is posted and paid in part is PARTLY_PAID
INVOICE: Mapping[str, str] = {"posted": "Posted", "paid": "Paid", "cancelled": "Cancelled"}
PARTLY_PAID = "Partly Paid"

# stock.shipment.out.state
SHIPMENT: Mapping[str, str] = {
    "draft": "Planned",
    "waiting": "Planned",
    "assigned": "Picking",
    "picked": "Picking",
    "packed": "Packed",
    "shipped": "Shipped",
    "done": "Delivered",
    "cancelled": "Cancelled",
}
# stock.shipment.out.return.state
RETURN: Mapping[str, str] = {
    "draft": "Planned",
    "received": "Delivered",
    "done": "Delivered",
    "cancelled": "Cancelled",
}


def told(states: Mapping[str, str], field: str) -> str:
    """For documentation: the field, and what its values mean."""
    return f"{field} ({', '.join(f'{ours} = {theirs}' for ours, theirs in states.items())})"
