"""invoice: what a legal entity bills a customer; finance owns all of it."""

from accord.objects.billing import HEADER, LINES
from accord.objects.definition import BusinessObject, Direction, Field, Flag, Owner

INVOICE = BusinessObject(
    name="invoice",
    version=1,
    meaning="An invoice with its lines, tax, due date and open balance.",
    fields=(
        *HEADER,
        Field(
            name="overdue",
            type=Flag(),
            owner=Owner.ERP,
            required=True,
            meaning="Something of it is past its due date and not paid.",
        ),
    ),
    constituents=(LINES,),
    directions=(Direction(towards=Owner.SALESFORCE, schedule="*/15 * * * *"),),
    amounts=("total",),
    state="status",
)
