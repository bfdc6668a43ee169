"""invoice: ERP_Invoice__c below the Account, with its lines."""

from accord.systems.salesforce.mapping import Writing
from accord.systems.salesforce.mappings.billing import GONE, HEADER, lines

INVOICE = Writing(
    object="invoice",
    sobject="ERP_Invoice__c",
    external_id="Key__c",
    fields=HEADER | {"overdue": "Overdue__c"},
    children=(lines("ERP_Invoice_Line__c", parent="Invoice__c"),),
    gone=GONE,
)
