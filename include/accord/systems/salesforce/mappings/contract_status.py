"""contract_status: what the ERP tells of a Contract, on the Contract, with its billing schedule."""

from accord.systems.salesforce.mapping import ChildWriting, Writing

CONTRACT_STATUS = Writing(
    object="contract_status",
    sobject="Contract",
    fields={
        "number": "ERP_Contract_Number__c",
        "status": "ERP_Status__c",
        "next_invoice_date": "Next_Invoice_Date__c",
        "arr": "ARR__c",
        "renewal_date": "Renewal_Date__c",
        "renewal_value": "Renewal_Value__c",
    },
    children=(
        ChildWriting(
            constituent="schedule",
            sobject="Billing_Schedule__c",
            parent="Contract__c",
            external_id="Key__c",
            inherited={"currency": "CurrencyIsoCode"},
            fields={"date": "Date__c", "amount": "Amount__c", "invoiced": "Invoiced__c"},
        ),
    ),
    gone={"ERP_Status__c": "Cancelled"},
)
