"""Orders in Tryton as declared data: what is kept where, what a state means, and what Tryton's refusals mean.

    key                 sale.sale.reference, not unique: see accord.systems.tryton.draft_then_commit
    lines.id            first line of sale.line.note
    number, customer_reference    sale.sale.comment, the first two lines: the only texts of a sale that can still be changed
                        once it is accepted
    requested_date      sale.sale.shipping_date: one date for the whole order, fixed once it is accepted

A change of an accepted order is an amendment of the same sale. An amendment can't add lines, and a second sale of the same
reference would be a second order: such a change is refused, what is new goes with an order of its own. An amendment that was
made and not applied when its sender died is applied when the same version is sent again; it stays a draft, without effect, when
a newer one is.

A cancelled line is a line of quantity 0. Tryton has no place for a line's own requested date and for a discount beside the
price; a line's list price (base_price) is fixed once the order is accepted.
"""

from __future__ import annotations

from accord.categories import Category
from accord.systems.tryton.refusals import Meaning

KEEPS = frozenset(
    {
        "number", "customer", "legal_entity", "currency", "order_date", "requested_date", "customer_reference",
        "payment_terms", "lines", "addresses",
    }
)  # fmt: skip
LINE_NOT_KEPT = ("family", "current_price", "discount", "requested_date")

COMMENT = ("Salesforce order", "Customer's reference")  # the first words of the comment's lines

# what nobody can change of a sale once it is accepted
FIXED = {
    "customer": "the customer",
    "legal_entity": "the legal entity",
    "currency": "the currency",
    "order_date": "the order date",
    "requested_date": "the requested date",
}

# legal entity → code of the warehouse it ships from: Tryton's locations belong to no company
WAREHOUSES = {"NL01": "RTM", "GB01": "LDS"}

_ADDRESS = ("street", "city", "postal_code", "country", "subdivision")
_MOVE = ("quantity", "state", "shipment", "last_modified_at")
SALE_FIELDS = (
    "reference", "number", "state", "origin", "company", "party", "party.code", "payment_term", "invoice_address",
    "shipment_address", "currency.code", "payment_term.name",
    "sale_date", "shipping_date", "comment", "untaxed_amount", "tax_amount", "total_amount", "shipment_state",
    "invoice_state", "last_modified_at",
    *(f"{kind}_address.{field}" for kind in ("invoice", "shipment") for field in _ADDRESS),
    *(f"lines.{field}" for field in (
        "type", "note", "product", "quantity", "unit", "unit_price", "base_price", "description", "shipping_date",
        *(f"moves.{field}" for field in _MOVE), "components.quantity",
        *(f"components.moves.{field}" for field in _MOVE),
        "invoice_lines.quantity", "invoice_lines.invoice_state",
    )),
    "shipments.state", "shipments.last_modified_at", "invoices.last_modified_at", "amendments.last_modified_at",
)  # fmt: skip

ACCEPTED = ("confirmed", "processing", "done")
OPEN = ("draft", "quotation")
LEFT = ("packed", "shipped", "done")  # states of a shipment that has left, or is packed to leave
SHIPPED = ("shipped", "done")

_SALE = ("read", "write", "create")
NEEDS = {  # model → rights
    **dict.fromkeys(("sale.sale", "sale.line", "sale.amendment", "sale.amendment.line"), _SALE),
    **dict.fromkeys(
        (
            "party.party", "product.product", "stock.location", "stock.shipment.out", "stock.move", "account.invoice",
            "account.invoice.payment_term", "account.tax.rule", "account.period", "currency.currency",
        ),
        ("read",),
    ),
    "party.address": ("read", "create"),
}  # fmt: skip

PLACES = {
    "number": "sale.sale.comment",
    "customer": "sale.sale.party",
    "legal_entity": "sale.sale.company.party.code",
    "currency": "sale.sale.currency.code",
    "order_date": "sale.sale.sale_date",
    "requested_date": "sale.sale.shipping_date",
    "customer_reference": "sale.sale.comment",
    "payment_terms": "sale.sale.payment_term.name",
    "lines.id": "sale.line.note",
    "lines.product": "sale.line.product",
    "lines.description": "sale.line.description",
    "lines.quantity": "sale.line.quantity",
    "lines.list_price": "sale.line.base_price",
    "lines.unit_price": "sale.line.unit_price",
    "lines.cancelled": "sale.line.quantity (0)",
    **{
        f"addresses.{field}": f"sale.sale.invoice_address, shipment_address ({place})"
        for field, place in (
            ("street", "street"),
            ("city", "city"),
            ("region", "subdivision"),
            ("postal_code", "postal_code"),
            ("country", "country.code"),
        )
    },
}

RACED = "You can not call"

REFUSALS = (
    Meaning(
        sign=RACED, name="not in a state for it", category=Category.LOCKED,
        message="Somebody else changed the order meanwhile.",
    ),
    Meaning(
        sign="credit limit", name="credit limit exceeded", category=Category.CREDIT_LIMIT, hold=True,
        message="The order would exceed the customer's credit limit: it waits in the ERP for finance.",
    ),
    Meaning(
        sign="you must reopen the period", name="period closed", category=Category.CLOSED_PERIOD,
        message="The order's date lies in a closed period of the ERP.",
    ),
    Meaning(
        sign='for field "Product"', name="product not sold", category=Category.NOT_SOLD,
        message="The ERP does not sell a product of the order any more.",
    ),
    Meaning(
        sign="number of digits", name="too many digits", category=Category.INVALID_VALUE,
        message="A quantity or price has more digits than the ERP's unit takes.",
    ),
    Meaning(
        sign='for field "Shipping Date"', name="requested date not valid", category=Category.INVALID_VALUE,
        message="The requested date is before the order date.",
    ),
    Meaning(
        sign="you must enter a", name="value required", category=Category.MISSING_VALUE,
        message="The ERP needs an address or a warehouse for the order.",
    ),
)  # fmt: skip
