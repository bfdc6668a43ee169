"""price: what one product costs on one price list; the ERP owns it."""

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
    Priority,
    Reference,
    Text,
)
from accord.objects.vocabulary import CURRENCIES

TIERS = Constituent(
    name="tiers",
    meaning="Prices from a quantity on, and for a time.",
    key="id",
    fields=(
        Field(name="id", type=Text(limit=40), owner=Owner.ERP, required=True, meaning="The tier's id in the ERP."),
        Field(
            name="from_quantity",
            type=Number(),
            owner=Owner.ERP,
            required=True,
            meaning="It holds from this quantity on.",
        ),
        Field(
            name="unit_price", type=Money(scale=4), owner=Owner.ERP, required=True, meaning="Price of one, without tax."
        ),
        Field(name="valid_from", type=Day(), owner=Owner.ERP, meaning="The first day it holds."),
        Field(name="valid_until", type=Day(), owner=Owner.ERP, meaning="The last day it holds."),
    ),
)

PRICE = BusinessObject(
    name="price",
    version=1,
    meaning="The price of a product on a price list, with quantity breaks.",
    fields=(
        Field(name="product", type=Reference(object="product"), owner=Owner.ERP, required=True, meaning="The product."),
        Field(
            name="price_list",
            type=Reference(object="price_list"),
            owner=Owner.ERP,
            required=True,
            meaning="The price list.",
        ),
        Field(
            name="currency",
            type=Choice(values=CURRENCIES),
            owner=Owner.ERP,
            required=True,
            meaning="Currency of the list, ISO 4217.",
        ),
        Field(
            name="unit_price",
            type=Money(scale=4),
            owner=Owner.ERP,
            required=True,
            meaning="Price of one today, without tax.",
        ),
        Field(name="active", type=Flag(), owner=Owner.ERP, required=True, meaning="Sales may quote it."),
    ),
    constituents=(TIERS,),
    directions=(Direction(towards=Owner.SALESFORCE, schedule="*/30 * * * *", priority=Priority.BULK),),
)
