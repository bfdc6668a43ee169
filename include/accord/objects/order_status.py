"""order_status: what became of an order in the ERP, line by line; told on the order itself."""

from accord.objects.definition import (
    BusinessObject,
    Choice,
    Constituent,
    Day,
    Direction,
    Field,
    Money,
    Number,
    Owner,
    Priority,
    Sensitivity,
    Text,
)
from accord.objects.vocabulary import CURRENCIES, ORDER_STATES

LINES = Constituent(
    name="lines",
    meaning="What became of each line.",
    key="id",
    fields=(
        Field(
            name="id", type=Text(limit=40), owner=Owner.ERP, required=True, meaning="Canonical id of the order line."
        ),
        Field(
            name="status",
            type=Choice(values=ORDER_STATES),
            owner=Owner.ERP,
            required=True,
            meaning="Where the line stands.",
        ),
        Field(name="promised_date", type=Day(), owner=Owner.ERP, meaning="When the ERP promises it."),
        Field(name="shipped", type=Number(), owner=Owner.ERP, required=True, meaning="Quantity shipped."),
        Field(
            name="back_ordered", type=Number(), owner=Owner.ERP, required=True, meaning="Quantity that waits for stock."
        ),
        Field(name="invoiced", type=Number(), owner=Owner.ERP, required=True, meaning="Quantity invoiced."),
    ),
)

ORDER_STATUS = BusinessObject(
    name="order_status",
    version=1,
    meaning="Acceptance, number, dates, amounts and progress of an order; its key is the order's.",
    fields=(
        Field(name="number", type=Text(limit=40), owner=Owner.ERP, required=True, meaning="The ERP's order number."),
        Field(
            name="status",
            type=Choice(values=ORDER_STATES),
            owner=Owner.ERP,
            required=True,
            meaning="Where the order stands.",
        ),
        Field(
            name="reason",
            type=Text(limit=255),
            owner=Owner.ERP,
            meaning="Why it is rejected or on hold, in business words.",
        ),
        Field(name="promised_date", type=Day(), owner=Owner.ERP, meaning="When the ERP promises the last of it."),
        Field(name="booked_date", type=Day(), owner=Owner.ERP, meaning="When it was booked."),
        Field(name="currency", type=Choice(values=CURRENCIES), owner=Owner.ERP, required=True, meaning="ISO 4217."),
        Field(
            name="total",
            type=Money(),
            owner=Owner.ERP,
            required=True,
            sensitivity=Sensitivity.FINANCIAL,
            meaning="With tax, as booked.",
        ),
        Field(
            name="tax",
            type=Money(),
            owner=Owner.ERP,
            required=True,
            sensitivity=Sensitivity.FINANCIAL,
            meaning="Tax, as booked.",
        ),
    ),
    constituents=(LINES,),
    directions=(Direction(towards=Owner.SALESFORCE, schedule="*/5 * * * *", priority=Priority.CRITICAL),),
    amounts=("total",),
    state="status",
    about="order",
)
