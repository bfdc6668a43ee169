"""Customer accounts: one row per customer and company."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from accord.objects.definition import BusinessObject
from accord.ports import Selection, Sink
from accord.systems import erp_account
from accord.systems.erp import SourceHandler
from accord.systems.interface_tables.context import Context
from accord.systems.interface_tables.contract import Outbox
from accord.systems.interface_tables.extracting import Extraction

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


class CustomerAccounts(SourceHandler[Context]):
    """Reads them."""

    not_read = erp_account.NOT_READ
    needs = OUTBOX.needs
    places = OUTBOX.places | erp_account.DERIVED_PLACES

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        """By the database's clock."""
        context = self._context
        return Extraction(context.session, context.name, OUTBOX, definition, self.not_read).run(selection, sink)

    def derive(self, table: pa.Table) -> pa.Table:
        return erp_account.derive(self._context.name, table)
