"""Contracts in the interface tables as declared data. The ERP calls them agreements; an amendment is another version of the same."""

from __future__ import annotations

from accord.categories import Category
from accord.errors import Recovery
from accord.systems.interface_tables.contract import Inbox, Meaning, Part, rejected
from accord.systems.interface_tables.held import Held

_LINE = {
    "id": "line_ref",
    "product__native": "product_number",
    "quantity": "quantity",
    "unit_price": "rate",
    "billing_period": "cycle",
    "start_date": "first_day",
    "end_date": "last_day",
}
_AMEND = "End a line in Salesforce, not before the last day that is billed, and begin a new line after it."

INBOX = Inbox(
    relation="inbound.agreement",
    procedure="inbound.post_agreements",
    fields={
        "number": "description",
        "currency": "currency",
        "start_date": "first_day",
        "end_date": "last_day",
        "payment_terms": "payment_terms",
    },
    extra=("agreement_number", "company", "customer_number", "customer_ref"),
    parts={"lines": Part(relation="inbound.agreement_line", fields=_LINE, number="line_number")},
    awaits="customer_ref",
    actions=("begin", "cancel"),
    codes={
        "LINES_MISSING": rejected(Category.MISSING_VALUE, "The contract has no lines: there is nothing to bill."),
        "QUANTITY_INVALID": rejected(Category.INVALID_VALUE, "A quantity is not one the ERP takes."),
        "CYCLE_UNKNOWN": rejected(Category.INVALID_VALUE, "The ERP does not bill in such a period."),
        "DATES_INVALID": rejected(
            Category.INVALID_VALUE,
            "A line, or the contract, ends before it begins, or a line lies outside its contract.",
        ),
        "AGREEMENT_UNKNOWN": rejected(Category.REFERENCE_UNKNOWN, "The ERP no longer has the contract."),
        "PRODUCT_UNKNOWN": rejected(Category.REFERENCE_UNKNOWN, "The ERP does not have a product of the contract."),
        "PRODUCT_NOT_PERIODIC": rejected(
            Category.REFERENCE_UNKNOWN, "The ERP does not bill a product of the contract periodically."
        ),
        "PRODUCT_NOT_SOLD": rejected(Category.NOT_SOLD, "The ERP does not sell a product of the contract any more."),
        "AGREEMENT_FIXED": rejected(
            Category.CONTRACT_FIXED,
            "The ERP can't change the legal entity, the customer, the currency or the first day of a contract that runs. "
            "Undo the change, or begin a contract of its own.",
        ),
        "AGREEMENT_BILLED": rejected(
            Category.ALREADY_BILLED,
            "Part of the contract is billed: it can't be cancelled any more. "
            "Bring it back in Salesforce and end it there, or agree a credit note with finance.",
        ),
        "LINE_BILLED": rejected(Category.ALREADY_BILLED, f"A change would undo what is billed of a line. {_AMEND}"),
        "CREDIT_HOLD": Meaning(
            outcome=Recovery.HOLD,
            category=Category.CREDIT_HOLD,
            message="Finance has the customer on credit hold.",
        ),
    },
)

LINE_NOT_KEPT = ("family", "ramp_step")
KEEPS = frozenset({*INBOX.fields, "customer", "legal_entity", "lines"})

HELD = Held(
    relation="outbound.agreement",
    lines="outbound.agreement_line",
    number="agreement_number",
    fields=INBOX.fields,
    line_fields={name.removesuffix("__native"): column for name, column in _LINE.items()},
)
NEEDS = INBOX.needs | HELD.needs
PLACES = {path.replace("__native", ""): place for path, place in INBOX.places.items()} | {
    "customer": "inbound.agreement.customer_number, customer_ref",
    "legal_entity": "inbound.agreement.company",
}
