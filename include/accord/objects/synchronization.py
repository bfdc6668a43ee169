"""What Accord tells the source of an object about its synchronization: an object of its own, on the same record."""

from accord.objects.definition import BusinessObject, Choice, Field, Owner, Text

SYNC_STATES = ("Pending", "Synced", "Held", "Rejected")


def synchronization_of(object_name: str, *, name: str) -> BusinessObject:
    """Sync status and last error of the records of `object_name`, as the business object `name`."""
    return BusinessObject(
        name=name,
        version=1,
        about=object_name,
        state="status",
        meaning=f"Sync status and last error of each {object_name}, written back only when they change.",
        fields=(
            Field(
                name="status",
                type=Choice(values=SYNC_STATES),
                owner=Owner.ACCORD,
                required=True,
                meaning=f"The worst state over the ERPs that hold the {object_name}.",
            ),
            Field(name="error", type=Text(limit=255), owner=Owner.ACCORD, meaning="What to do, in business words."),
        ),
    )
