"""Customers in Tryton as declared data: what is kept where, and what Tryton's refusals mean.

    legal_name        party.name (a seed: the name sales uses where no legal name is given)
    key               party.code, unique: the id of the customer in Salesforce; an adopted party keeps its own code
    parent            party.relations of the type ABOVE
    legal_entities    party.relations of the type BUYS to the companies' own parties; those of other ERPs are not kept
    addresses         party.addresses: bill_to is the one flagged `invoice`, ship_to the one flagged `delivery`
    contacts          party.contact_mechanisms, one per e-mail and telephone; `comment` begins with the contact's id
    phone, website    party.contact_mechanisms whose `comment` is the customer's own id
    tax_registration  party.identifiers, the oldest active one

Nothing but a relation to a parent is deleted: what is no longer sent is archived or ended. Tryton has no place for name,
country and currency of a party.
"""

from __future__ import annotations

import re

from accord.categories import Category
from accord.systems.tryton.refusals import Meaning

_KEY = re.compile(r"001[A-Za-z0-9]{15}|[a-z_]+:.+")
HOME = "salesforce"  # keys of this origin have a bare native id as party code; others the whole key
# types of relation between parties, each with its reverse
ABOVE = "is subsidiary of"
BUYS = "is customer of"

KEEPS = frozenset(
    {"legal_name", "parent", "legal_entities", "tax_registration", "phone", "website", "addresses", "contacts"}
)

_ALL = ("read", "write", "create")
NEEDS = {  # model → rights
    **dict.fromkeys(("party.party", "party.address", "party.contact_mechanism", "party.identifier"), _ALL),
    "party.relation.all": (*_ALL, "delete"),
    **dict.fromkeys(("party.relation.type", "company.company"), ("read",)),
    **dict.fromkeys(("country.country", "country.subdivision"), ("read",)),
}

ROLES = {"bill_to": "invoice", "ship_to": "delivery"}  # role of an address → its flag

# field of the customer → type of the contact mechanism
OWN_MECHANISMS = {"phone": "phone", "website": "website"}
# field of a contact → type of the contact mechanism; a contact with neither is one of type OTHER with its name as value
CONTACT_MECHANISMS = {"email": "email", "phone": "phone"}
OTHER = "other"

ADDRESS_FIELDS = ("street", "city", "postal_code", "country", "subdivision", "invoice", "delivery")
MECHANISM_FIELDS = ("type", "value", "name", "comment")
PARTY_FIELDS = (
    "code",
    "active",
    "name",
    "relations.to",
    "relations.type",
    "relations.to.code",
    "relations.start_date",
    "identifiers.type",
    "identifiers.code",
    *(f"addresses.{field}" for field in ADDRESS_FIELDS),
    *(f"contact_mechanisms.{field}" for field in MECHANISM_FIELDS),
)

# a number that looks like one of these is checked by Tryton as one; any other text is taken as it is. Kinds whose numbers
# Tryton rewrites (gb_vat: GB980780684 becomes 980 7806 84) are not among them: what it holds must be what was sent.
IDENTIFIER_TYPES = (
    (
        re.compile(
            r"(AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK|XI)[\s.-]*\w*\d"
        ),
        "eu_vat",
    ),
)


def code_of(key: str) -> str:
    """The party code of a customer."""
    origin, _, native = key.partition(":")
    return native if origin == HOME else key


def key_of(code: str) -> str:
    """The canonical id of the customer with that party code."""
    return code if ":" in code else f"{HOME}:{code}"


def is_key(code: str | None) -> bool:
    """Whether a party code is a customer's: Salesforce's id of an account, or a whole key."""
    return bool(code) and _KEY.fullmatch(code or "") is not None


def identifier_type(code: str) -> str | None:
    """The kind of a tax registration; None where Tryton shall not check it."""
    return next((kind for pattern, kind in IDENTIFIER_TYPES if pattern.match(code)), None)


REFUSALS = (
    Meaning(
        sign="must be unique", name="not unique", category=Category.DUPLICATE_KEY,
        message="Another party of the ERP has the same code.",
    ),
    Meaning(
        sign="Number \"", name="invalid identifier", category=Category.INVALID_VALUE,
        message="The tax registration is not a valid number of its kind.",
    ),
)  # fmt: skip

# where each canonical field lives, for documentation and lineage
PLACES = {
    "legal_name": "party.party.name",
    "parent": f"party.relation.all ({ABOVE})",
    "legal_entities": f"party.relation.all ({BUYS}) to company.company.party",
    "tax_registration": "party.identifier.code",
    "phone": "party.contact_mechanism.value (phone)",
    "website": "party.contact_mechanism.value (website)",
    **{
        f"addresses.{field}": f"party.address.{place}"
        for field, place in (
            ("role", "invoice, delivery"),
            ("street", "street"),
            ("city", "city"),
            ("region", "subdivision"),
            ("postal_code", "postal_code"),
            ("country", "country.code"),
        )
    },
    "contacts.id": "party.contact_mechanism.comment",
    "contacts.first_name": "party.contact_mechanism.name",
    "contacts.last_name": "party.contact_mechanism.name",
    "contacts.title": "party.contact_mechanism.comment",
    **{f"contacts.{f}": f"party.contact_mechanism.value ({t})" for f, t in CONTACT_MECHANISMS.items()},
}
