"""What a subscription refers to besides its customer: the services its products are billed as, and recurrences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accord.categories import Category
from accord.recurring import PERIODS
from accord.systems.tryton.books import Books
from accord.systems.tryton.context import Context
from accord.systems.tryton.customer.party import Impossible
from accord.systems.tryton.customer_lookups import CustomerLookups

_SERVICE = ["product", "product.active", "product.salable", "product.sale_uom"]

Row = Mapping[str, Any]


class Lookups(CustomerLookups):
    """What the contracts of one chunk refer to, read once; `recurrences` are recurrence → billing period."""

    noun = "contract"

    def __init__(self, context: Context, books: Mapping[str, Books], recurrences: Mapping[int, str]) -> None:
        super().__init__(context, books)
        self._services = {str(row["product"]): row for row in self._all("sale.subscription.service", [], _SERVICE)}
        self._recurrences = {period: native for native, period in sorted(recurrences.items(), reverse=True)}

    def service(self, line: Row) -> Row:
        """What the product of a line is billed as. Raises Impossible when it is nothing that is billed again and again."""
        found = self._services.get(line["product__native"] or "")
        if found is None:
            raise Impossible(
                Category.REFERENCE_UNKNOWN, "The ERP does not bill a product of the contract periodically."
            )
        return found

    def sold(self, line: Row) -> Row:
        """The same of a line that is new. Raises Impossible when the product is no longer sold."""
        found = self.service(line)
        if not (found["product."]["active"] and found["product."]["salable"]):
            raise Impossible(Category.NOT_SOLD, "The ERP does not sell a product of the contract any more.")
        return found

    def recurrence(self, period: str) -> int:
        """Tryton's rule for a billing period. Raises Impossible when it has none."""
        if period not in self._recurrences:
            raise Impossible(Category.REFERENCE_UNKNOWN, "The ERP has no rule for a billing period of the contract.")
        return self._recurrences[period]

    def invoice_recurrence(self, row: Row) -> int:
        """How often a contract is invoiced: as often as its most frequent line."""
        return self.recurrence(min((line["billing_period"] for line in row["lines"]), key=PERIODS.__getitem__))

    def invoice_address(self, row: Row) -> int:
        """Where the invoices go. Raises Impossible when the customer has no address."""
        known = self.addresses(row, "invoice")
        if not known:
            raise Impossible(Category.MISSING_VALUE, "The ERP needs an address of the customer for the invoices.")
        return known[0]["id"]  # type: ignore[no-any-return]
