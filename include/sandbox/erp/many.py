"""A day's orders of one company at once: what Day does to one, one call per step for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.erp.lookups import NothingToDo, rows
from sandbox.erp.rpc import Client
from sandbox.erp.trading import Day

Row = dict[str, Any]


def ship(day: Day, sales: Sequence[Row], tracking: Mapping[str, str]) -> int:
    """Deliver what is in stock of these orders; the rest of an order waits in a new shipment. The number of shipments.

    Args:
        sales: of one company: reference, company, company.party, shipments.
        tracking: the carrier's number by order reference.
    """
    whose = {number: str(sale["reference"]) for sale in sales for number in sale["shipments"]}
    waiting = rows(day.operations, "stock.shipment.out", [("id", "in", list(whose)), ("state", "=", "waiting")], [])
    if not waiting:
        return 0
    reference = {row["id"]: whose[row["id"]] for row in waiting}
    call = _calling(day.operations, "stock.shipment.out", {"company": sales[0]["company"]})
    call("assign_try", list(reference))
    ready = rows(day.operations, "stock.shipment.out", [("id", "in", list(reference)), ("state", "=", "assigned")], [])
    ids = [row["id"] for row in ready]
    if ids:
        (carrier, *_) = rows(day.operations, "carrier", [("party", "=", sales[0]["company."]["party"])], [])
        written: list[Any] = []
        for shipment in ids:
            written += [[shipment], {"carrier": carrier["id"], "shipping_reference": tracking[reference[shipment]]}]
        call("write", *written)
        for step in ("pick", "pack", "ship", "do"):
            call(step, ids)
    short = [order for shipment, order in reference.items() if shipment not in set(ids)]
    return len(ids) + sum(_ship_some(day, order, tracking[order]) for order in short)


def _ship_some(day: Day, reference: str, tracking: str) -> bool:
    try:
        day.ship(reference, tracking=tracking, deliver=True)
    except NothingToDo:
        return False
    return True


def invoice(day: Day, sales: Sequence[Row]) -> list[Row]:
    """Post what there is to invoice of these orders (of one company: id, company), by now: what is shipped makes an invoice. The
    invoices posted, with number, amount_to_pay, currency, party, and the order's reference as `sale`."""
    by_now = rows(
        day.operations, "sale.sale", [("id", "in", [sale["id"] for sale in sales])], ["reference", "invoices"]
    )
    whose = {number: str(sale["reference"]) for sale in by_now for number in sale["invoices"]}
    drafts = [("id", "in", list(whose)), ("state", "=", "draft")]
    ids = [row["id"] for row in rows(day.finance, "account.invoice", drafts, [])]
    if not ids:
        return []
    call = _calling(day.finance, "account.invoice", {"company": sales[0]["company"]})
    call("write", ids, {"invoice_date": None})
    call("post", ids)
    fields = ["number", "amount_to_pay", "currency.code", "party.code"]
    posted = rows(day.finance, "account.invoice", [("id", "in", ids)], fields)
    return [{**row, "sale": whose[row["id"]]} for row in posted]


def _calling(client: Client, model: str, context: dict[str, Any]) -> Any:
    return lambda method, *arguments: client.call(f"model.{model}.{method}", *arguments, context=context)
