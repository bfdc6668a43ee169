"""customer: an account sales works with; the ERP creates its customer from it once and follows it after."""

from accord.objects.definition import (
    BusinessObject,
    Choice,
    ChoiceSet,
    Constituent,
    Direction,
    DuplicateRule,
    Field,
    Owner,
    Reference,
    Sensitivity,
    Text,
)
from accord.objects.vocabulary import COUNTRIES, CURRENCIES, LEGAL_ENTITY_CODES

ADDRESSES = Constituent(
    name="addresses",
    meaning="Where the customer is billed and where goods go.",
    key="role",
    fields=(
        Field(
            name="role",
            type=Choice(values=("bill_to", "ship_to")),
            owner=Owner.SALESFORCE,
            required=True,
            meaning="What the address is for.",
        ),
        Field(
            name="street",
            type=Text(limit=255),
            owner=Owner.SALESFORCE,
            sensitivity=Sensitivity.PERSONAL,
            meaning="Street and number, several lines allowed.",
        ),
        Field(name="city", type=Text(limit=40), owner=Owner.SALESFORCE, meaning="City."),
        Field(name="region", type=Text(limit=80), owner=Owner.SALESFORCE, meaning="State or province."),
        Field(
            name="postal_code",
            type=Text(limit=20),
            owner=Owner.SALESFORCE,
            sensitivity=Sensitivity.PERSONAL,
            meaning="Postal code.",
        ),
        Field(name="country", type=Choice(values=COUNTRIES), owner=Owner.SALESFORCE, meaning="ISO 3166-1 alpha-2."),
    ),
)

CONTACTS = Constituent(
    name="contacts",
    meaning="People at the customer.",
    key="id",
    fields=(
        Field(
            name="id",
            type=Text(limit=40),
            owner=Owner.SALESFORCE,
            required=True,
            meaning="Canonical id of the contact.",
        ),
        Field(
            name="first_name",
            type=Text(limit=40),
            owner=Owner.SALESFORCE,
            sensitivity=Sensitivity.PERSONAL,
            meaning="Given name.",
        ),
        Field(
            name="last_name",
            type=Text(limit=80),
            owner=Owner.SALESFORCE,
            required=True,
            sensitivity=Sensitivity.PERSONAL,
            meaning="Family name.",
        ),
        Field(
            name="email",
            type=Text(limit=80),
            owner=Owner.SALESFORCE,
            sensitivity=Sensitivity.PERSONAL,
            meaning="E-mail address.",
        ),
        Field(
            name="phone",
            type=Text(limit=40),
            owner=Owner.SALESFORCE,
            sensitivity=Sensitivity.PERSONAL,
            meaning="Telephone number.",
        ),
        Field(
            name="title",
            type=Text(limit=128),
            owner=Owner.SALESFORCE,
            sensitivity=Sensitivity.PERSONAL,
            meaning="Job title.",
        ),
    ),
)

CUSTOMER = BusinessObject(
    name="customer",
    version=2,
    meaning="A customer account with its place in the hierarchy, addresses and contacts.",
    fields=(
        Field(
            name="name",
            type=Text(limit=255),
            owner=Owner.SALESFORCE,
            required=True,
            sensitivity=Sensitivity.INTERNAL,
            meaning="The name sales uses.",
        ),
        Field(
            name="legal_name",
            type=Text(limit=255),
            owner=Owner.ERP,
            seeded_by=Owner.SALESFORCE,
            meaning="The registered name; sales may type it once, finance owns it from then on.",
        ),
        Field(
            name="parent",
            type=Reference(object="customer"),
            owner=Owner.SALESFORCE,
            meaning="The account above in the hierarchy.",
        ),
        Field(
            name="country",
            type=Choice(values=COUNTRIES),
            owner=Owner.SALESFORCE,
            required=True,
            meaning="Country of the bill-to address, ISO 3166-1 alpha-2.",
        ),
        Field(
            name="currency", type=Choice(values=CURRENCIES), owner=Owner.SALESFORCE, required=True, meaning="ISO 4217."
        ),
        Field(
            name="tax_registration",
            type=Text(limit=30),
            owner=Owner.SALESFORCE,
            sensitivity=Sensitivity.PERSONAL,
            meaning="VAT number or other tax registration.",
        ),
        Field(
            name="phone",
            type=Text(limit=40),
            owner=Owner.SALESFORCE,
            sensitivity=Sensitivity.PERSONAL,
            meaning="Switchboard number.",
        ),
        Field(
            name="website",
            type=Text(limit=255),
            owner=Owner.SALESFORCE,
            meaning="Web address.",
        ),
        Field(
            name="legal_entities",
            type=ChoiceSet(values=LEGAL_ENTITY_CODES),
            owner=Owner.SALESFORCE,
            required=True,
            meaning="The legal entities the customer buys from; they decide which ERPs hold it.",
        ),
    ),
    constituents=(ADDRESSES, CONTACTS),
    directions=(Direction(towards=Owner.ERP, schedule="*/10 * * * *", status="customer_status"),),
    parent="parent",
    duplicate_rules=(
        DuplicateRule(fields=("tax_registration",)),
        DuplicateRule(fields=("name", "country"), names=("name",), unless_differ="tax_registration"),
    ),
    routed_by="legal_entities",
)
