"""price_list: Pricebook2."""

from accord.systems.salesforce.mapping import Writing

PRICE_LIST = Writing(
    object="price_list",
    sobject="Pricebook2",
    external_id="Key__c",
    fields={
        "name": "Name",
        "legal_entity": "Legal_Entity__c",
        "currency": "Currency__c",
        "active": "IsActive",
        "valid_from": "Valid_From__c",
        "valid_until": "Valid_Until__c",
    },
    # a list that is there has a currency: one not in use is not taken for one that is gone
    gone={"IsActive": False, "Currency__c": None},
)
