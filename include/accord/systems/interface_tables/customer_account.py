"""Customer accounts: one row per customer and company."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from accord.objects.definition import BusinessObject
from accord.systems import erp_account
from accord.systems.interface_tables.contract import Outbox
from accord.systems.interface_tables.outbox_source import OutboxSource

OUTBOX = Outbox(
    relation="outbound.customer_account",
    key=("company", "customer_number"),
    changes="outbound.customer_account_change",
    fields={
        "customer": "customer_number",
        "customer_number": "customer_number",
        "legal_name": "legal_name",
        "tax_classification": "tax_class",
        "payment_terms": "payment_terms",
        "currency": "currency",
        "credit_limit": "credit_limit",
        "credit_hold": "on_hold",
        "balance": "balance",
        "overdue": "overdue",
        "active": "active",
    },
)


class CustomerAccounts(OutboxSource):
    """Reads them."""

    outbox = OUTBOX
    not_read = erp_account.NOT_READ
    needs = OUTBOX.needs
    places = OUTBOX.places | erp_account.DERIVED_PLACES

    def unreadable(self, definition: BusinessObject) -> Mapping[str, str]:
        """As every outbox; {} when something is derived from what is lacking: it would be cleared."""
        lacking = super().unreadable(definition)
        return {} if erp_account.DERIVED_FROM & lacking.keys() else lacking

    def derive(self, table: pa.Table) -> pa.Table:
        return erp_account.derive(self._context.name, table)
