"""A product with a price, and what is sold of it: the records most tests of quote-to-cash begin with."""

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True, kw_only=True)
class Shop:
    """Sells one product to one customer, in EUR, from a price book of its own."""

    api: Any
    account: str = ""
    product: str = ""
    standard_book: str = ""
    book: str = ""
    standard: str = ""
    entry: str = ""

    def open(self) -> "Shop":
        """Make the records."""
        api = self.api
        [self.standard_book] = api.column("SELECT Id FROM Pricebook2 WHERE IsStandard = TRUE")
        self.account = api.create("Account", Name="Acme")
        self.product = api.create("Product2", Name="Scale", ProductCode="S-1", IsActive=True, Key__c="erp:1")
        self.book = api.create("Pricebook2", Name="List", IsActive=True)
        self.standard = self.price(self.standard_book, 100)
        self.entry = self.price(self.book, 90)
        return self

    def price(self, book: str, price: float, **more: Any) -> str:
        """Put the product into a price book."""
        values = {"Product2Id": self.product, "Pricebook2Id": book, "UnitPrice": price, "IsActive": True}
        return str(self.api.create("PricebookEntry", **{**values, **more}))

    def order(self, *quantities: float, **more: Any) -> str:
        """Make a draft order with a line for each quantity, at 80 each."""
        values = {
            "AccountId": self.account,
            "EffectiveDate": "2026-03-01",
            "Status": "Draft",
            "Pricebook2Id": self.book,
        }
        order = self.api.create("Order", **{**values, **more})
        for quantity in quantities:
            self.item(order, quantity)
        return str(order)

    def item(self, order: str, quantity: float = 1, **more: Any) -> str:
        """Add a line to an order."""
        values = {"OrderId": order, "PricebookEntryId": self.entry, "Quantity": quantity, "UnitPrice": 80}
        return str(self.api.create("OrderItem", **{**values, **more}))

    def activate(self, order: str) -> None:
        """Activate an order."""
        assert self.api.send("PATCH", f"/sobjects/Order/{order}", {"Status": "Activated"}).status == 204

    def read(self, obj: str, record: str, *names: str) -> list[Any]:
        """Return fields of a record."""
        found = self.api.send("GET", f"/sobjects/{obj}/{record}").data
        return [found[name] for name in names]
