"""What a sale refers to: customers with their addresses and taxes, products, currencies, terms, warehouses, closed periods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from accord.categories import Category
from accord.systems.tryton.books import Books
from accord.systems.tryton.context import Context
from accord.systems.tryton.customer.party import Impossible, address_values
from accord.systems.tryton.customer_account import HOLD_CATEGORY
from accord.systems.tryton.order.mapping import WAREHOUSES
from accord.systems.tryton.reading import ANY, reading, slices

_AT_ONCE = 500
_PLACE = ("street", "city", "postal_code", "country", "subdivision")
_PARTY = (
    "active", "customer_tax_rule", "customer_payment_term", "categories.rec_name", "addresses.invoice",
    "addresses.delivery", *(f"addresses.{name}" for name in _PLACE),
)  # fmt: skip
_PRODUCT = ("active", "salable", "sale_uom", "template.account_category.customer_taxes.company",
            "template.account_category.customer_taxes.group")  # fmt: skip
_RULE = ("origin_tax", "tax", "keep_origin", "group", "from_country", "to_country", "start_date", "end_date")

Row = Mapping[str, Any]


@dataclass(slots=True)
class Found:
    """What one legal entity's orders refer to."""

    parties: dict[int, Row] = field(default_factory=dict)
    products: dict[int, Row] = field(default_factory=dict)


class Lookups:
    """What the orders of one chunk refer to, read once."""

    def __init__(self, context: Context, books: Mapping[str, Books]) -> None:
        self._context, self._client, self.books = context, context.client, books
        self._found: dict[str, Found] = {}
        self._currencies = self._by("currency.currency", "code")
        self._terms = self._by("account.invoice.payment_term", "name")
        self._warehouses = self._by("stock.location", "code", ["type", "=", "warehouse"])
        self._closed = self._all("account.period", [["state", "!=", "open"]], ["company", "start_date", "end_date"])
        rules = self._all("account.tax.rule", [], [f"lines.{name}" for name in _RULE])
        self._rules = {rule["id"]: rule["lines."] or [] for rule in rules}

    def load(self, rows: Iterable[Row]) -> None:
        """Read the customers and products of `rows`, each in the company of its order."""
        by_entity: dict[str, list[Row]] = {}
        for row in rows:
            by_entity.setdefault(row["legal_entity"], []).append(row)
        for entity, some in by_entity.items():
            found, books = self._found.setdefault(entity, Found()), self.books[entity]
            parties = {int(row["customer__native"]) for row in some if row["customer__native"]}
            products = {
                int(line["product__native"])
                for row in some
                for line in row["lines"] or ()
                if line["product__native"] and line["product__native"].isdecimal()
            }
            found.parties |= self._read("party.party", parties, _PARTY, books)
            found.products |= self._read("product.product", products, _PRODUCT, books)

    def party(self, row: Row) -> Row:
        """The customer of an order. Raises Impossible when it is not there, or no longer active."""
        found = self._found[row["legal_entity"]].parties.get(int(row["customer__native"]))
        if found is None or not found["active"]:
            raise Impossible(Category.REFERENCE_UNKNOWN, "The ERP no longer does business with the customer.")
        return found

    def on_hold(self, row: Row) -> bool:
        """Whether finance has the customer on the legal entity's credit hold."""
        hold = HOLD_CATEGORY.format(company=self.books[row["legal_entity"]].entity.company)
        return any(category["rec_name"] == hold for category in self.party(row)["categories."] or ())

    def product(self, row: Row, line: Row) -> Row:
        """The product of a line. Raises Impossible when it can't be sold."""
        found = self._found[row["legal_entity"]].products.get(int(line["product__native"] or 0))
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

    def currency(self, code: str) -> int:
        """Raises Impossible when the ERP does not have it."""
        if code not in self._currencies:
            raise Impossible(Category.CURRENCY_MISMATCH, "The ERP does not know the order's currency.")
        return self._currencies[code]

    def term(self, row: Row) -> int | None:
        """The terms of payment agreed, else the customer's own. Raises Impossible for terms the ERP does not have."""
        name = row["payment_terms"]
        if name is None:
            return self.party(row)["customer_payment_term"]  # type: ignore[no-any-return]
        if name not in self._terms:
            raise Impossible(Category.TERMS_UNKNOWN, "The ERP does not have the order's terms of payment.")
        return self._terms[name]

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
        flag = {"bill_to": "invoice", "ship_to": "delivery"}[role]
        known = sorted(self.party(row)["addresses."] or (), key=lambda one: (not one[flag], one["id"]))
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
        party = self._found[row["legal_entity"]].parties[made["party"]]
        own = [*(party["addresses."] or ()), {**made, "invoice": False, "delivery": False}]
        self._found[row["legal_entity"]].parties[made["party"]] = {**party, "addresses.": own}

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

    def _read(self, model: str, ids: set[int], fields: tuple[str, ...], books: Books) -> dict[int, Row]:
        rows: dict[int, Row] = {}
        for some in slices(sorted(ids), _AT_ONCE):
            domain = [["id", "in", some], ANY]
            search = f"model.{model}.search_read"
            read = reading(self._client, search, domain, 0, None, None, list(fields), context=books.context)
            rows |= {row["id"]: row for row in read}
        return rows

    def _by(self, model: str, name: str, *domain: Any) -> dict[str, int]:
        return {row[name]: row["id"] for row in self._all(model, list(domain), [name]) if row[name]}

    def _all(self, model: str, domain: list[Any], fields: list[str]) -> list[Row]:
        rows: list[Row] = reading(self._client, f"model.{model}.search_read", domain, 0, None, None, fields)
        return rows
