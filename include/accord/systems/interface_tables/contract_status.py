"""What became of the contracts that came from Salesforce: agreements with an external reference, which is the contract's key; and of
those that near their end the renewal."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from accord.routing import entities_in
from accord.systems.collapsing import flat
from accord.systems.interface_tables.contract import Outbox, Part
from accord.systems.interface_tables.outbox_source import OutboxSource

STATUS = Outbox(
    relation="outbound.agreement",
    key=("external_ref",),
    changes="outbound.agreement",
    fields={
        "number": "agreement_number",
        "status": "status",
        "next_invoice_date": "next_bill_day",
        "currency": "currency",
        "as_of": "as_of",
        "arr": "arr",
        "renewal_date": "renewal_day",
        "renewal_value": "renewal_value",
    },
    parts={
        "schedule": Part(
            relation="outbound.agreement_schedule",
            fields={"id": "instalment", "date": "day", "amount": "amount", "invoiced": "billed"},
        ),
        "lines": Part(
            relation="outbound.agreement_running_line",
            fields={
                "id": "line_ref",
                "quantity": "quantity",
                "unit_price": "rate",
                "billing_period": "cycle",
                "start_date": "first_day",
                "end_date": "last_day",
            },
        ),
    },
)
RENEWAL = Outbox(
    relation="outbound.agreement_renewal",
    key=("company", "term"),
    changes="outbound.agreement_renewal",
    fields={
        "name": "name",
        "customer": "customer_number",
        "stage": "stage",
        "currency": "currency",
        "amount": "renewal_value",
        "close_date": "last_day",
    },
)
CONTRACT_RENEWAL = Outbox(
    relation="outbound.agreement_renewal",
    key=("external_ref",),
    changes="outbound.agreement_renewal",
    fields={"renewal": "named"},
)


class ContractStatuses(OutboxSource):
    """Reads them."""

    outbox = STATUS
    needs, places = STATUS.needs, STATUS.places


class Renewals(OutboxSource):
    """Reads the terms that near their end."""

    outbox = RENEWAL
    needs, places = RENEWAL.needs, RENEWAL.places


class ContractRenewals(OutboxSource):
    """Reads which renewal is which contract's. The ERP names a renewal by its company, Accord by the legal entity."""

    outbox = CONTRACT_RENEWAL
    needs, places = CONTRACT_RENEWAL.needs, CONTRACT_RENEWAL.places

    def derive(self, table: pa.Table) -> pa.Table:
        renewals = flat(table["renewal"])
        for entity in entities_in(self._context.name):
            there, here = (f"{self._context.name}:{code}/" for code in (entity.company, entity.code))
            renewals = pc.if_else(
                pc.starts_with(renewals, there),
                pc.binary_join_element_wise(here, pc.utf8_slice_codeunits(renewals, len(there)), ""),
                renewals,
            )
        return table.set_column(table.column_names.index("renewal"), "renewal", renewals)
