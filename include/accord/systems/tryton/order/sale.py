"""A sale as Tryton holds it, and how far it has come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accord.systems.tryton.order.mapping import ACCEPTED, COMMENT, LEFT, OPEN, SHIPPED

NOTHING = Decimal(0)
PLACES = 4  # of a share of a kit: what a quantity has
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What became of a line: quantities of what it orders. `left` is also what is packed to leave."""

    left: Decimal
    shipped: Decimal
    back_ordered: Decimal
    invoiced: Decimal

    @property
    def settled(self) -> Decimal:
        """What can't be taken back by changing the order."""
        return max(self.left, self.invoiced)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a sale; `id` is the canonical id of the order line, None for one made by hand."""

    native: int
    id: str | None
    row: Row
    quantity: Decimal
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """A sale with its lines, as Tryton gives them (accord.systems.tryton.order.mapping.SALE_FIELDS)."""

    native: int
    key: str
    row: Row
    lines: tuple[Line, ...]

    @property
    def state(self) -> str:
        return str(self.row["state"])

    @property
    def accepted(self) -> bool:
        return self.state in ACCEPTED

    @property
    def open(self) -> bool:
        """Not accepted yet, and not cancelled."""
        return self.state in OPEN

    @property
    def void(self) -> bool:
        """Cancelled, or changed until nothing was left of it."""
        return nothing_left(self.row)

    @property
    def ours(self) -> dict[str, Line]:
        """Its lines by the canonical id of the order line."""
        return {line.id: line for line in self.lines if line.id}


def nothing_left(row: Row) -> bool:
    """Whether a sale with its lines, as Tryton gives them, is cancelled, or was changed until nothing was left of it."""
    lines = (one for one in row.get("lines.") or () if one["type"] == "line")
    return row["state"] == "cancelled" or not any(exact(one["quantity"]) for one in lines)


def sale_of(row: Row) -> Sale:
    """A sale from a row of SALE_FIELDS."""
    shipments = {shipment["id"]: shipment["state"] for shipment in row["shipments."] or ()}
    lines = tuple(_line(one, shipments) for one in row["lines."] or () if one["type"] == "line")
    return Sale(native=row["id"], key=row["reference"], row=row, lines=lines)


def comment_of(number: str | None, reference: str | None) -> str:
    """The comment of a sale."""
    said = zip(COMMENT, (number, reference), strict=True)
    return "\n".join(f"{words}: {value}" for words, value in said if value)


def from_comment(comment: str | None) -> tuple[str | None, str | None]:
    """(number, customer's reference) out of a comment, whatever people wrote below."""
    found = dict(line.split(": ", 1) for line in (comment or "").split("\n") if ": " in line)
    number, reference = (found.get(words) for words in COMMENT)
    return number, reference


def exact(number: float | Decimal | None) -> Decimal:
    """A quantity as it was typed: Tryton's are binary floating-point numbers."""
    return Decimal(str(number or 0)).normalize() + NOTHING


def _line(row: Row, shipments: Mapping[int, str]) -> Line:
    note = (row["note"] or "").split("\n", 1)[0].strip()
    quantity = exact(row["quantity"])
    return Line(
        native=row["id"],
        id=note if ":" in note else None,
        row=row,
        quantity=quantity,
        progress=_progress(row, quantity, shipments),
    )


def _progress(row: Row, quantity: Decimal, shipments: Mapping[int, str]) -> Progress:
    """The line's own moves; those of a kit's components as whole kits."""
    found = [_moved(row["moves."] or (), shipments)]
    if row["components."]:
        found = []
        for part in row["components."]:
            whole, moved = exact(part["quantity"]), _moved(part["moves."] or (), shipments)
            kits = {
                state: exact(round(amount * quantity / whole, PLACES)) if whole else NOTHING
                for state, amount in moved.items()
            }
            found.append(kits)
    posted = (i for i in row["invoice_lines."] or () if i["invoice_state"] in ("posted", "paid"))
    return Progress(
        left=max(one["left"] for one in found),
        shipped=min(one["shipped"] for one in found),
        back_ordered=max(one["back_ordered"] for one in found),
        invoiced=sum((exact(i["quantity"]) for i in posted), NOTHING),
    )


def _moved(moves: Iterable[Row], shipments: Mapping[int, str]) -> dict[str, Decimal]:
    sums = {"left": NOTHING, "shipped": NOTHING, "back_ordered": NOTHING}
    begun = any(state in LEFT for state in shipments.values())
    for move in moves:
        shipment = move["shipment"]
        state = shipments.get(int(shipment.partition(",")[2])) if shipment else None
        amount = exact(move["quantity"])
        if move["state"] == "done" or state in LEFT:
            sums["left"] += amount
        if move["state"] == "done" or state in SHIPPED:
            sums["shipped"] += amount
        elif move["state"] in ("draft", "assigned") and state not in LEFT and begun:
            sums["back_ordered"] += amount
    return sums
