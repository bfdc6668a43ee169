"""What orders in the session's Tryton begin with: customers, and products by their code."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.erp.rpc import Client
from tests.tables import EARLY

MADE_AT_ONCE = 20  # one call for all costs as much as two for one each
TODAY = dt.datetime.now(dt.UTC).date()
ADDRESS = {"street": "Kade 1", "city": "Delft", "postal_code": "2611 AA", "region": None, "country": "NL"}


@dataclass(slots=True)
class Shop:
    """Makes customers with a login that may, and orders as Accord gets them."""

    client: Client
    _customers: list[tuple[str, int]] = field(default_factory=list)
    _products: dict[str, int] = field(default_factory=dict)

    def customer(self) -> dict[str, Any]:
        """A customer of the ERP that nobody was given before: its key and native id."""
        if not self._customers:
            codes = [f"001{uuid.uuid4().hex[:15]}" for _ in range(MADE_AT_ONCE)]
            address = {"street": "Hoofdweg 2", "city": "Delft", "invoice": True, "delivery": True}
            parties = [{"code": c, "name": f"Customer {c}", "addresses": [["create", [address]]]} for c in codes]
            natives = self.client.call("model.party.party.create", parties)
            self._customers = list(zip(codes, natives, strict=True))
        code, native = self._customers.pop()
        return {"customer": f"salesforce:{code}", "customer__native": str(native)}

    def product(self, code: str) -> int:
        """The ERP's id of a product."""
        if not self._products:
            rows = self.client.call(
                "model.product.product.search_read", [["code", "!=", None]], 0, None, None, ["code"]
            )
            self._products = {row["code"]: row["id"] for row in rows}
        return self._products[code]

    def line(self, code: str, quantity: str, price: str, **values: Any) -> dict[str, Any]:
        """A line of an order."""
        native = self.product(code)
        return {
            "id": f"salesforce:802{uuid.uuid4().hex[:15]}",
            "product": f"tryton:{native}",
            "product__native": str(native),
            "description": "As agreed",
            "quantity": Decimal(quantity),
            "list_price": Decimal("649.0000"),
            "unit_price": Decimal(price),
            "cancelled": False,
        } | values

    def order(self, *lines: dict[str, Any], **values: Any) -> dict[str, Any]:
        """An order of a customer of its own."""
        customer = {} if "customer" in values else self.customer()
        lines = lines or (self.line("MI-1001", "2", "600.0000"), self.line("MI-1002", "3", "389.5000"))
        return {
            "key": f"salesforce:801{uuid.uuid4().hex[:15]}",
            "number": "00000101",
            "legal_entity": "NL01",
            "currency": "EUR",
            "status": "Activated",
            "order_date": TODAY,
            "requested_date": TODAY + dt.timedelta(days=20),
            "customer_reference": "PO 4711",
            "payment_terms": "NET30",
            "total": sum((line["quantity"] * line["unit_price"] for line in lines), Decimal(0)),
            "lines": list(lines),
            "addresses": [{"role": "bill_to", **ADDRESS}, {"role": "ship_to", **ADDRESS, "street": "Dok 2"}],
        } | customer | values  # fmt: skip


def later(row: dict[str, Any], **values: Any) -> dict[str, Any]:
    """A later version of an order."""
    return {**row, "version": row.get("version", EARLY) + dt.timedelta(minutes=1), **values}
