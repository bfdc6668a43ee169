"""The interface tables as declared data: which canonical field is which column, and what each of the ERP's codes means."""

from __future__ import annotations

from dataclasses import dataclass

from accord.categories import Category
from accord.errors import Recovery

POST_CUSTOMERS = "inbound.post_customers"

# canonical field → column of inbound.customer and of outbound.customer
CUSTOMER_COLUMNS = {
    "name": "name",
    "legal_name": "legal_name",
    "country": "country",
    "currency": "currency",
    "tax_registration": "tax_registration",
    "phone": "phone",
    "website": "website",
}

# constituent → (table of the same name in inbound and outbound, {field: column})
CUSTOMER_PARTS = {
    "addresses": (
        "customer_address",
        {f: f for f in ("role", "street", "city", "region", "postal_code", "country")},
    ),
    "contacts": (
        "customer_contact",
        {"id": "contact_ref"} | {f: f for f in ("first_name", "last_name", "email", "phone", "title")},
    ),
}

CUSTOMER_KEEPS = frozenset({*CUSTOMER_COLUMNS, "parent", *CUSTOMER_PARTS})

# staged column of a customer account (accord.systems.erp_account) → column of outbound.customer_account
ACCOUNT_COLUMNS = {
    "customer": "customer_number",
    "company": "company",
    "customer_number": "customer_number",
    "legal_name": "legal_name",
    "tax_classification": "tax_class",
    "payment_terms": "payment_terms",
    "currency": "currency",
    "credit_limit": "credit_limit",
    "flagged": "on_hold",
    "balance": "balance",
    "overdue": "overdue",
    "active": "active",
}

# relation → columns the adapter needs; what `check` and the docs are about
RELATIONS: dict[str, tuple[str, ...]] = {
    "inbound.customer": (
        "batch", "external_ref", "action", "version", "read_at", "customer_number", "companies", "parent_ref",
        "parent_number", *CUSTOMER_COLUMNS.values(), "status", "code", "reason", "answered_number",
    ),
    **{
        f"inbound.{table}": ("batch", "external_ref", *columns.values()) for table, columns in CUSTOMER_PARTS.values()
    },
    "outbound.customer": (
        "customer_number", "external_ref", "parent_ref", "parent_number", *CUSTOMER_COLUMNS.values(), "active",
    ),
    **{f"outbound.{table}": ("customer_number", *columns.values()) for table, columns in CUSTOMER_PARTS.values()},
    "outbound.customer_search": (
        "customer_number", "external_ref", "name", "country", "tax_registration", "search_name", "search_code",
    ),
    "outbound.customer_account": (*dict.fromkeys(ACCOUNT_COLUMNS.values()), "changed_at"),
    "outbound.customer_account_change": ("customer_number", "company", "changed_at"),
    "outbound.company": ("code", "currency"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a code of the ERP means to Accord."""

    outcome: Recovery
    category: Category
    message: str


CODES: dict[str, Meaning] = {
    "FIELD_MISSING": Meaning(
        outcome=Recovery.REJECT, category=Category.MISSING_VALUE, message="The ERP needs a value that is missing."
    ),
    "FIELD_TOO_LONG": Meaning(
        outcome=Recovery.REJECT, category=Category.TOO_LONG, message="A value is longer than the ERP takes."
    ),
    "COUNTRY_UNKNOWN": Meaning(
        outcome=Recovery.REJECT, category=Category.REFERENCE_UNKNOWN, message="The ERP does not know the country."
    ),
    "CURRENCY_UNKNOWN": Meaning(
        outcome=Recovery.REJECT, category=Category.INVALID_VALUE, message="The ERP does not know the currency."
    ),
    "ROLE_UNKNOWN": Meaning(
        outcome=Recovery.REJECT,
        category=Category.INVALID_VALUE,
        message="The ERP does not know the role of an address.",
    ),
    "COMPANY_UNKNOWN": Meaning(
        outcome=Recovery.REJECT, category=Category.REFERENCE_UNKNOWN, message="The ERP does not know the company."
    ),
    "CUSTOMER_UNKNOWN": Meaning(
        outcome=Recovery.REJECT, category=Category.REFERENCE_UNKNOWN, message="The ERP has no customer of that number."
    ),
    "CUSTOMER_CLOSED": Meaning(
        outcome=Recovery.REJECT, category=Category.REFUSED, message="Finance has closed the customer in the ERP."
    ),
    "REFERENCE_TAKEN": Meaning(
        outcome=Recovery.REJECT,
        category=Category.DUPLICATE_KEY,
        message="The ERP's customer belongs to another account.",
    ),
    "HIERARCHY_LOOP": Meaning(
        outcome=Recovery.REJECT, category=Category.HIERARCHY_LOOP, message="The customer would be above itself."
    ),
    "PARENT_UNKNOWN": Meaning(
        outcome=Recovery.HOLD, category=Category.PARENT_MISSING, message="The record above it is not in the ERP yet."
    ),
    "STALE": Meaning(
        outcome=Recovery.RETRY, category=Category.CLAIMED_ELSEWHERE, message="The ERP already has a newer version."
    ),
}

OTHER = Meaning(outcome=Recovery.REJECT, category=Category.REFUSED, message="The ERP refused the record.")
