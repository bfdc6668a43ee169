"""What to ask of Tryton: a new subscription, or the changes that make one that runs what its contract has become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from accord.categories import Category
from accord.systems.results import Outcome
from accord.systems.tryton.customer.party import Impossible
from accord.systems.tryton.order.planning import plain
from accord.systems.tryton.sending import reject
from accord.systems.tryton.subscription.lookups import Lookups
from accord.systems.tryton.subscription.mapping import FIXED
from accord.systems.tryton.subscription.subscription import Line, Subscription, said_of

Row = Mapping[str, Any]
Values = dict[str, Any]

_CADENCE = {"start_date", "billing_period"}  # Tryton finds the days of a line once: another cadence is another line
AMEND = "End it in Salesforce, not before the last day that is billed, and begin a new line after it."


@dataclass(slots=True, kw_only=True)
class Change:
    """What differs between a subscription and its contract. `refusal` says why it can't be made; nothing is then changed at all."""

    header: Values = field(default_factory=dict)
    lines: list[Any] = field(default_factory=list)  # commands of the subscription's lines, as Tryton takes them
    refusal: Outcome | None = None

    def __bool__(self) -> bool:
        return bool(self.header or self.lines or self.refusal)


def creation(row: Row, look: Lookups) -> Values:
    """The values of a new subscription for a contract (collapsed). Raises Impossible."""
    if not row["lines"]:
        raise Impossible(Category.MISSING_VALUE, "The contract has no lines: there is nothing to bill.")
    return {
        "company": look.books[row["legal_entity"]].company,
        "party": look.party(row)["id"],
        "reference": row["key"],
        "description": row["number"],
        "invoice_address": look.invoice_address(row),
        "payment_term": look.term(row),
        "currency": look.currency(row["currency"]),
        "start_date": row["start_date"],
        "end_date": row["end_date"],
        "invoice_recurrence": look.invoice_recurrence(row),
        "lines": [["create", [_line(line, look) for line in row["lines"]]]],
    }


def change(row: Row, held: Subscription, look: Lookups) -> Change:
    """What makes the subscription what its contract (collapsed) asks for. Raises Impossible."""
    found = Change()
    if names := _fixed(row, held, look):
        said = f"The ERP can't change {' and '.join(names)} of a contract that runs."
        found.refusal = reject(Category.CONTRACT_FIXED, f"{said} Undo the change, or begin a contract of its own.")
        return found
    _lines(row, held, look, found)
    wanted = {
        "description": row["number"],
        "end_date": row["end_date"],
        "invoice_recurrence": look.invoice_recurrence(row) if row["lines"] else held.row["invoice_recurrence"],
    }
    if row["payment_terms"] is not None:
        wanted["payment_term"] = look.term(row)
    found.header = {name: value for name, value in wanted.items() if held.row[name] != value}
    if found and held.state == "closed" and not found.refusal:
        said = "Everything the ERP knew of the contract is billed, and it has closed it."
        found.refusal = reject(Category.CONTRACT_FIXED, f"{said} What is new goes with a contract of its own.")
    return found


def _fixed(row: Row, held: Subscription, look: Lookups) -> list[str]:
    same = {
        "customer": held.row["party"] == int(row["customer__native"]),
        "legal_entity": held.row["company"] == look.books[row["legal_entity"]].company,
        "currency": held.row["currency."]["code"] == row["currency"],
        "start_date": held.row["start_date"] == row["start_date"],
    }
    return [words for name, words in FIXED.items() if not same[name]]


def _lines(row: Row, held: Subscription, look: Lookups, found: Change) -> None:
    """The commands for the lines, or the refusal."""
    wanted = {line["id"]: line for line in row["lines"] or ()}
    held_lines = held.ours
    new = [line for identity, line in wanted.items() if identity not in held_lines]
    for identity, there in held_lines.items():
        line = wanted.get(identity)
        differs = _differing(line, there) if line else frozenset()
        values: Values | None = None
        said = None
        if there.billed_until is None:
            if line is None or differs & _CADENCE:
                values = {"quantity": 0.0, "end_date": there.row["start_date"]}
                new += [line] if line else []
            elif differs:
                values = _line(line, look)
        elif line is None:
            said = "A line is billed already: it can't be removed."
        elif differs - {"end_date"}:
            said = "A line is billed already: only its last day can change."
        elif differs and line["end_date"] < there.billed_until:
            said = "A line is billed beyond its new last day."
        elif differs and there.done and line["end_date"] > there.billed_until:
            said = "The last period of a line is billed already: it can't be extended."
        elif differs:
            values = {"end_date": line["end_date"]}
        if said and not found.refusal:
            found.refusal = reject(Category.ALREADY_BILLED, f"{said} {AMEND}")
        if values:
            found.lines.append(["write", [there.native], values])
    if new:
        found.lines.append(["create", [_line(line, look) for line in new]])


def _differing(line: Row, there: Line) -> frozenset[str]:
    """Which of a line's values are others in Tryton."""
    held = {**there.canonical, "product": str(there.row["service."]["product"])}
    wanted = {**line, "product": line["product__native"]}
    names = ("product", "quantity", "unit_price", "billing_period", "start_date", "end_date")
    return frozenset(name for name in names if wanted[name] != held[name])


def _line(line: Row, look: Lookups) -> Values:
    service = look.sold(line)
    return {
        "service": service["id"],
        "description": said_of(line["id"]),
        "quantity": float(line["quantity"]),
        "unit": service["product."]["sale_uom"],
        "unit_price": plain(line["unit_price"]),
        "consumption_recurrence": look.recurrence(line["billing_period"]),
        "start_date": line["start_date"],
        "end_date": line["end_date"],
    }
