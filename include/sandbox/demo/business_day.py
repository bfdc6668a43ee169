"""A day at work in both ERPs: some orders are shipped, most of these billed, some paid, a few come back in part.

What becomes of an order follows from its reference, and each step is done once: a second day finds nothing left to do.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

import psycopg
from psycopg.rows import dict_row

from sandbox.erp import many
from sandbox.erp.lookups import rows
from sandbox.erp.server import Erp
from sandbox.erp.statements import Receipt, receive
from sandbox.erp.trading import Day

AT_ONCE = 25  # orders shipped in a call: more take Tryton longer each
SIDES = 20
SHIPPED, PARTLY, BILLED, PAID, RETURNED = 4, 1, 3, 2, 1  # of SIDES orders: shipping takes Tryton longest


def _dice(reference: str) -> int:
    """0 … SIDES - 1, always the same for an order."""
    return hashlib.blake2b(reference.encode(), digest_size=4).digest()[0] % SIDES


def told(done: Counter[str]) -> str:
    """What the day brought, in words."""
    return ", ".join(f"{count} {what}" for what, count in done.items()) or "nothing left to do"


def in_tryton(erp: Erp) -> Counter[str]:
    """Ship, bill and receive for the orders that Accord sent. Raises TrytonError when the ERP refuses a login."""
    day, done = Day.of(erp), Counter[str]()
    fields = ["reference", "company", "company.party", "company.party.code", "shipments", "shipment_state"]
    ours = [("reference", "like", "salesforce:%"), ("state", "=", "processing")]
    by_company = groupby(
        sorted(rows(day.operations, "sale.sale", ours, fields), key=itemgetter("company")), itemgetter("company")
    )
    for _, group in by_company:  # one after the other: Tryton locks whole tables
        sales = _of(group, SHIPPED)
        for start in range(0, len(sales), AT_ONCE):
            _work(day, sales[start : start + AT_ONCE], done)
    done["invoices of contracts"] += _bill(day)
    return +done


def _work(day: Day, sales: Sequence[many.Row], done: Counter[str]) -> None:
    """Ship, bill and receive for some orders of one company that go today."""
    entity = sales[0]["company."]["party."]["code"]
    tracking = {str(sale["reference"]): f"TRK{sale['reference'][-8:]}" for sale in sales}
    unsent = [sale for sale in sales if sale["shipment_state"] == "waiting"]
    done["shipments"] += many.ship(day, unsent, tracking)
    posted = many.invoice(day, _of(sales, BILLED))
    done["invoices"] += len(posted)
    receipts: dict[str, list[Receipt]] = {}
    for invoice in posted:
        dice = _dice(invoice["sale"])
        if dice < PAID:
            receipts.setdefault(invoice["currency."]["code"], []).append(_receipt(invoice, half=dice == 0))
    for currency, some in receipts.items():
        done["payments"] += receive(day.finance, some, entity=entity, currency=currency)


def _of(sales: Iterable[many.Row], share: int) -> list[many.Row]:
    return [sale for sale in sales if _dice(str(sale["reference"])) < share]


def _receipt(invoice: many.Row, *, half: bool) -> Receipt:
    amount = Decimal(str(invoice["amount_to_pay"]))
    paid = (amount / 2).quantize(Decimal("0.01")) if half else amount
    number, customer = str(invoice["number"]), str(invoice["party."]["code"])
    return Receipt(number=f"BANK-{number}", customer=customer, amount=paid, invoices={number: paid})


def _bill(day: Day) -> int:
    """Finance bills what the contracts have come to; the number of invoices."""
    contracts = rows(
        day.operations, "sale.subscription", [("reference", "like", "salesforce:%"), ("state", "=", "running")],
        ["reference", "company.party.code"],
    )  # fmt: skip
    for entity in sorted({one["company."]["party."]["code"] for one in contracts}):
        day.bill_subscriptions(dt.datetime.now(tz=dt.UTC).date(), entity=entity)
    return sum(len(day.invoice_contract(one["reference"])) for one in contracts)


def in_legacy(dsn: str) -> Counter[str]:
    """The same in the legacy ERP, by its own procedures."""
    done = Counter[str]()
    with psycopg.connect(dsn, row_factory=dict_row, autocommit=True) as erp:
        orders = erp.execute(
            "SELECT order_number, external_ref, customer_number, company, status FROM outbound.sales_order ORDER BY order_number"
        ).fetchall()
        for order in orders:
            dice = _dice(order["external_ref"])
            if order["status"] == "Accepted" and dice < SHIPPED:
                quantities = _part_of(erp, order["order_number"]) if dice == PARTLY else None
                shipment = _call(
                    erp, "SELECT erp.ship(%s, %s::jsonb, %s) AS made", order["order_number"], quantities, f"TRK{dice}"
                )
                done["shipments"] += shipment is not None
            if dice >= BILLED:
                continue
            invoice = _call(erp, "SELECT erp.invoice(%s) AS made", order["order_number"])
            if invoice is None:
                continue
            done["invoices"] += 1
            if dice < PAID:
                _pay(erp, order, invoice, half=dice == 0)
                done["payments"] += 1
            if dice == RETURNED:
                done["credit memos"] += _credit(erp, invoice)
        for row in erp.execute("SELECT agreement_number FROM outbound.agreement ORDER BY agreement_number").fetchall():
            done["invoices of contracts"] += (
                _call(erp, "SELECT erp.bill(%s) AS made", row["agreement_number"]) is not None
            )
    return +done


def _part_of(erp: psycopg.Connection[dict[str, object]], order: str) -> str:
    lines = erp.execute(
        "SELECT line_ref, quantity FROM erp.sales_order_line WHERE order_number = %s AND NOT cancelled ORDER BY line_ref",
        (order,),
    ).fetchall()
    return json.dumps({str(line["line_ref"]): 1 for line in lines[:1]})


def _pay(erp: psycopg.Connection[dict[str, object]], order: dict[str, object], invoice: str, *, half: bool) -> None:
    document = erp.execute("SELECT open_balance FROM erp.document WHERE document_number = %s", (invoice,)).fetchone()
    assert document is not None  # noqa: S101 - it was made a moment ago
    amount = Decimal(str(document["open_balance"]))
    share = (amount / 2).quantize(Decimal("0.01")) if half else amount
    erp.execute(
        "SELECT erp.receive(%s, %s, %s, %s, %s::jsonb)",
        (f"BANK-{invoice}", order["company"], order["customer_number"], share, json.dumps({invoice: str(share)})),
    )


def _credit(erp: psycopg.Connection[dict[str, object]], invoice: str) -> int:
    lines = erp.execute(
        "SELECT line_ref FROM erp.document_line WHERE document_number = %s AND quantity >= 1 ORDER BY line_ref LIMIT 1",
        (invoice,),
    ).fetchall()
    if not lines:
        return 0
    quantities = json.dumps({str(lines[0]["line_ref"]): 1})
    return int(
        _call(erp, "SELECT erp.credit(%s, %s::jsonb, %s) AS made", invoice, quantities, "Arrived damaged") is not None
    )


def _call(erp: psycopg.Connection[dict[str, object]], statement: str, *values: object) -> str | None:
    """The number a procedure gives; None where it had nothing to do."""
    try:
        row = erp.execute(statement.encode(), values).fetchone()
    except psycopg.errors.RaiseException:
        return None
    return None if row is None or row["made"] is None else str(row["made"])
