"""The registry of business objects."""

from accord.objects.contract import CONTRACT
from accord.objects.contract_renewal import CONTRACT_RENEWAL
from accord.objects.contract_status import CONTRACT_STATUS
from accord.objects.contract_sync import CONTRACT_SYNC
from accord.objects.credit_memo import CREDIT_MEMO
from accord.objects.customer import CUSTOMER
from accord.objects.customer_account import CUSTOMER_ACCOUNT
from accord.objects.customer_status import CUSTOMER_STATUS
from accord.objects.definition import BusinessObject
from accord.objects.invoice import INVOICE
from accord.objects.order import ORDER
from accord.objects.order_status import ORDER_STATUS
from accord.objects.order_sync import ORDER_SYNC
from accord.objects.payment import PAYMENT
from accord.objects.price import PRICE
from accord.objects.price_list import PRICE_LIST
from accord.objects.product import PRODUCT
from accord.objects.renewal import RENEWAL
from accord.objects.shipment import SHIPMENT

# in the order of the way from a product to cash: what is referred to stands before what refers to it
OBJECTS: dict[str, BusinessObject] = {
    o.name: o
    for o in (
        CUSTOMER,
        CUSTOMER_ACCOUNT,
        CUSTOMER_STATUS,
        PRODUCT,
        PRICE_LIST,
        PRICE,
        ORDER,
        ORDER_STATUS,
        ORDER_SYNC,
        CONTRACT,
        CONTRACT_STATUS,
        CONTRACT_SYNC,
        RENEWAL,
        CONTRACT_RENEWAL,
        SHIPMENT,
        INVOICE,
        CREDIT_MEMO,
        PAYMENT,
    )
}


def business_object(name: str) -> BusinessObject:
    """The object called `name`. Raises KeyError naming the known ones."""
    try:
        return OBJECTS[name]
    except KeyError:
        raise KeyError(f"unknown business object {name!r}; known: {', '.join(OBJECTS)}") from None
