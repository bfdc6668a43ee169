"""contract_sync: two of Accord's own fields on the Contract."""

from accord.systems.salesforce.mapping import Writing

CONTRACT_SYNC = Writing(
    object="contract_sync",
    sobject="Contract",
    fields={"status": "ERP_Sync_Status__c", "error": "ERP_Error__c"},
)
