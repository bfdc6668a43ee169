"""order_sync: two of Accord's own fields on the Order, or on the Opportunity as long as there is none."""

from accord.systems.salesforce.mapping import Writing
from accord.systems.salesforce.mappings.opportunity import OPPORTUNITY

ORDER_SYNC = Writing(
    object="order_sync",
    sobject="Order",
    fields={"status": "ERP_Sync_Status__c", "error": "ERP_Error__c"},
    instead={
        OPPORTUNITY.prefix: Writing(
            object="order_sync",
            sobject="Opportunity",
            fields={"status": "ERP_Process_State__c", "error": "ERP_Error__c"},
        )
    },
)
