"""Orders in the local org: what sales does to them, and what the org then says of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg

from accord.hub import Hub
from tests.faults.simulator.schedule import Edit
from tests.salesforce_org import RestSession

PRICE = 2.0  # of the only product; stories agree on it
_SAID = "SELECT Id, OrderNumber, AccountId, Status, TotalAmount, (SELECT Id, Quantity FROM OrderItems) FROM Order ORDER BY Id"
_REFUSALS = frozenset({"FAILED_ACTIVATION", "ENTITY_IS_LOCKED", "INVALID_STATUS"})


@dataclass(slots=True)
class Orders:
    """Sales at work in one story. The hub (`address`) knows the product as the ERP's P1, as the catalogue's flow would have told it."""

    people: RestSession
    address: str
    _entry: str = ""
    _book: str = ""
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def create(self, account: str, edit: Edit) -> str:
        """A draft with its products, activated if that is what is said; its id."""
        self._have_a_catalogue()
        values = edit.values
        order = self.people.create(
            "Order", AccountId=account, EffectiveDate=values["order_date"], Status="Draft", Pricebook2Id=self._book,
            CurrencyIsoCode=values["currency"], Legal_Entity__c=values["legal_entity"],
        )  # fmt: skip
        for line in values["lines"]:
            item = {"OrderId": order, "PricebookEntryId": self._entry, "UnitPrice": PRICE}
            self.people.create("OrderItem", Quantity=float(line["quantity"]), **item)
        if values["status"] != "Draft":
            self._change("Order", order, Status=values["status"])
        return order

    def amend(self, order: str, edit: Edit) -> str:
        """Other quantities (an activated order takes no other products) and another status; why not, if the org refuses."""
        items = self.people.soql(f"SELECT Id FROM OrderItem WHERE OrderId = '{order}' ORDER BY Id")  # noqa: S608 - ours
        for item, line in zip(items, edit.values.get("lines") or (), strict=False):
            if refusal := self._change("OrderItem", item["Id"], Quantity=float(line["quantity"])):
                return refusal
        if "status" in edit.values and edit.values["status"] != self.rows[order]["Status"]:
            return self._change("Order", order, Status=edit.values["status"])
        return ""

    def changed(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What the org says now of orders of which it said something else."""
        for row in self.people.soql(_SAID) if self._book else ():
            if self.rows.get(row["Id"]) != row:
                self.rows[row["Id"]] = row
                items = (row["OrderItems"] or {"records": ()})["records"]
                yield (
                    f"salesforce:{row['Id']}",
                    {
                        "number": row["OrderNumber"],
                        "customer": f"salesforce:{row['AccountId']}",
                        "status": row["Status"],
                        "total": str(row["TotalAmount"]),
                        "lines": [{"id": f"salesforce:{i['Id']}", "quantity": str(i["Quantity"])} for i in items],
                    },
                )

    def _change(self, sobject: str, record: str, **values: Any) -> str:
        answer = self.people.patch(f"/sobjects/{sobject}/{record}", json=values)
        if answer.ok:
            return ""
        assert answer.json()[0]["errorCode"] in _REFUSALS, answer.text
        return answer.text

    def _have_a_catalogue(self) -> None:
        if self._book:
            return
        product = self.people.create("Product2", Name="P1", ProductCode="P1", IsActive=True)
        self._book = self.people.create("Pricebook2", Name="List", IsActive=True)
        (standard,) = self.people.soql("SELECT Id FROM Pricebook2 WHERE IsStandard = TRUE")
        price = {"Product2Id": product, "UnitPrice": PRICE, "IsActive": True, "CurrencyIsoCode": "EUR"}
        self.people.create("PricebookEntry", Pricebook2Id=standard["Id"], **price)
        self._entry = self.people.create("PricebookEntry", Pricebook2Id=self._book, **price)
        stream = Hub(self.address).stream("salesforce", "product")
        with psycopg.connect(self.address) as session:
            session.execute(
                "INSERT INTO link (stream, key, native, version, read_at, hash) VALUES (%s, 'tryton:P1', %s, now(), now(), 'x')",
                (stream, product),
            )
