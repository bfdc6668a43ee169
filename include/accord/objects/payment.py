"""payment: money received from a customer, and what it was applied to; finance owns all of it."""

from accord.objects.definition import (
    BusinessObject,
    Choice,
    Constituent,
    Day,
    Direction,
    Field,
    Money,
    Owner,
    Reference,
    Sensitivity,
    Text,
    Unknown,
)
from accord.objects.vocabulary import CURRENCIES, LEGAL_ENTITY_CODES, PAYMENT_STATES

APPLICATIONS = Constituent(
    name="applications",
    meaning="What the payment was applied to.",
    key="id",
    fields=(
        Field(
            name="id", type=Text(limit=40), owner=Owner.ERP, required=True, meaning="The application's id in the ERP."
        ),
        Field(name="invoice", type=Reference(object="invoice"), owner=Owner.ERP, meaning="The invoice it pays."),
        Field(
            name="amount",
            type=Money(),
            owner=Owner.ERP,
            required=True,
            sensitivity=Sensitivity.FINANCIAL,
            meaning="How much of the payment.",
        ),
        Field(name="applied_on", type=Day(), owner=Owner.ERP, meaning="When it was applied."),
    ),
)

PAYMENT = BusinessObject(
    name="payment",
    version=1,
    meaning="A payment, what it pays, and what of it is not applied.",
    fields=(
        Field(
            name="number",
            type=Text(limit=40),
            owner=Owner.ERP,
            required=True,
            meaning="The ERP's number of the payment.",
        ),
        Field(
            name="customer",
            type=Reference(object="customer", unknown=Unknown.EXCLUDE),
            owner=Owner.ERP,
            required=True,
            meaning="Who paid.",
        ),
        Field(
            name="legal_entity",
            type=Choice(values=LEGAL_ENTITY_CODES),
            owner=Owner.ERP,
            required=True,
            meaning="Whose books.",
        ),
        Field(
            name="status",
            type=Choice(values=PAYMENT_STATES),
            owner=Owner.ERP,
            required=True,
            meaning="Where it stands.",
        ),
        Field(name="paid_on", type=Day(), owner=Owner.ERP, required=True, meaning="The day the money arrived."),
        Field(name="method", type=Text(limit=80), owner=Owner.ERP, meaning="How it was paid."),
        Field(name="currency", type=Choice(values=CURRENCIES), owner=Owner.ERP, required=True, meaning="ISO 4217."),
        Field(
            name="amount",
            type=Money(),
            owner=Owner.ERP,
            required=True,
            sensitivity=Sensitivity.FINANCIAL,
            meaning="What arrived.",
        ),
        Field(
            name="unapplied",
            type=Money(),
            owner=Owner.ERP,
            required=True,
            sensitivity=Sensitivity.FINANCIAL,
            meaning="What of it is not applied to anything.",
        ),
    ),
    constituents=(APPLICATIONS,),
    directions=(Direction(towards=Owner.SALESFORCE, schedule="*/15 * * * *"),),
    amounts=("amount",),
    state="status",
    ordered=True,
)
