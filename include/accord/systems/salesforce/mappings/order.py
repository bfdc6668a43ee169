"""order: the Order with its products and addresses."""

from accord.systems.salesforce.mapping import Child, Reading
from accord.systems.salesforce.mappings.customer import ADDRESSES

ORDER = Reading(
    object="order",
    sobject="Order",
    prefix="801",
    carries_on="OpportunityId",
    fields={
        "number": "OrderNumber",
        "customer": "AccountId",
        "legal_entity": "Legal_Entity__c",
        "currency": "CurrencyIsoCode",
        "status": "Status",
        "price_list": "Pricebook2Id",
        "order_date": "EffectiveDate",
        "requested_date": "Requested_Date__c",
        "customer_reference": "PoNumber",
        "payment_terms": "Payment_Terms__c",
        "total": "TotalAmount",
        "customer_entities": "Account.Legal_Entities__c",
        "customer_country": "Account.BillingCountryCode",
    },
    groups=(ADDRESSES,),
    children=(
        Child(
            constituent="lines",
            sobject="OrderItem",
            parent="OrderId",
            fields={
                "id": "Id",
                "product": "Product2Id",
                "description": "Description",
                "quantity": "Quantity",
                "family": "Product2.Family",
                "list_price": "ListPrice",
                "current_price": "PricebookEntry.UnitPrice",
                "unit_price": "UnitPrice",
                "discount": "Discount_Percent__c",
                "requested_date": "ServiceDate",
                "cancelled": "Cancelled__c",
            },
        ),
    ),
)
