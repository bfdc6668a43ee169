"""People who keep the catalogue in the session's Tryton: items, bundles, price lists."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from sandbox.erp.rpc import Client

Line = Mapping[str, Any]


@dataclass
class Catalogue:
    """One user's doings in one company; `close` takes the lists it made out of use."""

    client: Client
    company: int
    made: list[int] = field(default_factory=list)

    def product(self, price: str | None = "100", **values: Any) -> int:
        """An item people can order; its id. `price` None: the company does not sell it."""
        known: dict[str, Any] = {"name": "Probe", "type": "goods", "salable": True, "account_category": self.goods}
        known |= {"default_uom": self.unit, "sale_uom": self.unit, "list_price": price and Decimal(price)}
        known["products"] = [["create", [{"suffix_code": f"T-{uuid.uuid4().hex[:12]}"}]]]
        (template,) = self.call("product.template.create", [known | values])
        (found,) = self.call("product.product.search", [["template", "=", template]], 0, None, None)
        return int(found)

    def bundle(self, **components: float) -> int:
        """A kit of products (their ids after an underscore) and how many of each; its id."""
        unit = {"unit": self.unit, "fixed": True}
        parts = [{"product": int(name[1:]), "quantity": quantity} | unit for name, quantity in components.items()]
        return self.product(type="kit", components=[["create", parts]])

    def template(self, product: int) -> int:
        return int(self.call("product.product.read", [product], ["template"])[0]["template"])

    def write(self, product: int, **values: Any) -> None:
        """Change an item."""
        self.call("product.template.write", [self.template(product)], values)

    def list(self, *lines: Line, name: str = "Probe EUR") -> int:
        """A price list; its id."""
        known = {"name": name, "company": self.company, "unit": "product_default", "price": "list_price"}
        numbered = [{"sequence": number} | dict(line) for number, line in enumerate(lines, start=1)]
        (made,) = self.call("product.price_list.create", [known | {"lines": [["create", numbered]]}])
        self.made.append(made)
        return int(made)

    def lines(self, price_list: int) -> list[int]:
        return list(self.call("product.price_list.read", [price_list], ["lines"])[0]["lines"])

    def promise(self, product: int, quantity: float, warehouse: str = "RTM") -> None:
        """Somebody's order is to leave the warehouse."""
        (place,) = self.call(
            "stock.location.search_read", [["code", "=", warehouse]], 0, None, None, ["storage_location"]
        )
        (customer,) = self.call("stock.location.search", [["type", "=", "customer"]], 0, 1, None)
        (currency,) = self.call("currency.currency.search", [["code", "=", "EUR"]], 0, 1, None)
        move = {"product": product, "quantity": quantity, "unit": self.unit, "company": self.company}
        move |= {"from_location": place["storage_location"], "to_location": customer}
        self.call("stock.move.create", [move | {"unit_price": Decimal(1), "currency": currency}])

    def close(self) -> None:
        if self.made:
            self.call("product.price_list.write", self.made, {"active": False})
            self.made.clear()

    @cached_property
    def unit(self) -> int:
        return self._one("product.uom", [["name", "=", "Unit"]])

    @cached_property
    def goods(self) -> int:
        return self._one("product.category", [["name", "=", "Goods"], ["accounting", "=", True]])

    def family(self, name: str) -> int:
        return self._one("product.category", [["name", "=", name], ["accounting", "=", False]])

    def call(self, method: str, *parameters: Any) -> Any:
        return self.client.call(f"model.{method}", *parameters, context={"company": self.company})

    def _one(self, model: str, domain: Iterable[Any]) -> int:
        return int(self.call(f"{model}.search", list(domain), 0, 1, None)[0])


def catalogue_of(client: Client, company: str = "NL01") -> Catalogue:
    """The catalogue of one company, by its code."""
    (row,) = client.call("model.company.company.search_read", [["party.code", "=", company]], 0, 1, None, ["id"])
    return Catalogue(client, row["id"])
