"""Customers in the interface tables as declared data."""

from __future__ import annotations

from accord.systems.interface_tables.contract import Inbox, Part

_ADDRESS = {f: f for f in ("role", "street", "city", "region", "postal_code", "country")}
_CONTACT = {"id": "contact_ref"} | {f: f for f in ("first_name", "last_name", "email", "phone", "title")}

INBOX = Inbox(
    relation="inbound.customer",
    procedure="inbound.post_customers",
    fields={
        "name": "name",
        "legal_name": "legal_name",
        "country": "country",
        "currency": "currency",
        "tax_registration": "tax_registration",
        "phone": "phone",
        "website": "website",
    },
    extra=("customer_number", "companies", "parent_ref", "parent_number"),
    parts={
        "addresses": Part(relation="inbound.customer_address", fields=_ADDRESS),
        "contacts": Part(relation="inbound.customer_contact", fields=_CONTACT),
    },
    awaits="parent_ref",
)
PARTS = {  # what the ERP shows of them
    "addresses": Part(relation="outbound.customer_address", fields=_ADDRESS),
    "contacts": Part(relation="outbound.customer_contact", fields=_CONTACT),
}
KEEPS = frozenset({*INBOX.fields, "parent", *INBOX.parts})
NEEDS = INBOX.needs | {
    "outbound.customer": (
        "customer_number", "external_ref", "parent_ref", "parent_number", *INBOX.fields.values(), "active",
    ),
    **{part.relation: ("customer_number", *part.fields.values()) for part in PARTS.values()},
    "outbound.customer_search": (
        "customer_number", "external_ref", "name", "country", "tax_registration", "search_name", "search_code",
    ),
}  # fmt: skip
PLACES = INBOX.places | {"parent": "inbound.customer.parent_ref, parent_number"}
