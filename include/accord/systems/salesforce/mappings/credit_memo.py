"""credit_memo: ERP_Credit_Memo__c below the Account, with its lines."""

from accord.systems.salesforce.mapping import ChildWriting, Writing

CREDIT_MEMO = Writing(
    object="credit_memo",
    sobject="ERP_Credit_Memo__c",
    external_id="Key__c",
    fields={
        "number": "Number__c",
        "customer": "Account__c",
        "order": "Order__c",
        "legal_entity": "Legal_Entity__c",
        "status": "Status__c",
        "invoice_date": "Invoice_Date__c",
        "booking_date": "Booking_Date__c",
        "due_date": "Due_Date__c",
        "currency": "CurrencyIsoCode",
        "net": "Net__c",
        "tax": "Tax__c",
        "total": "Total__c",
        "open_balance": "Open_Balance__c",
        "invoice": "Invoice__c",
        "reason": "Reason__c",
    },
    children=(
        ChildWriting(
            constituent="lines",
            sobject="ERP_Credit_Memo_Line__c",
            parent="Credit_Memo__c",
            external_id="Key__c",
            inherited={"currency": "CurrencyIsoCode"},
            fields={
                "product": "Product__c",
                "description": "Description__c",
                "quantity": "Quantity__c",
                "unit_price": "Unit_Price__c",
                "net": "Net__c",
                "tax": "Tax__c",
                "tax_code": "Tax_Code__c",
            },
        ),
    ),
    gone={"Status__c": "Cancelled"},
)
