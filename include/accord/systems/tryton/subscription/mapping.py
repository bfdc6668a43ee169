"""Contracts in Tryton as declared data: what is kept where, and what Tryton's refusals mean.

    key                 sale.subscription.reference, not unique: see accord.systems.tryton.draft_then_commit
    number              sale.subscription.description
    lines.id            sale.subscription.line.description, first line: Tryton has no other place; it prints it on the invoice
    lines.billing_period    the recurrence rule of the line's consumption; the subscription's invoices follow the shortest

A line that is taken out before anything of it is billed is a line of quantity 0 that lasts a day, for which Tryton bills nothing: the
integration user deletes nothing in the ERP. An amendment is a change of the same subscription: taken back to a draft, changed, run
again. What is billed (consumed, in Tryton's words) stays as it is: such a line can only end, not before the last day that is billed,
and another one begins. Tryton closes a subscription with the bill of its last period, even if that period has just begun, and opens
none again: from then on a change is refused, and what is new goes with a contract of its own.
"""

from __future__ import annotations

from accord.categories import Category
from accord.systems.tryton.refusals import Meaning

KEEPS = frozenset(
    {"number", "customer", "legal_entity", "currency", "start_date", "end_date", "payment_terms", "lines"}
)
LINE_NOT_KEPT = ("family", "ramp_step")

LINE_WORDS = "Contract line"  # what the id of a line follows in its description

DELETED = " (deleted in Salesforce)"  # at the end of the description of what Accord cancelled, and may begin again

# what nobody can change of a subscription once it runs
FIXED = {
    "customer": "the customer",
    "legal_entity": "the legal entity",
    "currency": "the currency",
    "start_date": "the first day",
}

SUBSCRIPTION_FIELDS = (
    "reference", "number", "description", "state", "company", "party", "party.code", "payment_term", "payment_term.name",
    "currency.code", "start_date", "end_date", "next_invoice_date", "invoice_recurrence", "last_modified_at",
    *(f"lines.{field}" for field in (
        "service.product", "description", "quantity", "unit_price", "consumption_recurrence", "start_date", "end_date",
        "next_consumption_date", "consumed_until", "last_modified_at",
    )),
)  # fmt: skip

_SUBSCRIPTION = ("read", "write", "create")
NEEDS = {  # model → rights
    **dict.fromkeys(("sale.subscription", "sale.subscription.line"), _SUBSCRIPTION),
    **dict.fromkeys(
        (
            "party.party", "account.invoice.payment_term", "currency.currency", "sale.subscription.service",
            "sale.subscription.recurrence.rule.set", "sale.subscription.line.consumption",
        ),
        ("read",),
    ),
}  # fmt: skip

PLACES = {
    "number": "sale.subscription.description",
    "customer": "sale.subscription.party",
    "legal_entity": "sale.subscription.company.party.code",
    "currency": "sale.subscription.currency.code",
    "start_date": "sale.subscription.start_date",
    "end_date": "sale.subscription.end_date",
    "payment_terms": "sale.subscription.payment_term.name",
    "lines.id": "sale.subscription.line.description",
    "lines.product": "sale.subscription.line.service.product",
    "lines.quantity": "sale.subscription.line.quantity (0: taken out)",
    "lines.unit_price": "sale.subscription.line.unit_price",
    "lines.billing_period": "sale.subscription.line.consumption_recurrence (its rule)",
    "lines.start_date": "sale.subscription.line.start_date",
    "lines.end_date": "sale.subscription.line.end_date",
}

REFUSALS = (
    Meaning(
        sign="You can not call", name="not in a state for it", category=Category.LOCKED,
        message="Somebody else changed the contract meanwhile.",
    ),
    Meaning(
        sign="number of digits", name="too many digits", category=Category.INVALID_VALUE,
        message="A quantity or price has more digits than the ERP's unit takes.",
    ),
    Meaning(
        sign='for field "Start Date"', name="first day not valid", category=Category.INVALID_VALUE,
        message="A line begins before its contract.",
    ),
    Meaning(
        sign='for field "End Date"', name="last day not valid", category=Category.INVALID_VALUE,
        message="A line, or the contract, ends before it begins, or a line ends after its contract.",
    ),
    Meaning(
        sign="you must enter a", name="value required", category=Category.MISSING_VALUE,
        message="The ERP needs an address of the customer for the invoices.",
    ),
)  # fmt: skip
