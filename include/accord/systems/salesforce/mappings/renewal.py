"""renewal: an Opportunity. Sales owns every field of it: it is created, and never written again."""

from accord.systems.salesforce.mapping import Writing

RENEWAL = Writing(
    object="renewal",
    sobject="Opportunity",
    external_id="Renewal_Key__c",
    fields={
        "name": "Name",
        "customer": "AccountId",
        "legal_entity": "Legal_Entity__c",
        "stage": "StageName",
        "currency": "CurrencyIsoCode",
        "amount": "Amount",
        "close_date": "CloseDate",
    },
)
