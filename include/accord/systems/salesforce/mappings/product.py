"""product: Product2, with the components of a bundle and the availability per warehouse."""

from accord.systems.salesforce.mapping import ChildWriting, Writing

PRODUCT = Writing(
    object="product",
    sobject="Product2",
    external_id="Key__c",
    fields={
        "code": "ProductCode",
        "name": "Name",
        "description": "Description",
        "family": "Family",
        "unit": "QuantityUnitOfMeasure",
        "kind": "Kind__c",
        "status": "ERP_Status__c",
        "active": "IsActive",
        "system": "ERP_System__c",
        "legal_entities": "Legal_Entities__c",
        "tax_category": "Tax_Category__c",
    },
    children=(
        ChildWriting(
            constituent="components",
            sobject="Product_Component__c",
            parent="Product__c",
            external_id="Key__c",
            fields={"product": "Component__c", "quantity": "Quantity__c"},
        ),
        ChildWriting(
            constituent="availability",
            sobject="Product_Availability__c",
            parent="Product__c",
            external_id="Key__c",
            fields={"warehouse": "Warehouse__c", "region": "Region__c", "available": "Available__c"},
        ),
    ),
    # a product that is there has a kind: a discontinued one is not taken for one that is gone
    gone={"IsActive": False, "ERP_Status__c": "Discontinued", "Kind__c": None},
)
