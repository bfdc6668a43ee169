"""order_sync: two of Accord's own fields on the Order."""

from accord.systems.salesforce.mapping import Writing

ORDER_SYNC = Writing(
    object="order_sync",
    sobject="Order",
    fields={"status": "ERP_Sync_Status__c", "error": "ERP_Error__c"},
)
