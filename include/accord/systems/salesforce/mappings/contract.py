"""contract: the Contract with its lines."""

from accord.systems.salesforce.mapping import Child, Reading

CONTRACT = Reading(
    object="contract",
    sobject="Contract",
    fields={
        "number": "ContractNumber",
        "customer": "AccountId",
        "legal_entity": "Legal_Entity__c",
        "currency": "CurrencyIsoCode",
        "status": "Status",
        "start_date": "StartDate",
        "term": "ContractTerm",
        "end_date": "EndDate",
        "payment_terms": "Payment_Terms__c",
        "customer_entities": "Account.Legal_Entities__c",
        "customer_country": "Account.BillingCountryCode",
    },
    children=(
        Child(
            constituent="lines",
            sobject="Contract_Line__c",
            parent="Contract__c",
            fields={
                "id": "Id",
                "product": "Product__c",
                "family": "Product__r.Family",
                "quantity": "Quantity__c",
                "unit_price": "Unit_Price__c",
                "billing_period": "Billing_Period__c",
                "start_date": "Start_Date__c",
                "end_date": "End_Date__c",
                "ramp_step": "Ramp_Step__c",
            },
        ),
    ),
)
