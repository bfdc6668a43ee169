"""What standard objects of quote-to-cash allow and derive, object by object.

Sources (developer.salesforce.com Object Reference and help.salesforce.com, unless said otherwise):

- PricebookEntry, OrderItem, OpportunityLineItem: which fields are create-only, read-only or inherited.
- Opportunity: the first line sets the price book; Amount is ignored, price book and currency are fixed, with lines.
- Order: ``sales.order_edit`` (account in Draft only, price book never again), ``sales.orderproduct_edit`` (an activated
  order's products can be edited with "Edit Activated Orders", not deleted).
- Contract: article 000380733 (three status categories, own values belong to Activated, no way back from there, the end is
  calculated from start and term).
- Wording of ENTITY_IS_LOCKED, FAILED_ACTIVATION, STANDARD_PRICE_NOT_DEFINED and of the price book mismatches: as clients
  report it (octoberswimmer/aer-dist#504, forcedotcom/SFDX-Data-Move-Utility#704 and #706).
"""

from sandbox.salesforce.records.lifecycle import DetailOf, Kept, Lifecycle
from sandbox.salesforce.records.prices import Entry
from sandbox.salesforce.records.rules import Agree, Extend, Fixed, Ignored, Rule, Spread, Stage, Take, Term, Usable

_EDIT_ACTIVATED = "EditActivatedOrders"
_LINES = ("OpportunityLineItem", "OpportunityId")
_INACTIVE = "PricebookEntryId (pricebook entry is inactive)"
_FROM_ENTRY = (("Product2Id", "Product2Id"), ("ListPrice", "UnitPrice"))


def _line(parent: str, name: str, elsewhere: str, *, adopt: bool = False) -> tuple[Rule, ...]:
    return (
        Usable(via="PricebookEntryId", message=_INACTIVE),
        Agree(
            via="PricebookEntryId",
            source="CurrencyIsoCode",
            other=parent,
            target="CurrencyIsoCode",
            message=f"PricebookEntryId (pricebook entry currency code does not match {name} currency code)",
        ),
        Agree(
            via="PricebookEntryId",
            source="Pricebook2Id",
            other=parent,
            target="Pricebook2Id",
            message=f"PricebookEntryId ({elsewhere})",
            adopt=adopt,
        ),
        Take(via=parent, fields=(("CurrencyIsoCode", "CurrencyIsoCode"),)),
    )


RULES: dict[str, tuple[Rule, ...]] = {
    "Product2": (
        Spread(child="PricebookEntry", via="Product2Id", fields=(("Name", "Name"), ("ProductCode", "ProductCode"))),
    ),
    "Pricebook2": (Kept(flag="IsStandard", message="The standard price book can't be deleted"),),
    "PricebookEntry": (
        Take(via="Product2Id", fields=(("Name", "Name"), ("ProductCode", "ProductCode"))),
        Entry(),
    ),
    "Opportunity": (
        Stage(),
        Fixed(
            field="Pricebook2Id",
            child=_LINES,
            message="You can't change the price book of an opportunity that has products: delete them first",
        ),
        Fixed(
            field="CurrencyIsoCode",
            child=_LINES,
            message="You can't change the currency of an opportunity that has products: delete them first",
        ),
        Ignored(field="Amount", child=_LINES),
    ),
    "OpportunityLineItem": (
        *_line(
            "OpportunityId",
            "opportunity",
            "pricebook entry is in a different pricebook than the one assigned to the opportunity",
            adopt=True,
        ),
        Take(via="PricebookEntryId", fields=(*_FROM_ENTRY, ("ProductCode", "ProductCode"))),
        Extend(amount="TotalPrice", quantity="Quantity", price="UnitPrice", discount="Discount"),
    ),
    "Order": (
        Lifecycle(
            moves=(("Draft", "Activated"), ("Activated", "Draft")),
            needs=("OrderItem", "OrderId", "An order must have at least one product."),
            activate="ActivateOrder",
            edit=_EDIT_ACTIVATED,
        ),
        Fixed(field="AccountId", after_draft=True, message="You can change the account of a draft order only"),
        Fixed(field="Pricebook2Id", message="You can't change the price book of an order once it is set"),
        Fixed(
            field="CurrencyIsoCode",
            child=("OrderItem", "OrderId"),
            message="You can't change the currency of an order that has products",
        ),
    ),
    "OrderItem": (
        DetailOf(via="OrderId", edit=_EDIT_ACTIVATED),
        *_line(
            "OrderId",
            "order",
            "pricebook entry is in a different pricebook than the one assigned to the order, "
            "or the order has no pricebook assigned",
        ),
        Take(via="PricebookEntryId", fields=_FROM_ENTRY),
        Extend(amount="TotalPrice", quantity="Quantity", price="UnitPrice"),
    ),
    "Contract": (
        Lifecycle(
            moves=(
                ("Draft", "InApproval"),
                ("InApproval", "Draft"),
                ("Draft", "Activated"),
                ("InApproval", "Activated"),
            ),
            delete="DeleteActivatedContract",
        ),
        Term(start="StartDate", months="ContractTerm", end="EndDate"),
    ),
}
