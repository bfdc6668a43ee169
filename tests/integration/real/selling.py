"""What sales and master data do before an order: products with prices in the org, known by the hub to be the ERP's, and orders."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import psycopg

from accord.hub import Hub
from tests.integration.real.world import RealWorld

TODAY = dt.datetime.now(dt.UTC).date()
SHIP_TO = {
    "ShippingStreet": "Dok 2",
    "ShippingCity": "Delft",
    "ShippingPostalCode": "2611 AA",
    "ShippingCountryCode": "NL",
}


@dataclass(slots=True)
class Sales:
    """Sales at work in one world. `MI-…` are the products' codes in the ERP."""

    world: RealWorld
    currency: str = "EUR"
    legacy_list: str = ""  # of the legacy ERP, whose products are then sold
    tryton_list: str = ""  # of Tryton, which can do without
    book: str = ""
    _entries: dict[str, str] = field(default_factory=dict)

    def entry(self, code: str, price: float) -> str:
        """The price book entry of a product, which the catalogue's flows would have loaded."""
        if code in self._entries:
            return self._entries[code]
        people = self.world.people
        if not self.book:
            self.book = people.create("Pricebook2", Name=f"Standard {self.currency}", IsActive=True)
            if self.legacy_list:
                self._link("price_list", self.book, f"legacy:US01/{self.legacy_list}")
            if self.tryton_list:
                native = self._native(self.tryton_list, "product.price_list", "name")
                self._link("price_list", self.book, f"tryton:{native}")
        (standard,) = people.soql("SELECT Id FROM Pricebook2 WHERE IsStandard = TRUE")
        known = people.soql(f"SELECT Id FROM Product2 WHERE ProductCode = '{code}'")  # noqa: S608 - our words
        product = known[0]["Id"] if known else people.create("Product2", Name=code, ProductCode=code, IsActive=True)
        self._link("product", product, f"legacy:{code}" if self.legacy_list else f"tryton:{self._native(code)}")
        values = {"Product2Id": product, "UnitPrice": price, "IsActive": True, "CurrencyIsoCode": self.currency}
        people.create("PricebookEntry", Pricebook2Id=standard["Id"], **values)
        self._entries[code] = people.create("PricebookEntry", Pricebook2Id=self.book, **values)
        return self._entries[code]

    def order(self, account: str, *lines: tuple[str, float, float], activate: bool = True, **values: Any) -> str:
        """An order with lines of (product, quantity, price agreed); its id. It is created as a draft and activated."""
        entries = [self.entry(code, price) for code, _, price in lines]
        usual: dict[str, Any] = {
            "AccountId": account, "EffectiveDate": TODAY.isoformat(), "Status": "Draft", "Pricebook2Id": self.book,
            "CurrencyIsoCode": self.currency, "Legal_Entity__c": "NL01", "PoNumber": "PO 4711", "Payment_Terms__c": "NET30",
            "Requested_Date__c": (TODAY + dt.timedelta(days=20)).isoformat(), **SHIP_TO,
        }  # fmt: skip
        order = self.world.people.create("Order", **usual | values)
        for entry, (_, quantity, price) in zip(entries, lines, strict=True):
            item = {"OrderId": order, "PricebookEntryId": entry, "Quantity": quantity, "UnitPrice": price}
            self.world.people.create("OrderItem", **item)
        if activate:
            self.world.change(order, "Order", Status="Activated")
        return order

    def opportunity(
        self, account: str, *lines: tuple[str, float, float], stage: str = "Closed Won", **values: Any
    ) -> str:
        """A deal with lines of (product, quantity, price agreed) that came to `stage`; its id."""
        entries = [self.entry(code, price) for code, _, price in lines]
        usual: dict[str, Any] = {
            "AccountId": account, "Name": "A deal", "StageName": "Negotiation", "CloseDate": TODAY.isoformat(),
            "Pricebook2Id": self.book, "CurrencyIsoCode": self.currency, "Legal_Entity__c": "NL01",
            "PO_Number__c": "PO 4711", "Payment_Terms__c": "NET30",
            "Requested_Date__c": (TODAY + dt.timedelta(days=20)).isoformat(),
        }  # fmt: skip
        deal = self.world.people.create("Opportunity", **usual | values)
        for entry, (_, quantity, price) in zip(entries, lines, strict=True):
            line = {"OpportunityId": deal, "PricebookEntryId": entry, "Quantity": quantity, "UnitPrice": price}
            self.world.people.create("OpportunityLineItem", **line)
        self.world.change(deal, "Opportunity", StageName=stage)
        return deal

    def items(self, order: str, *names: str) -> list[dict[str, Any]]:
        """Fields of an order's products, in the order they were added."""
        query = f"SELECT Id, {', '.join(names)} FROM OrderItem WHERE OrderId = '{order}' ORDER BY OrderItemNumber"  # noqa: S608
        return self.world.people.soql(query)

    def told(self, order: str, *names: str, sobject: str = "Order") -> tuple[Any, ...]:
        """Fields of an order, or of an opportunity, as Salesforce shows them."""
        (row,) = self.world.people.soql(f"SELECT {', '.join(names)} FROM {sobject} WHERE Id = '{order}'")  # noqa: S608
        return tuple(row[name] for name in names)

    def sales(self, order: str, *fields: str) -> list[dict[str, Any]]:
        """The sales of an order in the ERP that are not cancelled."""
        domain = [["reference", "=", f"salesforce:{order}"], ["state", "!=", "cancelled"]]
        found: list[dict[str, Any]] = self.world.erp.client("accord").call(
            "model.sale.sale.search_read", domain, 0, None, [["id", "ASC"]], ["state", "number", *fields]
        )
        return found

    def _native(self, name: str, model: str = "product.product", field: str = "code") -> int:
        (native,) = self.world.erp.client("accord").call(f"model.{model}.search", [[field, "=", name]], 0, 1, None)
        return int(native)

    def _link(self, what: str, record: str, key: str) -> None:
        """The hub knows that the record of the org is the ERP's `key`."""
        dsn = self.world.server.dsn(self.world.hub)
        stream = Hub(dsn).stream("salesforce", what)
        with psycopg.connect(dsn) as session:
            session.execute(
                "INSERT INTO link (stream, key, native, version, read_at, hash) VALUES (%s, %s, %s, now(), now(), 'x') "
                "ON CONFLICT DO NOTHING",
                (stream, key, record),
            )
