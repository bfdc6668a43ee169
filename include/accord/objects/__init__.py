"""The registry of business objects."""

from accord.objects.customer import CUSTOMER
from accord.objects.customer_account import CUSTOMER_ACCOUNT
from accord.objects.customer_status import CUSTOMER_STATUS
from accord.objects.definition import BusinessObject
from accord.objects.order import ORDER
from accord.objects.order_status import ORDER_STATUS
from accord.objects.order_sync import ORDER_SYNC

OBJECTS: dict[str, BusinessObject] = {
    o.name: o
    for o in (
        CUSTOMER,
        CUSTOMER_ACCOUNT,
        CUSTOMER_STATUS,
        ORDER,
        ORDER_STATUS,
        ORDER_SYNC,
    )
}


def business_object(name: str) -> BusinessObject:
    """The object called `name`. Raises KeyError naming the known ones."""
    try:
        return OBJECTS[name]
    except KeyError:
        raise KeyError(f"unknown business object {name!r}; known: {', '.join(OBJECTS)}") from None
