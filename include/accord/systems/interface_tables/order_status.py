"""What became of the orders that came from Salesforce: those with an external reference, which is the order's key."""

from __future__ import annotations

from datetime import datetime

from accord.objects.definition import BusinessObject
from accord.ports import Selection, Sink
from accord.systems.erp import SourceHandler
from accord.systems.interface_tables.context import Context
from accord.systems.interface_tables.contract import Outbox, Part
from accord.systems.interface_tables.extracting import Extraction

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


class OrderStatuses(SourceHandler[Context]):
    """Reads them."""

    needs = OUTBOX.needs
    places = OUTBOX.places

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        """By the database's clock."""
        context = self._context
        return Extraction(context.session, context.name, OUTBOX, definition, self.not_read).run(selection, sink)
