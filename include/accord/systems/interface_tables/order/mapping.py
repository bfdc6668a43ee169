"""Orders in the interface tables as declared data."""

from __future__ import annotations

from accord.categories import Category
from accord.errors import Recovery
from accord.systems.interface_tables.contract import Inbox, Meaning, Part, rejected
from accord.systems.interface_tables.held import Held

_LINE = {
    "id": "line_ref",
    "product__native": "product_number",
    "quantity": "quantity",
    "unit_price": "unit_price",
    "discount": "discount_percent",
    "description": "description",
    "requested_date": "service_date",
    "cancelled": "cancelled",
}

_HELD = Recovery.HOLD
_UNDO = "Agree a return or a credit note with finance."

INBOX = Inbox(
    relation="inbound.sales_order",
    procedure="inbound.post_orders",
    fields={
        "currency": "currency",
        "order_date": "order_date",
        "requested_date": "requested_date",
        "customer_reference": "po_number",
        "payment_terms": "payment_terms",
    },
    extra=("order_number", "company", "customer_number", "customer_ref", "price_list"),
    parts={"lines": Part(relation="inbound.sales_order_line", fields=_LINE, number="line_number")},
    awaits="customer_ref",
    actions=("place", "cancel"),
    codes={
        "LINES_MISSING": rejected(
            Category.MISSING_VALUE, "Every line of the order is cancelled: there is nothing to order."
        ),
        "QUANTITY_INVALID": rejected(Category.INVALID_VALUE, "A quantity is not one the ERP takes."),
        "ORDER_UNKNOWN": rejected(Category.REFERENCE_UNKNOWN, "The ERP no longer has the order."),
        "PRODUCT_UNKNOWN": rejected(Category.REFERENCE_UNKNOWN, "The ERP does not have a product of the order."),
        "PRICE_LIST_UNKNOWN": rejected(Category.REFERENCE_UNKNOWN, "The legal entity has no such price list."),
        "PRODUCT_NOT_SOLD": rejected(Category.NOT_SOLD, "The ERP does not sell a product of the order any more."),
        "REFERENCE_TAKEN": rejected(
            Category.ORDER_FIXED, "The ERP can't change the legal entity or the customer of an accepted order."
        ),
        "ORDER_CANCELLED": rejected(
            Category.ORDER_FIXED, "The order was cancelled in the ERP. Place a new one if it is still wanted."
        ),
        "ORDER_SHIPPED": rejected(
            Category.ALREADY_FULFILLED,
            f"Part of the order is already shipped or invoiced: it can't be cancelled any more. {_UNDO}",
        ),
        "QUANTITY_SHIPPED": rejected(
            Category.ALREADY_FULFILLED, f"More of a line is already shipped or invoiced than the change leaves. {_UNDO}"
        ),
        "CURRENCY_MISMATCH": rejected(Category.CURRENCY_MISMATCH, "The price list is in another currency."),
        "PRICE_NOT_ON_LIST": rejected(Category.PRICE_DIFFERS, "A price is not the ERP's list price less the discount."),
        "PERIOD_CLOSED": rejected(Category.CLOSED_PERIOD, "The order's date lies in a closed period of the ERP."),
        "CREDIT_HOLD": Meaning(
            outcome=_HELD, category=Category.CREDIT_HOLD, message="Finance has the customer on credit hold."
        ),
        "CREDIT_LIMIT": Meaning(
            outcome=_HELD, category=Category.CREDIT_LIMIT, message="The order would exceed the customer's credit limit."
        ),
    },
)

# the ERP does not show the discount it was told: an order with one that is in doubt is sent again, which changes nothing
LINE_NOT_KEPT = ("family", "list_price", "current_price")
KEEPS = frozenset({*INBOX.fields, "customer", "legal_entity", "price_list", "lines"})

HELD = Held(
    relation="outbound.sales_order",
    lines="outbound.sales_order_line",
    number="order_number",
    fields=dict(INBOX.fields) | {"price_list": "price_list"},
    line_fields={name.removesuffix("__native"): column for name, column in _LINE.items() if name != "discount"},
    within_company=frozenset({"price_list"}),
)
NEEDS = INBOX.needs | HELD.needs
PLACES = {path.replace("__native", ""): place for path, place in INBOX.places.items()} | {
    "customer": "inbound.sales_order.customer_number, customer_ref",
    "legal_entity": "inbound.sales_order.company",
    "price_list": "inbound.sales_order.price_list",
}
