"""What a document sold to a customer refers to, read once for one chunk: customers with their addresses, currencies, terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from accord.categories import Category
from accord.systems.tryton.books import Books
from accord.systems.tryton.context import Context
from accord.systems.tryton.customer.party import Impossible
from accord.systems.tryton.customer_account import HOLD_CATEGORY
from accord.systems.tryton.reading import ANY, reading, slices

_AT_ONCE = 500
_PARTY = ("active", "customer_payment_term", "categories.rec_name", "addresses.invoice", "addresses.delivery")

Row = Mapping[str, Any]


class CustomerLookups:
    """Each customer as the legal entity of its document sees it. `noun` is what people call the document, `party_fields` what else is
    read of a customer."""

    noun: ClassVar[str]
    party_fields: ClassVar[tuple[str, ...]] = ()

    def __init__(self, context: Context, books: Mapping[str, Books]) -> None:
        self._context, self._client, self.books = context, context.client, books
        self._parties: dict[str, dict[int, Row]] = {}
        self._currencies = self._by("currency.currency", "code")
        self._terms = self._by("account.invoice.payment_term", "name")

    def load(self, rows: Iterable[Row]) -> None:
        """Read the customers of `rows`, each in the company of its document."""
        by_entity: dict[str, list[Row]] = {}
        for row in rows:
            by_entity.setdefault(row["legal_entity"], []).append(row)
        for entity, some in by_entity.items():
            parties = {int(row["customer__native"]) for row in some if row["customer__native"]}
            found = self._read("party.party", parties, (*_PARTY, *self.party_fields), self.books[entity])
            self._parties.setdefault(entity, {}).update(found)
            self._load_more(entity, some)

    def _load_more(self, entity: str, rows: list[Row]) -> None:
        """Read what else the documents of one legal entity refer to."""

    def party(self, row: Row) -> Row:
        """The customer of a document. Raises Impossible when it is not there, or no longer active."""
        found = self._parties[row["legal_entity"]].get(int(row["customer__native"]))
        if found is None or not found["active"]:
            raise Impossible(Category.REFERENCE_UNKNOWN, "The ERP no longer does business with the customer.")
        return found

    def on_hold(self, row: Row) -> bool:
        """Whether finance has the customer on the legal entity's credit hold."""
        hold = HOLD_CATEGORY.format(company=self.books[row["legal_entity"]].entity.company)
        return any(category["rec_name"] == hold for category in self.party(row)["categories."] or ())

    def currency(self, code: str) -> int:
        """Raises Impossible when the ERP does not have it."""
        if code not in self._currencies:
            raise Impossible(Category.CURRENCY_MISMATCH, f"The ERP does not know the {self.noun}'s currency.")
        return self._currencies[code]

    def term(self, row: Row) -> int | None:
        """The terms of payment agreed, else the customer's own. Raises Impossible for terms the ERP does not have."""
        name = row["payment_terms"]
        if name is None:
            return self.party(row)["customer_payment_term"]  # type: ignore[no-any-return]
        if name not in self._terms:
            raise Impossible(Category.TERMS_UNKNOWN, f"The ERP does not have the {self.noun}'s terms of payment.")
        return self._terms[name]

    def addresses(self, row: Row, flag: str) -> list[Row]:
        """The customer's addresses, those for `flag` (invoice, delivery) first."""
        return sorted(self.party(row)["addresses."] or (), key=lambda one: (not one[flag], one["id"]))

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
