"""contract: what a customer subscribed to; sales agrees the terms, the ERP bills them period by period.

An amendment is a change of the same contract: a line ends and another begins. A ramp is consecutive lines of one product.
"""

from accord.objects.definition import (
    BusinessObject,
    Choice,
    ChoiceSet,
    Constituent,
    Day,
    Direction,
    Field,
    Money,
    Number,
    Owner,
    Progress,
    Reference,
    Routing,
    Scope,
    Text,
    Whole,
    Worth,
)
from accord.objects.vocabulary import (
    BILLING_PERIODS,
    CONTRACT_REQUESTS,
    COUNTRIES,
    CURRENCIES,
    LEGAL_ENTITY_CODES,
    PRODUCT_FAMILIES,
)
from accord.recurring import value

LINES = Constituent(
    name="lines",
    meaning="What is subscribed to, in consecutive lines where the price or the quantity changes.",
    key="id",
    fields=(
        Field(
            name="id",
            type=Text(limit=40),
            owner=Owner.SALESFORCE,
            required=True,
            meaning="Canonical id of the contract line.",
        ),
        Field(
            name="product",
            type=Reference(object="product"),
            owner=Owner.SALESFORCE,
            required=True,
            meaning="The product.",
        ),
        Field(
            name="family",
            type=Choice(values=PRODUCT_FAMILIES),
            owner=Owner.SALESFORCE,
            meaning="The product's family: its product line.",
        ),
        Field(name="quantity", type=Number(), owner=Owner.SALESFORCE, required=True, meaning="How many."),
        Field(
            name="unit_price",
            type=Money(scale=4),
            owner=Owner.SALESFORCE,
            required=True,
            meaning="Price of one unit for one billing period, without tax.",
        ),
        Field(
            name="billing_period",
            type=Choice(values=BILLING_PERIODS),
            owner=Owner.SALESFORCE,
            required=True,
            meaning="How often it is billed, in advance.",
        ),
        Field(name="start_date", type=Day(), owner=Owner.SALESFORCE, required=True, meaning="First day."),
        Field(name="end_date", type=Day(), owner=Owner.SALESFORCE, required=True, meaning="Last day."),
        Field(
            name="ramp_step",
            type=Whole(least=1),
            owner=Owner.SALESFORCE,
            meaning="Step of the ramp it belongs to, from 1; empty without a ramp.",
        ),
    ),
)

CONTRACT = BusinessObject(
    name="contract",
    version=1,
    meaning="A subscription contract of a customer with its term and its lines.",
    fields=(
        Field(
            name="number",
            type=Text(limit=40),
            owner=Owner.SALESFORCE,
            required=True,
            meaning="The number sales knows it by.",
        ),
        Field(
            name="customer",
            type=Reference(object="customer"),
            owner=Owner.SALESFORCE,
            required=True,
            meaning="Who subscribes.",
        ),
        Field(
            name="legal_entity",
            type=Choice(values=LEGAL_ENTITY_CODES),
            owner=Owner.SALESFORCE,
            required=True,
            meaning="Who is party to it and bills it; decides the ERP. Where sales names none, the routing decides.",
        ),
        Field(
            name="currency", type=Choice(values=CURRENCIES), owner=Owner.SALESFORCE, required=True, meaning="ISO 4217."
        ),
        Field(
            name="customer_entities",
            type=ChoiceSet(values=LEGAL_ENTITY_CODES),
            owner=Owner.SALESFORCE,
            meaning="The legal entities the customer buys from.",
        ),
        Field(
            name="customer_country",
            type=Choice(values=COUNTRIES),
            owner=Owner.SALESFORCE,
            meaning="Where the customer is, ISO 3166-1 alpha-2.",
        ),
        Field(
            name="status",
            type=Choice(values=CONTRACT_REQUESTS),
            owner=Owner.SALESFORCE,
            required=True,
            meaning="How far sales has come with it.",
        ),
        Field(name="start_date", type=Day(), owner=Owner.SALESFORCE, required=True, meaning="First day."),
        Field(
            name="term",
            type=Whole(least=1),
            owner=Owner.SALESFORCE,
            required=True,
            meaning="How long it was agreed for, in months.",
        ),
        Field(
            name="end_date",
            type=Day(),
            owner=Owner.SALESFORCE,
            required=True,
            meaning="Last day, as Salesforce derives it from first day and term.",
        ),
        Field(
            name="payment_terms",
            type=Text(limit=80),
            owner=Owner.SALESFORCE,
            meaning="Terms agreed, by name; the customer's own where none are given.",
        ),
    ),
    constituents=(LINES,),
    directions=(Direction(towards=Owner.ERP, schedule="*/15 * * * *", status="contract_sync"),),
    worth=Worth(
        name="value",
        meaning="what the lines come to over their terms, without tax",
        parts="lines",
        currency="currency",
        needs=("quantity", "unit_price", "billing_period", "start_date", "end_date"),
        of=value,
    ),
    routed_by="legal_entity",
    routing=Routing(entities="customer_entities", country="customer_country", lines="lines", family="family"),
    scope=Scope(field="status", travels=("Activated",)),
    progress=Progress(object="contract_status", open=("On Hold", "Scheduled")),
)
