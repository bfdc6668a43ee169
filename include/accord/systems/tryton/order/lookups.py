"""What a sale refers to besides its customer: products and taxes, warehouses, closed periods."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from accord.categories import Category
from accord.systems.tryton.books import Books
from accord.systems.tryton.context import Context
from accord.systems.tryton.customer.party import Impossible, address_values
from accord.systems.tryton.customer_lookups import CustomerLookups
from accord.systems.tryton.order.mapping import WAREHOUSES

_PLACE = ("street", "city", "postal_code", "country", "subdivision")
_PRODUCT = ("active", "salable", "sale_uom", "template.account_category.customer_taxes.company",
            "template.account_category.customer_taxes.group")  # fmt: skip
_RULE = ("origin_tax", "tax", "keep_origin", "group", "from_country", "to_country", "start_date", "end_date")

Row = Mapping[str, Any]


class Lookups(CustomerLookups):
    """What the orders of one chunk refer to, read once."""

    noun = "order"
    party_fields = ("customer_tax_rule", *(f"addresses.{name}" for name in _PLACE))

    def __init__(self, context: Context, books: Mapping[str, Books]) -> None:
        super().__init__(context, books)
        self._products: dict[str, dict[int, Row]] = {}
        self._warehouses = self._by("stock.location", "code", ["type", "=", "warehouse"])
        self._closed = self._all("account.period", [["state", "!=", "open"]], ["company", "start_date", "end_date"])
        rules = self._all("account.tax.rule", [], [f"lines.{name}" for name in _RULE])
        self._rules = {rule["id"]: rule["lines."] or [] for rule in rules}

    def _load_more(self, entity: str, rows: list[Row]) -> None:
        products = {
            int(line["product__native"])
            for row in rows
            for line in row["lines"] or ()
            if line["product__native"] and line["product__native"].isdecimal()
        }
        found = self._read("product.product", products, _PRODUCT, self.books[entity])
        self._products.setdefault(entity, {}).update(found)

    def product(self, row: Row, line: Row) -> Row:
        """The product of a line. Raises Impossible when it can't be sold."""
        found = self._products[row["legal_entity"]].get(int(line["product__native"] or 0))
        if found is None:
            raise Impossible(Category.REFERENCE_UNKNOWN, "The ERP does not have a product of the order.")
        if not (found["active"] and found["salable"]):
            raise Impossible(Category.NOT_SOLD, "The ERP does not sell a product of the order any more.")
        return found

    def taxes(self, row: Row, product: Row, ship_to: int | None) -> list[int]:
        """The taxes of a line: the product's, of the legal entity, as the customer's tax rule maps them."""
        books = self.books[row["legal_entity"]]
        category = (product["template."] or {}).get("account_category.") or {}
        own = [tax for tax in category.get("customer_taxes.") or () if tax["company"] == books.company]
        rule = self._rules.get(self.party(row)["customer_tax_rule"] or 0, [])
        taxes: list[int] = []
        for tax in own:
            taxes += self._mapped(rule, tax, self._context.places.country(books.entity.country), ship_to)
        return sorted(set(taxes))

    def country(self, code: str | None) -> int | None:
        """Tryton's id of a country."""
        return self._context.places.country(code) if code else None

    def warehouse(self, entity: str) -> int:
        """Where the legal entity ships from. Raises Impossible when the ERP does not have it."""
        found = self._warehouses.get(WAREHOUSES.get(entity, ""))
        if found is None:
            raise Impossible(Category.REFERENCE_UNKNOWN, "The ERP does not have the legal entity's warehouse.")
        return found

    def closed(self, entity: str, day: date) -> bool:
        """Whether the day lies in a closed period of the legal entity."""
        company = self.books[entity].company
        return any(p["company"] == company and p["start_date"] <= day <= p["end_date"] for p in self._closed)

    def address(self, row: Row, role: str) -> tuple[int | None, dict[str, Any] | None]:
        """(the customer's address for a role, None) or (None, the values of the one that is missing): the one the order names,
        else the customer's own. Raises Impossible."""
        known = self.addresses(row, {"bill_to": "invoice", "ship_to": "delivery"}[role])
        wanted = next((one for one in row["addresses"] or () if one["role"] == role), None)
        if wanted is None:
            return (known[0]["id"], None) if known else (None, None)
        values = address_values(wanted, self._context.places)
        place = {name: values[name] for name in _PLACE}
        for one in known:
            if all((one[name] or None) == (place[name] or None) for name in _PLACE):
                return one["id"], None
        return None, {"party": self.party(row)["id"], **place}

    def learn(self, row: Row, made: Row) -> None:
        """An address was made for the order's customer."""
        parties = self._parties[row["legal_entity"]]
        own = [*(parties[made["party"]]["addresses."] or ()), {**made, "invoice": False, "delivery": False}]
        parties[made["party"]] = {**parties[made["party"]], "addresses.": own}

    def _mapped(self, rule: list[Row], tax: Row, here: int | None, there: int | None) -> list[int]:
        today = self._client.clock.date()
        for line in rule:
            if line["origin_tax"] not in (None, tax["id"]) or line["group"] not in (None, tax["group"]):
                continue
            if line["from_country"] not in (None, here) or line["to_country"] not in (None, there):
                continue
            if (line["start_date"] or today) > today or (line["end_date"] or today) < today:
                continue
            origin = [tax["id"]] if line["keep_origin"] else []
            return [line["tax"], *origin] if line["tax"] else []
        return [tax["id"]]
