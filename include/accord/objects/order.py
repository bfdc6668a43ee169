"""order: what a customer ordered; sales initiates it, the ERP accepts, books and fulfils it."""

from accord.objects.customer import ADDRESSES
from accord.objects.definition import (
    BusinessObject,
    Carried,
    Choice,
    ChoiceSet,
    Constituent,
    Day,
    Direction,
    Field,
    Flag,
    Money,
    Number,
    Owner,
    Priority,
    Progress,
    Reference,
    Routing,
    Scope,
    Sensitivity,
    Text,
    Unknown,
)
from accord.objects.vocabulary import COUNTRIES, CURRENCIES, LEGAL_ENTITY_CODES, ORDER_REQUESTS, PRODUCT_FAMILIES

LINES = Constituent(
    name="lines",
    meaning="What is ordered.",
    key="id",
    fields=(
        Field(
            name="id",
            type=Text(limit=40),
            owner=Owner.SALESFORCE,
            required=True,
            meaning="Canonical id of the order line.",
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
        Field(name="description", type=Text(limit=255), owner=Owner.SALESFORCE, meaning="What the line says."),
        Field(name="quantity", type=Number(), owner=Owner.SALESFORCE, required=True, meaning="How many."),
        Field(
            name="list_price",
            type=Money(scale=4),
            owner=Owner.SALESFORCE,
            meaning="The list's price when it was quoted.",
        ),
        Field(
            name="current_price",
            type=Money(scale=4),
            owner=Owner.SALESFORCE,
            meaning="The list's price now, as the ERP last told it.",
        ),
        Field(
            name="unit_price",
            type=Money(scale=4),
            owner=Owner.SALESFORCE,
            required=True,
            meaning="The price agreed, without tax, after discount.",
        ),
        Field(
            name="discount",
            type=Number(digits=5, scale=2),
            owner=Owner.SALESFORCE,
            meaning="Discount on the list price, percent.",
        ),
        Field(name="requested_date", type=Day(), owner=Owner.SALESFORCE, meaning="When the customer wants it."),
        Field(name="cancelled", type=Flag(), owner=Owner.SALESFORCE, required=True, meaning="Not wanted any more."),
    ),
)

ORDER = BusinessObject(
    name="order",
    version=1,
    meaning="A sales order request: a committed order of a customer with its lines and terms.",
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
            meaning="Who orders.",
        ),
        Field(
            name="legal_entity",
            type=Choice(values=LEGAL_ENTITY_CODES),
            owner=Owner.SALESFORCE,
            required=True,
            meaning="Who sells; decides the ERP. Where sales names none, the routing decides.",
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
            type=Choice(values=ORDER_REQUESTS),
            owner=Owner.SALESFORCE,
            required=True,
            meaning="What sales asks for.",
        ),
        Field(
            name="price_list",
            type=Reference(object="price_list", unknown=Unknown.OMIT),
            owner=Owner.SALESFORCE,
            meaning="The price list it was quoted from.",
        ),
        Field(
            name="order_date",
            type=Day(),
            owner=Owner.SALESFORCE,
            required=True,
            meaning="The day the customer committed: the booking date, where the period is open.",
        ),
        Field(name="requested_date", type=Day(), owner=Owner.SALESFORCE, meaning="When the customer wants all of it."),
        Field(
            name="customer_reference",
            type=Text(limit=80),
            owner=Owner.SALESFORCE,
            meaning="The customer's own order number.",
        ),
        Field(
            name="payment_terms",
            type=Text(limit=80),
            owner=Owner.SALESFORCE,
            meaning="Terms agreed, by name; the customer's own where none are given.",
        ),
        Field(
            name="total",
            type=Money(),
            owner=Owner.SALESFORCE,
            required=True,
            sensitivity=Sensitivity.FINANCIAL,
            meaning="Sum of the lines, without tax.",
        ),
    ),
    constituents=(LINES, ADDRESSES),
    directions=(Direction(towards=Owner.ERP, schedule="*/5 * * * *", status="order_sync", priority=Priority.CRITICAL),),
    amounts=("total",),
    routed_by="legal_entity",
    routing=Routing(entities="customer_entities", country="customer_country", lines="lines", family="family"),
    scope=Scope(field="status", travels=("Activated",), ends=("Cancelled",)),
    progress=Progress(object="order_status", open=("Accepted", "Pending Approval", "On Hold")),
    carried=Carried(
        keeps=("order_date",), parts="lines", told_by=(("product", "quantity", "unit_price"), ("product",))
    ),
    ordered=True,
)
