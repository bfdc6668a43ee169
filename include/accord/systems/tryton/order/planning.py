"""What to ask of Tryton: a new sale, or the changes that make an accepted one what the order has become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from accord.categories import Category
from accord.systems.results import Outcome
from accord.systems.tryton.customer.party import Impossible
from accord.systems.tryton.order.lookups import Lookups
from accord.systems.tryton.order.mapping import FIXED
from accord.systems.tryton.order.sale import Line, Sale, comment_of, from_comment
from accord.systems.tryton.sending import reject

Row = Mapping[str, Any]
Values = dict[str, Any]

UNDO = "Agree a return or a credit note with finance."


@dataclass(slots=True, kw_only=True)
class Change:
    """What differs between a sale and its order. `refusal` says why it can't be made; nothing is then changed at all."""

    actions: list[Values] = field(default_factory=list)  # lines of an amendment
    comment: str | None = None
    refusal: Outcome | None = None

    def __bool__(self) -> bool:
        return bool(self.actions or self.comment is not None or self.refusal)


def creation(row: Row, look: Lookups) -> Values:
    """The values of a new sale for an order (collapsed). Raises Impossible."""
    books = look.books[row["legal_entity"]]
    if not row["lines"]:
        raise Impossible(Category.MISSING_VALUE, "Every line of the order is cancelled: there is nothing to order.")
    if look.closed(row["legal_entity"], row["order_date"]):
        raise Impossible(Category.CLOSED_PERIOD, "The order's date lies in a closed period of the ERP.")
    ship_to = next((one["country"] for one in row["addresses"] or () if one["role"] == "ship_to"), None)
    country = look.country(ship_to)
    lines = []
    for line in row["lines"]:
        product = look.product(row, line)
        lines.append(
            {
                "type": "line",
                "product": product["id"],
                "quantity": float(line["quantity"]),
                "unit": product["sale_uom"],
                "unit_price": plain(line["unit_price"]),
                "base_price": plain(line["list_price"]),
                "description": line["description"],
                "note": line["id"],
                "taxes": [["add", look.taxes(row, product, country)]],
            }
        )
    return {
        "company": books.company,
        "party": look.party(row)["id"],
        "reference": row["key"],
        "comment": comment_of(row["number"], row["customer_reference"]),
        "invoice_address": look.address(row, "bill_to")[0],
        "shipment_address": look.address(row, "ship_to")[0],
        "currency": look.currency(row["currency"]),
        "payment_term": look.term(row),
        "warehouse": look.warehouse(row["legal_entity"]),
        "sale_date": row["order_date"],
        "shipping_date": row["requested_date"],
        "lines": [["create", lines]],
    }


def change(row: Row, sale: Sale, look: Lookups) -> Change:
    """What makes `sale` what the order (collapsed) asks for. Raises Impossible."""
    found = Change()
    if names := _fixed(row, sale, look):
        said = f"The ERP can't change {' and '.join(names)} of an accepted order."
        found.refusal = reject(Category.ORDER_FIXED, f"{said} Undo the change, or cancel the order and place it again.")
        return found
    wanted = {line["id"]: line for line in row["lines"] or ()}
    if wanted.keys() - sale.ours.keys():
        said = "The ERP can't add lines to an accepted order."
        found.refusal = reject(Category.ORDER_FIXED, f"{said} Order what is new with an order of its own.")
        return found
    for identity, held in sale.ours.items():
        action, refusal = _line(wanted.get(identity), held)
        found.refusal = found.refusal or refusal
        if action:
            found.actions.append(action)
    if row["payment_terms"] is not None and look.term(row) != sale.row["payment_term"]:
        found.actions.append({"action": "payment_term", "payment_term": look.term(row)})
    places = [(role, name, look.address(row, role)[0]) for role, name in _ROLES if _named(row, role)]
    if any(place != sale.row[name] for _, name, place in places):
        now = {name: sale.row[name] for _, name in _ROLES} | {name: place for _, name, place in places}
        found.actions.append({"action": "party", "party": sale.row["party"], **now})
    comment = comment_of(row["number"], row["customer_reference"])
    below = (sale.row["comment"] or "").split("\n")
    own = comment_of(*from_comment(sale.row["comment"]))
    if comment != own:
        rest = [line for line in below if line not in own.split("\n")]
        found.comment = "\n".join([comment, *rest])
    return found


def cancellation(sale: Sale) -> Change:
    """What leaves nothing of an accepted sale."""
    if any(line.progress.settled > 0 for line in sale.lines):
        left = any(line.progress.left > 0 for line in sale.lines)
        what = "shipped" if left else "invoiced"
        said = f"Part of the order is already {what}: it can't be cancelled any more."
        return Change(refusal=reject(Category.ALREADY_FULFILLED, f"{said} {UNDO}", str(sale.native)))
    return Change(actions=[_action(line, Decimal(0), line.row["unit_price"]) for line in sale.lines if line.quantity])


def plain(price: Decimal | None) -> Decimal | None:
    """A price as Tryton takes it: at most four digits after the point, no more than it has."""
    return None if price is None else price.quantize(Decimal("0.0001"))


_ROLES = (("bill_to", "invoice_address"), ("ship_to", "shipment_address"))


def _fixed(row: Row, sale: Sale, look: Lookups) -> list[str]:
    held = sale.row
    same = {
        "customer": held["party"] == int(row["customer__native"]),
        "legal_entity": held["company"] == look.books[row["legal_entity"]].company,
        "currency": held["currency."]["code"] == row["currency"],
        "order_date": held["sale_date"] == row["order_date"],
        "requested_date": held["shipping_date"] == row["requested_date"],
    }
    return [words for name, words in FIXED.items() if not same[name]]


def _line(wanted: Row | None, held: Line) -> tuple[Values | None, Outcome | None]:
    """(the amendment's action, or None; why it can't be)."""
    quantity = wanted["quantity"] if wanted else Decimal(0)
    price = wanted["unit_price"] if wanted else held.row["unit_price"]
    description = wanted["description"] if wanted else held.row["description"]
    if wanted and str(held.row["product"]) != wanted["product__native"]:
        said = "The ERP can't put another product on a line of an accepted order."
        return None, reject(Category.ORDER_FIXED, f"{said} Cancel the line and order the other product.")
    moved, dearer = quantity != held.quantity, price != held.row["unit_price"]
    if not moved and not dearer and (description or None) == (held.row["description"] or None):
        return None, None
    if quantity < held.progress.settled:
        what = "shipped" if held.progress.left >= held.progress.invoiced else "invoiced"
        said = f"More than the new quantity of a line is already {what}."
        return None, reject(Category.ALREADY_FULFILLED, f"{said} {UNDO}")
    if dearer and held.progress.invoiced > 0:
        said = "A line is already invoiced: its price can't be changed any more."
        return None, reject(Category.ALREADY_FULFILLED, f"{said} {UNDO}")
    return _action(held, quantity, price) | {"description": description}, None


def _action(line: Line, quantity: Decimal, price: Decimal) -> Values:
    return {
        "action": "line",
        "line": line.native,
        "product": line.row["product"],
        "quantity": float(quantity),
        "unit": line.row["unit"],
        "unit_price": plain(price),
        "description": line.row["description"],
    }


def _named(row: Row, role: str) -> bool:
    return any(one["role"] == role for one in row["addresses"] or ())
