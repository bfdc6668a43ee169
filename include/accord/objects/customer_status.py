"""customer_status: what Accord tells sales about the state of a customer's synchronization."""

from accord.objects.definition import BusinessObject, Choice, Field, Owner, Text

SYNC_STATES = ("Pending", "Synced", "Held", "Rejected")

CUSTOMER_STATUS = BusinessObject(
    name="customer_status",
    version=1,
    meaning="Sync status and last error of a customer, written back only when they change.",
    fields=(
        Field(
            name="status",
            type=Choice(values=SYNC_STATES),
            owner=Owner.ACCORD,
            required=True,
            meaning="The worst state over the ERPs that hold the customer.",
        ),
        Field(name="error", type=Text(limit=255), owner=Owner.ACCORD, meaning="What to do, in business words."),
    ),
)
