"""customer_account: what one legal entity knows and owns about one customer."""

from accord.objects.definition import (
    BusinessObject,
    Choice,
    Direction,
    Field,
    Flag,
    Money,
    Owner,
    Reference,
    Sensitivity,
    Text,
    Unknown,
    Whole,
)
from accord.objects.vocabulary import CURRENCIES, LEGAL_ENTITY_CODES, RISKS

CUSTOMER_ACCOUNT = BusinessObject(
    name="customer_account",
    version=2,
    meaning="A customer as one legal entity's books see it: number, terms, credit, balance, risk.",
    fields=(
        Field(
            name="customer",
            # most of an ERP's customers may be none of Salesforce's
            type=Reference(object="customer", unknown=Unknown.EXCLUDE),
            owner=Owner.ERP,
            required=True,
            meaning="The customer.",
        ),
        Field(
            name="legal_entity",
            type=Choice(values=LEGAL_ENTITY_CODES),
            owner=Owner.ERP,
            required=True,
            meaning="Whose books.",
        ),
        Field(
            name="system", type=Text(limit=40), owner=Owner.ERP, required=True, meaning="The ERP that keeps the books."
        ),
        Field(
            name="customer_number",
            type=Text(limit=40),
            owner=Owner.ERP,
            required=True,
            meaning="The ERP's customer number.",
        ),
        Field(name="legal_name", type=Text(limit=255), owner=Owner.ERP, meaning="The registered name."),
        Field(name="tax_classification", type=Text(limit=80), owner=Owner.ERP, meaning="How the customer is taxed."),
        Field(name="payment_terms", type=Text(limit=80), owner=Owner.ERP, meaning="Terms of payment."),
        Field(
            name="currency",
            type=Choice(values=CURRENCIES),
            owner=Owner.ERP,
            required=True,
            meaning="Currency of the legal entity's books, ISO 4217.",
        ),
        Field(
            name="credit_limit",
            type=Money(),
            owner=Owner.ERP,
            sensitivity=Sensitivity.FINANCIAL,
            meaning="Credit limit.",
        ),
        Field(
            name="credit_hold",
            type=Flag(),
            owner=Owner.ERP,
            required=True,
            sensitivity=Sensitivity.FINANCIAL,
            meaning="No further deliveries on credit.",
        ),
        Field(
            name="balance",
            type=Money(),
            owner=Owner.ERP,
            required=True,
            sensitivity=Sensitivity.FINANCIAL,
            meaning="Open receivable.",
        ),
        Field(
            name="overdue",
            type=Money(),
            owner=Owner.ERP,
            required=True,
            sensitivity=Sensitivity.FINANCIAL,
            meaning="Part of the balance past its due date.",
        ),
        Field(
            name="risk",
            type=Choice(values=RISKS),
            owner=Owner.ERP,
            required=True,
            sensitivity=Sensitivity.FINANCIAL,
            meaning="Account risk indicator.",
        ),
        Field(
            name="risk_level",
            type=Whole(least=0, most=3),
            owner=Owner.ERP,
            required=True,
            sensitivity=Sensitivity.FINANCIAL,
            meaning="The indicator as a number, so that the highest of a customer's accounts can be rolled up.",
        ),
        Field(
            name="active", type=Flag(), owner=Owner.ERP, required=True, meaning="The ERP still does business with it."
        ),
    ),
    directions=(Direction(towards=Owner.SALESFORCE, schedule="*/15 * * * *"),),
    amounts=("balance",),
)
