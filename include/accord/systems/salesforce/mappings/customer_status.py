"""customer_status: two of Accord's own fields on the Account."""

from accord.systems.salesforce.mapping import Writing

CUSTOMER_STATUS = Writing(
    object="customer_status",
    sobject="Account",
    fields={"status": "ERP_Sync_Status__c", "error": "ERP_Error__c"},
)
