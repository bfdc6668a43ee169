"""order, from the Opportunity: one that reached its committed stage is an order, as long as sales made no Order of it."""

from accord.systems.salesforce.mapping import Child, Group, Reading
from accord.systems.salesforce.mappings.customer import ADDRESSES

# what the stages of a deal mean for its order: your own, where your sales process has others
COMMITTED = ("Committed", "Closed Won")
LOST = ("Closed Lost",)

OPPORTUNITY = Reading(
    object="order",
    sobject="Opportunity",
    prefix="006",
    only=("StageName", (*COMMITTED, *LOST)),
    words={"status": dict.fromkeys(COMMITTED, "Activated") | dict.fromkeys(LOST, "Cancelled") | {"": "Draft"}},
    fields={
        "number": "Id",
        "customer": "AccountId",
        "legal_entity": "Legal_Entity__c",
        "currency": "CurrencyIsoCode",
        "status": "StageName",
        "price_list": "Pricebook2Id",
        "order_date": "CloseDate",
        "requested_date": "Requested_Date__c",
        "customer_reference": "PO_Number__c",
        "payment_terms": "Payment_Terms__c",
        "total": "Amount",
        "customer_entities": "Account.Legal_Entities__c",
        "customer_country": "Account.BillingCountryCode",
    },
    # a deal has no addresses of its own
    groups=(
        Group(
            constituent=ADDRESSES.constituent,
            parts={
                role: {name: f"Account.{column}" for name, column in columns.items()}
                for role, columns in ADDRESSES.parts.items()
            },
        ),
    ),
    children=(
        Child(
            constituent="lines",
            sobject="OpportunityLineItem",
            parent="OpportunityId",
            fields={
                "id": "Id",
                "product": "Product2Id",
                "description": "Description",
                "quantity": "Quantity",
                "family": "Product2.Family",
                "list_price": "ListPrice",
                "current_price": "PricebookEntry.UnitPrice",
                "unit_price": "UnitPrice",
                "discount": "Discount",
                "requested_date": "ServiceDate",
            },
            always={"cancelled": False},
            discounted=("unit_price", "discount"),
        ),
    ),
)
