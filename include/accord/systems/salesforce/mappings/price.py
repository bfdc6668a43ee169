"""price: PricebookEntry; its quantity breaks are ERP_Price_Tier__c, as Salesforce allows no lookup to an entry."""

from accord.systems.salesforce.mapping import ChildWriting, StandardPrice, Writing

PRICE = Writing(
    object="price",
    sobject="PricebookEntry",
    external_id="Key__c",
    fields={
        "product": "Product2Id",
        "price_list": "Pricebook2Id",
        "currency": "CurrencyIsoCode",
        "unit_price": "UnitPrice",
        "active": "IsActive",
    },
    identity=("product", "price_list", "currency"),
    standard_price=StandardPrice(product="product", price_list="price_list", currency="currency", amount="unit_price"),
    children=(
        ChildWriting(
            constituent="tiers",
            sobject="ERP_Price_Tier__c",
            parent="Price_Key__c",
            external_id="Key__c",
            by_key=True,
            inherited={"currency": "CurrencyIsoCode", "product": "Product__c", "price_list": "Price_Book__c"},
            fields={
                "from_quantity": "From_Quantity__c",
                "unit_price": "Unit_Price__c",
                "valid_from": "Valid_From__c",
                "valid_until": "Valid_Until__c",
            },
        ),
    ),
    gone={"IsActive": False},  # a price that is there is active, or it is none
    decimals={"unit_price": 2},  # the tier from one on has it exactly
)
