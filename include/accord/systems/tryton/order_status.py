"""What became of the orders that came from Salesforce: the sales whose reference is an order's key, by what changed when.

A sale's own stamp moves only with its own states, so an order changes with its moves, shipments, invoices and amendments too.
A sale that has no number yet says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from accord.objects.definition import BusinessObject
from accord.ports import Selection, Sink
from accord.systems import erp_rows
from accord.systems.erp import SourceHandler
from accord.systems.tryton.context import Context
from accord.systems.tryton.draft_then_commit import kept
from accord.systems.tryton.order.reading import Sales
from accord.systems.tryton.order.sale import Line, Sale
from accord.systems.tryton.reading import paged, slices, window_of

_AT_ONCE = 200  # orders with all that belongs to them in one call
_ORDERS = ["reference", "like", "salesforce:%"]
# whatever moves when an order does
_PATHS = ("", "amendments.", "lines.moves.", "lines.components.moves.", "shipments.", "invoices.")

# (state, shipments, invoices) of a sale → the status of its order; None is any, the first that fits counts. Shipments count as
# sent once they left, which Tryton says of the sale only when they arrived; invoices count once everything is invoiced; a sale of
# which nothing is left is "void".
STATES: tuple[tuple[str, str | None, str | None, str], ...] = (
    ("cancelled", None, None, "Cancelled"),
    ("void", None, None, "Cancelled"),
    ("draft", None, None, "On Hold"),
    ("quotation", None, None, "On Hold"),
    ("confirmed", None, None, "Accepted"),
    ("done", None, None, "Paid"),
    ("processing", "exception", None, "On Hold"),
    ("processing", None, "exception", "On Hold"),
    ("processing", "waiting", None, "Accepted"),
    ("processing", "partially shipped", None, "In Fulfilment"),
    ("processing", "none", "none", "Accepted"),
    ("processing", "none", "pending", "Accepted"),
    ("processing", "sent", "none", "Shipped"),
    ("processing", "sent", "pending", "Shipped"),
    ("processing", None, "awaiting payment", "Invoiced"),
    ("processing", None, "partially paid", "Invoiced"),
    ("processing", None, "paid", "Paid"),
)
REASONS = {
    "draft": "The ERP took it back for a correction.",
    "quotation": "It waits in the ERP for finance: credit limit, or an approval.",
    "processing": "A shipment or an invoice of it needs a decision in the ERP.",
}

_PLACES = {
    "number": "sale.sale.number",
    "status": "sale.sale state / shipment_state / invoice_state: "
    + "; ".join(f"{' / '.join(s or 'any' for s in found)} is {status}" for *found, status in STATES),
    "reason": "derived from status",
    "promised_date": "sale.line.shipping_date, the latest",
    "booked_date": "sale.sale.sale_date",
    "currency": "sale.sale.currency.code",
    "total": "sale.sale.total_amount",
    "tax": "sale.sale.tax_amount",
    "lines.id": "sale.line.note",
    "lines.status": "derived from shipped, invoiced and the order's status",
    "lines.promised_date": "sale.line.shipping_date",
    "lines.shipped": "stock.move.quantity (done, or its shipment shipped)",
    "lines.back_ordered": "stock.move.quantity (waiting, while another shipment of the order left)",
    "lines.invoiced": "account.invoice.line.quantity (posted, paid)",
}


class OrderStatuses(SourceHandler[Context]):
    """Reads them."""

    places = _PLACES
    needs: ClassVar = {
        **dict.fromkeys(("sale.sale", "sale.line", "sale.amendment", "stock.move"), ("read",)),
        **dict.fromkeys(("stock.shipment.out", "account.invoice", "account.invoice.line"), ("read",)),
    }

    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        """By Tryton's clock."""
        client, sales = self._context.client, Sales(self._context)
        sales.books()  # a call, for the clock
        read_at = client.clock
        if selection.natives is not None:
            keys = sorted(set(selection.natives))
        else:
            window = [window_of(selection, path) for path in _PATHS]
            domain = [_ORDERS, ["OR", *window]] if any(window) else [_ORDERS]
            keys = sorted({row["reference"] for row in paged(client, "sale.sale", domain, ["reference"])})
        sink.expect(len(keys))
        for some in slices(keys, _AT_ONCE):
            found: dict[str, list[Sale]] = {}
            for sale in sales.read([_ORDERS, ["reference", "in", some]]):
                found.setdefault(sale.key, []).append(sale)
            rows = [row for sales_of_key in found.values() for row in _status(sales_of_key)]
            erp_rows.write(sink, definition, self.not_read, rows, selection)
        return read_at


def status_of(sale: Sale) -> str:
    """The order's status, by STATES. Raises LookupError for a combination nobody declared."""
    state = "void" if sale.accepted and sale.void else sale.state
    have = (state, _shipping(sale), _invoicing(sale))
    for *wanted, status in STATES:
        if all(one in (None, two) for one, two in zip(wanted, have, strict=True)):
            return status
    raise LookupError(f"a sale that is {' / '.join(have)} has no status; declare one in {__name__}.STATES")


def _status(sales: Iterable[Sale]) -> list[dict[str, Any]]:
    """The order's row, none while it has no number."""
    sales = list(sales)
    sale = kept(sales)
    if sale is None or sale.row["number"] is None:
        return []
    row, status = sale.row, status_of(sale)
    stamps = [one.row["last_modified_at"] for one in sales]
    stamps += [
        part["last_modified_at"] for one in ("shipments.", "invoices.", "amendments.") for part in row[one] or ()
    ]
    stamps += [move["last_modified_at"] for line in row["lines."] or () for move in _moves(line)]
    promised = [line.row["shipping_date"] for line in sale.lines if line.quantity and line.row["shipping_date"]]
    return [
        {
            "native": sale.key,
            "modified": max(stamps),
            "gone": False,
            "number": row["number"],
            "status": status,
            "reason": REASONS.get(sale.state) if status == "On Hold" else None,
            "promised_date": max(promised, default=None),
            "booked_date": row["sale_date"],
            "currency": row["currency."]["code"],
            "total": row["total_amount"],
            "tax": row["tax_amount"],
            "lines": [_line(line, status) for line in sale.ours.values()],
        }
    ]


def _line(line: Line, status: str) -> dict[str, Any]:
    moved = line.progress
    return {
        "id": line.id,
        "status": _line_status(line, status),
        "promised_date": line.row["shipping_date"] if line.quantity else None,
        "shipped": moved.shipped,
        "back_ordered": moved.back_ordered,
        "invoiced": moved.invoiced,
    }


def _line_status(line: Line, status: str) -> str:
    """The order's, as far as it holds for all lines; else what became of this one."""
    moved = line.progress
    if not line.quantity or status == "Cancelled":
        return "Cancelled"
    if status in ("Paid", "On Hold"):
        return status
    if moved.invoiced >= line.quantity:
        return "Invoiced"
    if moved.shipped >= line.quantity:
        return "Shipped"
    return "In Fulfilment" if moved.left > 0 else "Accepted"


def _shipping(sale: Sale) -> str:
    """The sale's shipment state, as far as shipments that left have not arrived."""
    state = str(sale.row["shipment_state"])
    goods = [line for line in sale.lines if line.quantity > 0 and line.row["shipping_date"]]
    if state not in ("waiting", "partially shipped") or not goods:
        return state
    if all(line.progress.shipped >= line.quantity for line in goods):
        return "sent"
    return "partially shipped" if any(line.progress.left > 0 for line in goods) else state


def _invoicing(sale: Sale) -> str:
    """The sale's invoice state, which tells of the invoices there are, once everything is invoiced."""
    state = str(sale.row["invoice_state"])
    if state in ("awaiting payment", "partially paid", "paid"):
        rest = any(0 <= line.progress.invoiced < line.quantity for line in sale.lines)
        return "pending" if rest else state
    return state


def _moves(line: dict[str, Any]) -> Iterable[dict[str, Any]]:
    yield from line["moves."] or ()
    for component in line["components."] or ():
        yield from component["moves."] or ()
