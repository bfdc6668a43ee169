"""payment: ERP_Payment__c below the Account, with what it was applied to."""

from accord.systems.salesforce.mapping import ChildWriting, Writing

PAYMENT = Writing(
    object="payment",
    sobject="ERP_Payment__c",
    external_id="Key__c",
    fields={
        "number": "Number__c",
        "customer": "Account__c",
        "legal_entity": "Legal_Entity__c",
        "status": "Status__c",
        "paid_on": "Date__c",
        "method": "Method__c",
        "currency": "CurrencyIsoCode",
        "amount": "Amount__c",
        "unapplied": "Unapplied__c",
    },
    children=(
        ChildWriting(
            constituent="applications",
            sobject="ERP_Payment_Application__c",
            parent="Payment__c",
            external_id="Key__c",
            inherited={"currency": "CurrencyIsoCode"},
            fields={"invoice": "Invoice__c", "amount": "Amount__c", "applied_on": "Date__c"},
        ),
    ),
    gone={"Status__c": "Reversed"},
)
