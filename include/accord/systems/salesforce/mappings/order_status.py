"""order_status: what the ERP tells of an Order, on the Order and its products; in short on the Opportunity as long as there is
none."""

from accord.systems.salesforce.mapping import ChildWriting, Writing
from accord.systems.salesforce.mappings.opportunity import OPPORTUNITY

ORDER_STATUS = Writing(
    object="order_status",
    sobject="Order",
    fields={
        "number": "ERP_Order_Number__c",
        "status": "ERP_Status__c",
        "reason": "ERP_Reason__c",
        "promised_date": "Promised_Date__c",
        "booked_date": "Booked_Date__c",
        "total": "ERP_Total__c",
        "tax": "ERP_Tax__c",
    },
    children=(
        ChildWriting(
            constituent="lines",
            sobject="OrderItem",
            parent="OrderId",
            fields={
                "status": "ERP_Status__c",
                "promised_date": "Promised_Date__c",
                "shipped": "Shipped_Quantity__c",
                "back_ordered": "Back_Ordered_Quantity__c",
                "invoiced": "Invoiced_Quantity__c",
            },
        ),
    ),
    gone={"ERP_Status__c": "Cancelled"},
    instead={
        OPPORTUNITY.prefix: Writing(
            object="order_status",
            sobject="Opportunity",
            fields={"number": "ERP_Order_Number__c", "status": "ERP_Status__c", "reason": "ERP_Reason__c"},
            gone={"ERP_Status__c": "Cancelled"},
        )
    },
)
