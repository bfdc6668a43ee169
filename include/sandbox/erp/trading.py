"""A business day in the ERP: what operations and finance do with the orders that Accord sent.

Every function finds its order or invoice by what people call it, does the next thing to it, and says what came of it.
Operations ship, finance posts, receives and credits: each under its own login.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.erp.lookups import NothingToDo, in_company_of, only, rows
from sandbox.erp.rpc import Client
from sandbox.erp.server import Erp
from sandbox.erp.statements import Receipt, receive


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Operations and finance at work in one ERP; ``Day.of(erp)`` logs both in."""

    operations: Client
    finance: Client

    @classmethod
    def of(cls, erp: Erp) -> Day:
        """The day's two logins. Raises TrytonError when the ERP refuses one."""
        return cls(operations=erp.client("operations"), finance=erp.client("finance"))

    def process(self, reference: str) -> str:
        """Process the order, if it was only confirmed; its state then."""
        sale = self._sale(reference)
        if sale["state"] == "confirmed":
            in_company_of(self.operations, sale, "sale.sale.process", [sale["id"]])
        return str(self._sale(reference)["state"])

    def ship(
        self,
        reference: str,
        quantities: Mapping[str, float] | None = None,
        *,
        tracking: str | None = None,
        deliver: bool = False,
    ) -> str:
        """Send the order's waiting shipment; what is not sent waits in a new one (the back-order).

        Args:
            reference: the order's number, or whose it is elsewhere.
            quantities: by product code, how much goes; what is not named stays. Without it: whatever is in stock.
            tracking: the carrier's number.
            deliver: it also arrived.

        Returns:
            The shipment's number.

        Raises:
            NothingToDo: nothing waits, or nothing of it is in stock.
        """
        sale = self._sale(reference)
        shipment = self._waiting(sale)
        moves = rows(
            self.operations, "stock.move", [("id", "in", shipment["inventory_moves"])], ["product.code", "quantity"]
        )
        if quantities is not None:
            self._reduce(sale, moves, dict(quantities))
        in_company_of(self.operations, sale, "stock.shipment.out.assign_try", [shipment["id"]])
        short = [("shipment", "=", f"stock.shipment.out,{shipment['id']}"), ("state", "=", "draft")]
        inside = [*short, ("to_location.type", "=", "storage"), ("id", "in", self._inventory(shipment["id"]))]
        missing = rows(self.operations, "stock.move", inside, [])
        if missing:  # short of stock: the rest waits for the next one
            if len(missing) == len(self._inventory(shipment["id"])):
                raise NothingToDo(f"nothing of {shipment['number']} is in stock")
            self.operations.call("model.stock.move.delete", [move["id"] for move in missing])
            in_company_of(self.operations, sale, "stock.shipment.out.assign_try", [shipment["id"]])
        carrier = rows(self.operations, "carrier", [("party", "=", sale["company."]["party"])], [])[0]["id"]
        self.operations.call(
            "model.stock.shipment.out.write", [shipment["id"]], {"carrier": carrier, "shipping_reference": tracking}
        )
        for step in ("pick", "pack", "ship", *(["do"] if deliver else [])):
            in_company_of(self.operations, sale, f"stock.shipment.out.{step}", [shipment["id"]])
        return str(shipment["number"])

    def deliver(self, shipment: str) -> None:
        """The shipment of that number arrived. Raises NothingToDo when it was not on its way."""
        found = rows(self.operations, "stock.shipment.out", [("number", "=", shipment)], ["state", "company"])
        if not found or found[0]["state"] != "shipped":
            raise NothingToDo(f"{shipment} is not on its way")
        in_company_of(self.operations, found[0], "stock.shipment.out.do", [found[0]["id"]])

    def invoice(self, reference: str, day: dt.date | None = None) -> list[str]:
        """Post what there is to invoice of the order; the numbers given, none when there was nothing.

        Args:
            day: the invoice's date; today when not given.

        Raises:
            TrytonError: the period is closed, or a line lacks the taxes Tryton expects (`UserWarning`).
        """
        sale = self._sale(reference)
        drafts = [("id", "in", sale["invoices"]), ("state", "=", "draft")]
        ids = [row["id"] for row in rows(self.finance, "account.invoice", drafts, [])]
        if not ids:
            return []
        self.finance.call("model.account.invoice.write", ids, {"invoice_date": day})  # also undoes an earlier refusal's
        in_company_of(self.finance, sale, "account.invoice.post", ids)
        return [row["number"] for row in rows(self.finance, "account.invoice", [("id", "in", ids)], ["number"])]

    def receive(
        self,
        customer: str,
        amount: Decimal,
        invoices: Mapping[str, Decimal],
        *,
        number: str,
        entity: str = "NL01",
        currency: str | None = None,
    ) -> Decimal:
        """A payment arrives on the company's bank account; twice the same number is one.

        Args:
            customer: the customer's code.
            amount: what came, in the account's currency.
            invoices: how much of it is for which invoice, by number; the rest is kept unapplied.
            number: the bank's number of the payment.
            entity: the code of the company whose bank it is.
            currency: of the bank account, which must be the invoices'; the company's own when not given.

        Returns:
            What stays unapplied.

        Raises:
            NothingToDo: the customer, the company or an invoice is not there.
        """
        receipt = Receipt(number=number, customer=customer, amount=amount, invoices=invoices)
        receive(self.finance, [receipt], entity=entity, currency=currency)
        return receipt.unapplied

    def apply(self, number: str, invoice: str, *, entity: str = "NL01") -> Decimal:
        """What a payment left unapplied goes to an invoice, as a whole; the amount.

        Raises:
            NothingToDo: the payment or the invoice is not there, nothing is unapplied, or the invoice asks for less.
        """
        company = only(self.finance, "company.company", [("party.code", "=", entity)], [])["id"]
        mine = [("company", "=", company), ("state", "=", "posted")]
        fields = ["amount_to_pay", "lines_to_pay", "payment_lines"]
        found = only(self.finance, "account.invoice", [("number", "=", invoice), *mine], fields)
        rest = [("number", "=", number), ("statement.company", "=", company), ("related_to", "=", None)]
        kept = only(self.finance, "account.statement.line", rest, ["move", "amount"])
        free = [("move", "=", kept["move"]), ("origin", "=", f"account.statement.line,{kept['id']}")]
        line = only(self.finance, "account.move.line", free, ["invoice_payments"])
        if line["invoice_payments"] or kept["amount"] > found["amount_to_pay"]:
            raise NothingToDo(f"payment {number} has nothing left, or {invoice} asks for less")
        given = {"payment_lines": [("add", [line["id"]])]}
        self.finance.call("model.account.invoice.write", [found["id"]], given, context={"company": company})
        if kept["amount"] == found["amount_to_pay"]:
            lines = [*found["lines_to_pay"], *found["payment_lines"], line["id"]]
            context = {
                "active_model": "account.move.line", "active_id": lines[0], "active_ids": lines, "company": company,
            }  # fmt: skip
            wizard = "wizard.account.move.reconcile_lines"
            session = self.finance.call(f"{wizard}.create")[0]
            self.finance.call(f"{wizard}.execute", session, {}, "start", context=context)
            self.finance.call(f"{wizard}.delete", session)
        return Decimal(kept["amount"])

    def take_back(self, reference: str, quantities: Mapping[str, float]) -> tuple[str, list[str]]:
        """The customer sends goods back: a return order, received in the warehouse, credited by finance.

        Args:
            quantities: by product code, how much comes back.

        Returns:
            The return order's number, and the numbers of the credit notes.
        """
        sale = self._sale(reference)
        wizard = "wizard.sale.return_sale"
        context = {"active_model": "sale.sale", "active_id": sale["id"], "active_ids": [sale["id"]]}
        session = self.operations.call(f"{wizard}.create")[0]
        answer = self.operations.call(f"{wizard}.execute", session, {}, "return_", context=context)
        self.operations.call(f"{wizard}.delete", session)
        made = answer["actions"][0][1]["res_id"][0]
        drop, words = [], []
        for line in rows(self.operations, "sale.line", [("sale", "=", made)], ["product.code", "quantity"]):
            back = quantities.get((line["product."] or {}).get("code", ""))
            if back:
                words += [[line["id"]], {"quantity": -back}]
            else:
                drop.append(line["id"])
        if drop:
            self.operations.call("model.sale.line.delete", drop)
        self.operations.call("model.sale.line.write", *words)
        for step in ("quote", "confirm"):
            in_company_of(self.operations, sale, f"sale.sale.{step}", [made])
        back_sale = rows(self.operations, "sale.sale", [("id", "=", made)], ["number", "shipment_returns"])[0]
        for step in ("receive", "do"):
            if back_sale["shipment_returns"]:
                in_company_of(self.operations, sale, f"stock.shipment.out.return.{step}", back_sale["shipment_returns"])
        return str(back_sale["number"]), self.invoice(str(back_sale["number"]))

    def credit(self, invoice: str, *, entity: str = "NL01") -> str:
        """Credit a whole posted invoice, which then counts as settled; the credit note's number.

        Raises:
            NothingToDo: there is no such invoice, or it is not open.
        """
        company = only(self.finance, "company.company", [("party.code", "=", entity)], [])
        mine = [("number", "=", invoice), ("company", "=", company["id"]), ("state", "=", "posted")]
        found = only(self.finance, "account.invoice", mine, ["company"])
        context = {
            "active_model": "account.invoice", "active_id": found["id"], "active_ids": [found["id"]], "company": company["id"],
        }  # fmt: skip
        wizard = "wizard.account.invoice.credit"
        session = self.finance.call(f"{wizard}.create")[0]
        start = {"start": {"with_refund": True, "with_refund_allowed": True, "invoice_date": None}}
        answer = self.finance.call(f"{wizard}.execute", session, start, "credit", context=context)
        self.finance.call(f"{wizard}.delete", session)
        made = answer["actions"][0][1]["res_id"]
        return str(rows(self.finance, "account.invoice", [("id", "in", made)], ["number"])[0]["number"])

    def bill_subscriptions(self, day: dt.date, *, entity: str = "NL01") -> None:
        """Consume and invoice what subscriptions have come to until the day; the invoices are drafts for finance.

        Raises:
            NothingToDo: there is no such company.
        """
        company = only(self.operations, "company.company", [("party.code", "=", entity)], [])["id"]
        start = {"start": {"date": day, "companies": [company]}}
        for wizard in ("sale.subscription.line.consumption.create", "sale.subscription.create_invoice"):
            session = self.operations.call(f"wizard.{wizard}.create")[0]
            self.operations.call(f"wizard.{wizard}.execute", session, start, "create_", context={"company": company})
            self.operations.call(f"wizard.{wizard}.delete", session)

    def invoice_contract(self, reference: str) -> list[str]:
        """Post what was billed of a contract (see `bill_subscriptions`), as of today; the numbers given, none when there was nothing.

        Raises NothingToDo when there is no such contract.
        """
        contract = [("reference", "=", reference), ("state", "in", ["running", "closed"])]
        found = only(self.operations, "sale.subscription", contract, ["company"])
        billed = [("line.subscription", "=", found["id"]), ("invoice_line.invoice.state", "=", "draft")]
        fields = ["invoice_line.invoice"]
        bills = rows(self.operations, "sale.subscription.line.consumption", billed, fields)
        ids = sorted({bill["invoice_line."]["invoice"] for bill in bills})
        if not ids:
            return []
        self.finance.call("model.account.invoice.write", ids, {"invoice_date": None})  # today where the company is
        in_company_of(self.finance, found, "account.invoice.post", ids)
        return [row["number"] for row in rows(self.finance, "account.invoice", [("id", "in", ids)], ["number"])]

    def hold(self, customer: str, *, entity: str = "NL01", on: bool = True) -> None:
        """Put the customer on the company's credit hold, or take it off. Raises NothingToDo when it is not there."""
        party = only(self.finance, "party.party", [("code", "=", customer)], [])
        held = only(self.finance, "party.category", [("name", "=", entity), ("parent.name", "=", "Credit hold")], [])
        word = "add" if on else "remove"
        self.finance.call("model.party.party.write", [party["id"]], {"categories": [(word, [held["id"]])]})

    def _sale(self, reference: str) -> dict[str, Any]:
        domain = ["OR", ("number", "=", reference), ("reference", "=", reference)]
        fields = ["number", "state", "company", "company.party", "shipments", "invoices"]
        found = [row for row in rows(self.operations, "sale.sale", domain, fields) if row["state"] != "cancelled"]
        if not found:
            raise NothingToDo(f"there is no order {reference}")
        return found[0]

    def _waiting(self, sale: dict[str, Any]) -> dict[str, Any]:
        waits = [("id", "in", sale["shipments"]), ("state", "in", ["waiting", "assigned"])]
        found = rows(self.operations, "stock.shipment.out", waits, ["number", "state", "inventory_moves", "company"])
        if not found:
            raise NothingToDo(f"nothing of {sale['number']} waits to be sent")
        if found[0]["state"] == "assigned":
            in_company_of(self.operations, sale, "stock.shipment.out.wait", [found[0]["id"]])
            return self._waiting(sale)  # its moves are made again
        return found[0]

    def _inventory(self, shipment: int) -> list[int]:
        row = self.operations.call("model.stock.shipment.out.read", [shipment], ["inventory_moves"])[0]
        return list(row["inventory_moves"])

    def _reduce(self, sale: dict[str, Any], moves: list[dict[str, Any]], left: dict[str, float]) -> None:
        drop = []
        for move in moves:
            code = move["product."]["code"]
            goes = min(left.get(code, 0.0), move["quantity"])
            left[code] = left.get(code, 0.0) - goes
            if not goes:
                drop.append(move["id"])
            elif goes < move["quantity"]:
                self.operations.call("model.stock.move.write", [move["id"]], {"quantity": goes})
        if len(drop) == len(moves):
            raise NothingToDo(f"none of the goods named waits in {sale['number']}")
        if drop:
            self.operations.call("model.stock.move.delete", drop)
