"""Orders in Tryton as Accord leaves them, confirmed, for tests of what follows from them. Prices are the test's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from sandbox.erp.lookups import only, rows
from sandbox.erp.rpc import Client
from sandbox.erp.server import Erp
from sandbox.erp.trading import Day

WAREHOUSES = {"NL01": "RTM", "GB01": "LDS"}


@dataclass(frozen=True)
class Orders:
    """One ERP: the integration user's session, and operations and finance at work."""

    erp: Erp

    @cached_property
    def accord(self) -> Client:
        return self.erp.client("accord")

    @cached_property
    def day(self) -> Day:
        return Day.of(self.erp)

    def company(self, entity: str) -> int:
        return int(only(self.accord, "company.company", [("party.code", "=", entity)], [])["id"])

    def customer(self, code: str, *, term: str = "NET30", rule: str = "Domestic", entity: str = "NL01") -> int:
        """Finance gives the customer of that code its conditions, and no limit; its id."""
        finance, company = self.day.finance, self.company(entity)
        (party,) = rows(finance, "party.party", [("code", "=", code)], ["addresses"])
        conditions = {
            "customer_payment_term": only(finance, "account.invoice.payment_term", [("name", "=", term)], [])["id"],
            "customer_tax_rule": only(
                finance, "account.tax.rule", [("name", "=", rule), ("company", "=", company)], []
            )["id"],
        }
        finance.call("model.party.party.write", [party["id"]], conditions, context={"company": company})
        return int(party["id"])

    def sell(
        self,
        party: int,
        reference: str,
        lines: Mapping[str, tuple[float, str]] | list[tuple[str, float, str]],
        *,
        entity: str = "NL01",
    ) -> int:
        """A confirmed order of (product, quantity, price), or product → (quantity, price); its id."""
        company = self.company(entity)
        context = {"company": company}
        listed = lines if isinstance(lines, list) else [(code, *rest) for code, rest in lines.items()]
        fields = ["code", "sale_uom", "template.account_category.customer_taxes.company"]
        domain = [("code", "in", [code for code, *_ in listed])]
        products = {row["code"]: row for row in rows(self.accord, "product.product", domain, fields, company)}
        head_fields = ["addresses", "customer_payment_term"]
        (customer,) = rows(self.accord, "party.party", [("id", "=", party)], head_fields, company)
        made = [
            {
                "type": "line",
                "product": products[code]["id"],
                "quantity": quantity,
                "unit": products[code]["sale_uom"],
                "unit_price": Decimal(price),
                "taxes": [("add", taxes_of(products[code], company))],
            }
            for code, quantity, price in listed
        ]
        address = customer["addresses"][0]
        order = {
            "company": company,
            "party": party,
            "reference": reference,
            "invoice_address": address,
            "shipment_address": address,
            "currency": only(self.accord, "company.company", [("id", "=", company)], ["currency"])["currency"],
            "payment_term": customer["customer_payment_term"],
            "warehouse": only(self.accord, "stock.location", [("code", "=", WAREHOUSES[entity])], [])["id"],
            "lines": [("create", made)],
        }
        (sale,) = self.accord.call("model.sale.sale.create", [order], context=context)
        for step in ("quote", "confirm"):
            self.accord.call(f"model.sale.sale.{step}", [sale], context=context)
        return int(sale)

    def reschedule(self, invoice: str, day: Any) -> None:
        """Finance agrees another due date of a posted document."""
        (found,) = rows(self.day.finance, "account.invoice", [("number", "=", invoice)], ["lines_to_pay"])
        self.day.finance.call("model.account.move.line.write", found["lines_to_pay"], {"maturity_date": day})

    def take_money_back(self, move: int) -> None:
        """A payment bounces: finance cancels its move."""
        wizard = "wizard.account.move.cancel"
        session = self.day.finance.call(f"{wizard}.create")[0]
        context = {"active_model": "account.move", "active_id": move, "active_ids": [move]}
        start = {"default": {"description": "bounced", "reversal": True}}
        self.day.finance.call(f"{wizard}.execute", session, start, "cancel", context=context)
        self.day.finance.call(f"{wizard}.delete", session)


def taxes_of(product: dict[str, Any], company: int) -> list[int]:
    """The company's own of what the product is taxed with."""
    taxes = product["template."]["account_category."]["customer_taxes."]
    return [tax["id"] for tax in taxes if tax["company"] == company]
