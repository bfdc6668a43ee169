"""credit_memo: ERP_Credit_Memo__c below the Account, with its lines."""

from accord.systems.salesforce.mapping import Writing
from accord.systems.salesforce.mappings.billing import GONE, HEADER, lines

CREDIT_MEMO = Writing(
    object="credit_memo",
    sobject="ERP_Credit_Memo__c",
    external_id="Key__c",
    fields=HEADER | {"invoice": "Invoice__c", "reason": "Reason__c"},
    children=(lines("ERP_Credit_Memo_Line__c", parent="Credit_Memo__c"),),
    gone=GONE,
)
