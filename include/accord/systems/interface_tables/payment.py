"""Payments: one row per payment, one per document it was applied to."""

from __future__ import annotations

from accord.systems.interface_tables.contract import Outbox, Part
from accord.systems.interface_tables.outbox_source import OutboxSource

PAYMENT = Outbox(
    relation="outbound.payment",
    key=("company", "payment_number"),
    changes="outbound.payment",
    fields={
        "number": "payment_number",
        "customer": "customer_number",
        "status": "status",
        "paid_on": "payment_date",
        "method": "method",
        "currency": "currency",
        "amount": "amount",
        "unapplied": "unapplied",
    },
    parts={
        "applications": Part(
            relation="outbound.payment_application",
            fields={
                "id": "invoice_number",
                "invoice": "invoice_number",
                "amount": "amount",
                "applied_on": "applied_date",
            },
        )
    },
    within_company=frozenset({"applications.invoice"}),
)


class Payments(OutboxSource):
    """Reads them."""

    outbox = PAYMENT
    needs, places = PAYMENT.needs, PAYMENT.places
