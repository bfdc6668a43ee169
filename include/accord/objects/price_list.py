"""price_list: the prices a legal entity asks in one currency; the ERP owns it."""

from accord.objects.definition import (
    BusinessObject,
    Choice,
    Day,
    Direction,
    Field,
    Flag,
    Owner,
    Priority,
    Text,
)
from accord.objects.vocabulary import CURRENCIES, LEGAL_ENTITY_CODES

PRICE_LIST = BusinessObject(
    name="price_list",
    version=1,
    meaning="A price list of one legal entity in one currency.",
    fields=(
        Field(name="name", type=Text(limit=80), owner=Owner.ERP, required=True, meaning="What it is called."),
        Field(
            name="legal_entity",
            type=Choice(values=LEGAL_ENTITY_CODES),
            owner=Owner.ERP,
            required=True,
            meaning="Whose prices.",
        ),
        Field(name="currency", type=Choice(values=CURRENCIES), owner=Owner.ERP, required=True, meaning="ISO 4217."),
        Field(name="active", type=Flag(), owner=Owner.ERP, required=True, meaning="Sales may quote from it."),
        Field(name="valid_from", type=Day(), owner=Owner.ERP, meaning="The first day it holds."),
        Field(name="valid_until", type=Day(), owner=Owner.ERP, meaning="The last day it holds."),
    ),
    known_by=("legal_entity", "currency", "name"),
    directions=(Direction(towards=Owner.SALESFORCE, schedule="*/30 * * * *", priority=Priority.BULK),),
)
