"""contract_status: what the ERP makes of a contract: number, state, what is billed when, what it is worth a year; told on the
contract itself."""

from accord.objects.definition import (
    BusinessObject,
    Choice,
    Constituent,
    Day,
    Direction,
    Field,
    Flag,
    Money,
    Number,
    Owner,
    Sensitivity,
    Text,
)
from accord.objects.vocabulary import BILLING_PERIODS, CONTRACT_STATES, CURRENCIES

LINES = Constituent(
    name="lines",
    meaning="The lines as the ERP bills them: what its figures are held against.",
    key="id",
    fields=(
        Field(
            name="id",
            type=Text(limit=40),
            owner=Owner.ERP,
            required=True,
            meaning="Canonical id of the contract line; the ERP's own where it was made there.",
        ),
        Field(name="quantity", type=Number(), owner=Owner.ERP, required=True, meaning="How many."),
        Field(
            name="unit_price",
            type=Money(scale=4),
            owner=Owner.ERP,
            required=True,
            sensitivity=Sensitivity.FINANCIAL,
            meaning="Price of one unit for one billing period, without tax.",
        ),
        Field(
            name="billing_period",
            type=Choice(values=BILLING_PERIODS),
            owner=Owner.ERP,
            required=True,
            meaning="How often it is billed.",
        ),
        Field(name="start_date", type=Day(), owner=Owner.ERP, required=True, meaning="First day."),
        Field(name="end_date", type=Day(), owner=Owner.ERP, required=True, meaning="Last day."),
    ),
)

SCHEDULE = Constituent(
    name="schedule",
    meaning="What is billed when: one instalment for each day on which something is.",
    key="id",
    fields=(
        Field(name="id", type=Text(limit=40), owner=Owner.ERP, required=True, meaning="The day."),
        Field(name="date", type=Day(), owner=Owner.ERP, required=True, meaning="First day of what is billed."),
        Field(
            name="amount",
            type=Money(),
            owner=Owner.ERP,
            required=True,
            sensitivity=Sensitivity.FINANCIAL,
            meaning="Without tax.",
        ),
        Field(
            name="invoiced", type=Flag(), owner=Owner.ERP, required=True, meaning="All of it is on a posted invoice."
        ),
    ),
)

CONTRACT_STATUS = BusinessObject(
    name="contract_status",
    version=1,
    meaning="Number, state, billing schedule, annual recurring revenue and renewal of a contract; its key is the contract's.",
    fields=(
        Field(name="number", type=Text(limit=40), owner=Owner.ERP, required=True, meaning="The ERP's contract number."),
        Field(
            name="status",
            type=Choice(values=CONTRACT_STATES),
            owner=Owner.ERP,
            required=True,
            meaning="Where the contract stands.",
        ),
        Field(name="next_invoice_date", type=Day(), owner=Owner.ERP, meaning="First day of what is invoiced next."),
        Field(name="currency", type=Choice(values=CURRENCIES), owner=Owner.ERP, required=True, meaning="ISO 4217."),
        Field(name="as_of", type=Day(), owner=Owner.ERP, required=True, meaning="The day the figures are of, UTC."),
        Field(
            name="arr",
            type=Money(),
            owner=Owner.ERP,
            required=True,
            sensitivity=Sensitivity.FINANCIAL,
            meaning="Annual recurring revenue: what the lines that run on the day come to in twelve months, without tax.",
        ),
        Field(
            name="renewal_date", type=Day(), owner=Owner.ERP, meaning="The day after the last: when a renewal begins."
        ),
        Field(
            name="renewal_value",
            type=Money(),
            owner=Owner.ERP,
            sensitivity=Sensitivity.FINANCIAL,
            meaning="What there is to renew: the annual recurring revenue of the last day.",
        ),
    ),
    constituents=(SCHEDULE, LINES),
    directions=(Direction(towards=Owner.SALESFORCE, schedule="*/15 * * * *"),),
    amounts=("arr",),
    state="status",
    about="contract",
)
