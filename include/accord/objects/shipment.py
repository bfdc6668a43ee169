"""shipment: goods on their way to a customer, or back; the warehouse owns all of it."""

from accord.objects.definition import (
    BusinessObject,
    Choice,
    Constituent,
    Day,
    Direction,
    Field,
    Number,
    Owner,
    Reference,
    Text,
    Unknown,
)
from accord.objects.vocabulary import LEGAL_ENTITY_CODES, SHIPMENT_STATES

LINES = Constituent(
    name="lines",
    meaning="What is moved.",
    key="id",
    fields=(
        Field(name="id", type=Text(limit=40), owner=Owner.ERP, required=True, meaning="The line's id in the ERP."),
        Field(
            name="product",
            type=Reference(object="product", unknown=Unknown.OMIT),
            owner=Owner.ERP,
            meaning="The product.",
        ),
        Field(name="quantity", type=Number(), owner=Owner.ERP, required=True, meaning="How many."),
    ),
)

SHIPMENT = BusinessObject(
    name="shipment",
    version=1,
    meaning="A shipment or a return with its lines, dates and tracking.",
    fields=(
        Field(
            name="number",
            type=Text(limit=40),
            owner=Owner.ERP,
            required=True,
            meaning="The ERP's number of the shipment.",
        ),
        Field(
            name="customer",
            type=Reference(object="customer", unknown=Unknown.EXCLUDE),
            owner=Owner.ERP,
            required=True,
            meaning="Whom it goes to, or comes from.",
        ),
        Field(
            name="order",
            type=Reference(object="order", unknown=Unknown.OMIT),
            owner=Owner.ERP,
            meaning="The order it fulfils, where Salesforce has it.",
        ),
        Field(
            name="legal_entity",
            type=Choice(values=LEGAL_ENTITY_CODES),
            owner=Owner.ERP,
            required=True,
            meaning="Whose goods.",
        ),
        Field(
            name="kind",
            type=Choice(values=("Shipment", "Return")),
            owner=Owner.ERP,
            required=True,
            meaning="Which way the goods go.",
        ),
        Field(
            name="status",
            type=Choice(values=SHIPMENT_STATES),
            owner=Owner.ERP,
            required=True,
            meaning="Where it stands.",
        ),
        Field(name="planned_date", type=Day(), owner=Owner.ERP, meaning="When it is to leave."),
        Field(name="shipped_date", type=Day(), owner=Owner.ERP, meaning="When it left."),
        Field(name="carrier", type=Text(limit=80), owner=Owner.ERP, meaning="Who carries it."),
        Field(name="tracking", type=Text(limit=80), owner=Owner.ERP, meaning="The carrier's number."),
        Field(name="warehouse", type=Text(limit=80), owner=Owner.ERP, meaning="Where it leaves from."),
    ),
    constituents=(LINES,),
    directions=(Direction(towards=Owner.SALESFORCE, schedule="*/15 * * * *"),),
    state="status",
)
