"""Where each business object lives in Salesforce: one file per object."""

from accord.errors import Stop
from accord.objects.definition import BusinessObject
from accord.systems.salesforce.mapping import Reading, Writing
from accord.systems.salesforce.mappings.contract import CONTRACT
from accord.systems.salesforce.mappings.contract_renewal import CONTRACT_RENEWAL
from accord.systems.salesforce.mappings.contract_status import CONTRACT_STATUS
from accord.systems.salesforce.mappings.contract_sync import CONTRACT_SYNC
from accord.systems.salesforce.mappings.credit_memo import CREDIT_MEMO
from accord.systems.salesforce.mappings.customer import CUSTOMER
from accord.systems.salesforce.mappings.customer_account import CUSTOMER_ACCOUNT
from accord.systems.salesforce.mappings.customer_status import CUSTOMER_STATUS
from accord.systems.salesforce.mappings.invoice import INVOICE
from accord.systems.salesforce.mappings.opportunity import OPPORTUNITY
from accord.systems.salesforce.mappings.order import ORDER
from accord.systems.salesforce.mappings.order_status import ORDER_STATUS
from accord.systems.salesforce.mappings.order_sync import ORDER_SYNC
from accord.systems.salesforce.mappings.payment import PAYMENT
from accord.systems.salesforce.mappings.price import PRICE
from accord.systems.salesforce.mappings.price_list import PRICE_LIST
from accord.systems.salesforce.mappings.product import PRODUCT
from accord.systems.salesforce.mappings.renewal import RENEWAL
from accord.systems.salesforce.mappings.shipment import SHIPMENT

# the first reading is the object's own; the next ones are what its records may carry on
READINGS: dict[str, tuple[Reading, ...]] = {
    m.object: (m, *more) for m, *more in ((CUSTOMER,), (ORDER, OPPORTUNITY), (CONTRACT,))
}
WRITINGS: dict[str, Writing] = {
    m.object: m
    for m in (
        CUSTOMER_ACCOUNT,
        CUSTOMER_STATUS,
        PRODUCT,
        PRICE_LIST,
        PRICE,
        ORDER_STATUS,
        ORDER_SYNC,
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


def readings_of(definition: BusinessObject) -> tuple[Reading, ...]:
    """How `definition` is read, the object's own way first. Raises Stop when Salesforce is no source of it."""
    if definition.name not in READINGS:
        raise Stop(f"{definition.name} is not read from Salesforce.", cure="Add a mapping, or correct the flow.")
    return READINGS[definition.name]


def writing_of(definition: BusinessObject) -> Writing:
    """How `definition` is written. Raises Stop when Salesforce is no target of it."""
    if definition.name not in WRITINGS:
        raise Stop(f"{definition.name} is not written to Salesforce.", cure="Add a mapping, or correct the flow.")
    return WRITINGS[definition.name]
