"""customer_account: the child ERP_Account__c of an Account, one per legal entity."""

from accord.systems.salesforce.mapping import Writing

CUSTOMER_ACCOUNT = Writing(
    object="customer_account",
    sobject="ERP_Account__c",
    external_id="Key__c",
    fields={
        "customer": "Account__c",
        "legal_entity": "Legal_Entity__c",
        "system": "ERP_System__c",
        "customer_number": "Customer_Number__c",
        "legal_name": "Legal_Name__c",
        "tax_classification": "Tax_Classification__c",
        "payment_terms": "Payment_Terms__c",
        "currency": "CurrencyIsoCode",
        "credit_limit": "Credit_Limit__c",
        "credit_hold": "Credit_Hold__c",
        "balance": "Balance__c",
        "overdue": "Overdue__c",
        "risk": "Risk__c",
        "risk_level": "Risk_Level__c",
        "active": "Active__c",
    },
    # An account that is gone counts for none of its customer's roll-ups. The risk indicator is required of one that is
    # there, so its absence tells a gone account from one the ERP merely does no business with.
    gone={"Active__c": False, "Credit_Hold__c": False, "Risk__c": None, "Risk_Level__c": None},
)
