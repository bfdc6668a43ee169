"""shipment: ERP_Shipment__c below the Account, with its lines."""

from accord.systems.salesforce.mapping import ChildWriting, Writing

SHIPMENT = Writing(
    object="shipment",
    sobject="ERP_Shipment__c",
    external_id="Key__c",
    fields={
        "number": "Number__c",
        "customer": "Account__c",
        "order": "Order__c",
        "legal_entity": "Legal_Entity__c",
        "kind": "Kind__c",
        "status": "Status__c",
        "planned_date": "Planned_Date__c",
        "shipped_date": "Shipped_Date__c",
        "carrier": "Carrier__c",
        "tracking": "Tracking_Number__c",
        "warehouse": "Warehouse__c",
    },
    children=(
        ChildWriting(
            constituent="lines",
            sobject="ERP_Shipment_Line__c",
            parent="Shipment__c",
            external_id="Key__c",
            fields={"product": "Product__c", "quantity": "Quantity__c"},
        ),
    ),
    gone={"Status__c": "Cancelled"},
)
