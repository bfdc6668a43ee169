"""What became of the orders that came from Salesforce: those with an external reference, which is the order's key."""

from __future__ import annotations

from accord.systems.interface_tables.contract import Outbox, Part
from accord.systems.interface_tables.outbox_source import OutboxSource

OUTBOX = Outbox(
    relation="outbound.sales_order",
    key=("external_ref",),
    changes="outbound.sales_order",
    fields={
        "number": "order_number",
        "status": "status",
        "reason": "reason",
        "promised_date": "promised_date",
        "booked_date": "booked_date",
        "currency": "currency",
        "total": "total",
        "tax": "tax",
    },
    parts={
        "lines": Part(
            relation="outbound.sales_order_line",
            fields={
                "id": "line_ref",
                "status": "status",
                "promised_date": "promised_date",
                "shipped": "shipped_quantity",
                "back_ordered": "back_ordered_quantity",
                "invoiced": "invoiced_quantity",
            },
        )
    },
)


class OrderStatuses(OutboxSource):
    """Reads them."""

    outbox = OUTBOX
    needs, places = OUTBOX.needs, OUTBOX.places
