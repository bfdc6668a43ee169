"""product: what can be sold; the ERP is the item master."""

from accord.objects.definition import (
    BusinessObject,
    Choice,
    ChoiceSet,
    Constituent,
    Direction,
    Field,
    Flag,
    Number,
    Owner,
    Priority,
    Reference,
    Text,
)
from accord.objects.vocabulary import LEGAL_ENTITY_CODES, PRODUCT_FAMILIES, PRODUCT_STATES, UNITS

COMPONENTS = Constituent(
    name="components",
    meaning="What a bundle is made of.",
    key="id",
    fields=(
        Field(name="id", type=Text(limit=40), owner=Owner.ERP, required=True, meaning="The component's id in the ERP."),
        Field(
            name="product",
            type=Reference(object="product"),
            owner=Owner.ERP,
            required=True,
            meaning="The product inside.",
        ),
        Field(name="quantity", type=Number(), owner=Owner.ERP, required=True, meaning="How many in one bundle."),
    ),
)

AVAILABILITY = Constituent(
    name="availability",
    meaning="What is in stock where.",
    key="id",
    fields=(
        Field(name="id", type=Text(limit=40), owner=Owner.ERP, required=True, meaning="The warehouse's id in the ERP."),
        Field(name="warehouse", type=Text(limit=80), owner=Owner.ERP, required=True, meaning="The warehouse."),
        Field(name="region", type=Text(limit=80), owner=Owner.ERP, meaning="The region it serves."),
        Field(
            name="available", type=Number(), owner=Owner.ERP, required=True, meaning="What is there and not promised."
        ),
    ),
)

PRODUCT = BusinessObject(
    name="product",
    version=1,
    meaning="An item, service or bundle of one ERP, and its availability.",
    fields=(
        Field(name="code", type=Text(limit=80), owner=Owner.ERP, required=True, meaning="The item number."),
        Field(name="name", type=Text(limit=255), owner=Owner.ERP, required=True, meaning="What it is called."),
        Field(name="description", type=Text(limit=4000), owner=Owner.ERP, meaning="What it is."),
        Field(name="family", type=Choice(values=PRODUCT_FAMILIES), owner=Owner.ERP, meaning="The product line."),
        Field(name="unit", type=Choice(values=UNITS), owner=Owner.ERP, required=True, meaning="What one of it is."),
        Field(
            name="kind",
            type=Choice(values=("Goods", "Service", "Bundle")),
            owner=Owner.ERP,
            required=True,
            meaning="What it is to logistics.",
        ),
        Field(
            name="status",
            type=Choice(values=PRODUCT_STATES),
            owner=Owner.ERP,
            required=True,
            meaning="Whether it can be ordered.",
        ),
        Field(name="active", type=Flag(), owner=Owner.ERP, required=True, meaning="Sales may offer it."),
        Field(name="system", type=Text(limit=40), owner=Owner.ERP, required=True, meaning="The ERP it belongs to."),
        Field(
            name="legal_entities",
            type=ChoiceSet(values=LEGAL_ENTITY_CODES),
            owner=Owner.ERP,
            required=True,
            meaning="Who sells it.",
        ),
        Field(name="tax_category", type=Text(limit=80), owner=Owner.ERP, meaning="How it is taxed."),
    ),
    constituents=(COMPONENTS, AVAILABILITY),
    directions=(Direction(towards=Owner.SALESFORCE, schedule="*/30 * * * *", priority=Priority.BULK),),
    known_by=("code",),
)
