"""What an invoice and a credit memo have in common in Salesforce."""

from accord.systems.salesforce.mapping import ChildWriting

HEADER = {
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
}
GONE = {"Status__c": "Cancelled"}


def lines(sobject: str, *, parent: str) -> ChildWriting:
    """The document's lines, kept as `sobject` below the field `parent`."""
    return ChildWriting(
        constituent="lines",
        sobject=sobject,
        parent=parent,
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
    )
