"""customer: the Account with its Billing and Shipping addresses, and its Contacts."""

from accord.systems.salesforce.mapping import Child, Group, Reading

# Account and Order have the same fields for both addresses
ADDRESSES = Group(
    constituent="addresses",
    parts={
        "bill_to": {
            "street": "BillingStreet",
            "city": "BillingCity",
            "region": "BillingState",
            "postal_code": "BillingPostalCode",
            "country": "BillingCountryCode",
        },
        "ship_to": {
            "street": "ShippingStreet",
            "city": "ShippingCity",
            "region": "ShippingState",
            "postal_code": "ShippingPostalCode",
            "country": "ShippingCountryCode",
        },
    },
)

CUSTOMER = Reading(
    object="customer",
    sobject="Account",
    master="MasterRecordId",
    fields={
        "name": "Name",
        "legal_name": "Legal_Name__c",
        "parent": "ParentId",
        "country": "BillingCountryCode",
        "currency": "CurrencyIsoCode",
        "tax_registration": "Tax_Registration__c",
        "phone": "Phone",
        "website": "Website",
        "legal_entities": "Legal_Entities__c",
    },
    groups=(ADDRESSES,),
    children=(
        Child(
            constituent="contacts",
            sobject="Contact",
            parent="AccountId",
            fields={
                "id": "Id",
                "first_name": "FirstName",
                "last_name": "LastName",
                "email": "Email",
                "phone": "Phone",
                "title": "Title",
            },
        ),
    ),
)
