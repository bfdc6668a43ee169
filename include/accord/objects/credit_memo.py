"""credit_memo: what a legal entity credits a customer, in whole or in part of an invoice; finance owns all of it."""

from accord.objects.billing import HEADER, LINES
from accord.objects.definition import BusinessObject, Direction, Field, Owner, Reference, Text

CREDIT_MEMO = BusinessObject(
    name="credit_memo",
    version=1,
    meaning="A credit memo with its lines, and the invoice it corrects. Amounts are positive.",
    fields=(
        *HEADER,
        Field(
            name="invoice",
            type=Reference(object="invoice"),
            owner=Owner.ERP,
            meaning="The invoice it corrects; none for goodwill.",
        ),
        Field(name="reason", type=Text(limit=255), owner=Owner.ERP, meaning="Why."),
    ),
    constituents=(LINES,),
    directions=(Direction(towards=Owner.SALESFORCE, schedule="*/15 * * * *"),),
    amounts=("total",),
    state="status",
)
