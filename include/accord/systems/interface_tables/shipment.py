"""Shipments and returns: one row each, one per line."""

from __future__ import annotations

from accord.systems.interface_tables.contract import Outbox, Part
from accord.systems.interface_tables.outbox_source import OutboxSource

SHIPMENT = Outbox(
    relation="outbound.shipment",
    key=("company", "shipment_number"),
    changes="outbound.shipment",
    fields={
        "number": "shipment_number",
        "customer": "customer_number",
        "order": "order_number",
        "kind": "kind",
        "status": "status",
        "planned_date": "planned_date",
        "shipped_date": "shipped_date",
        "carrier": "carrier",
        "tracking": "tracking_number",
        "warehouse": "warehouse",
    },
    parts={
        "lines": Part(
            relation="outbound.shipment_line",
            fields={"id": "line_ref", "product": "product_number", "quantity": "quantity"},
        )
    },
)


class Shipments(OutboxSource):
    """Reads them."""

    outbox = SHIPMENT
    needs, places = SHIPMENT.needs, SHIPMENT.places
