"""A subscription as Tryton holds it, and how far it is billed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from accord.recurring import status_on
from accord.systems.tryton.order.sale import exact
from accord.systems.tryton.subscription.mapping import DELETED, LINE_WORDS

Row = Mapping[str, Any]
OPEN = ("draft", "quotation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a subscription; `id` is the canonical id of the contract line, None for one made by hand; `period` None for a
    recurrence that is no billing period of ours."""

    native: int
    id: str | None
    row: Row
    quantity: Decimal
    period: str | None
    end: date | None

    @property
    def billed_until(self) -> date | None:
        """The last day that is billed; None when nothing is."""
        return self.row["consumed_until"]  # type: ignore[no-any-return]

    @property
    def void(self) -> bool:
        """It was taken out before anything of it was billed."""
        return not self.quantity

    @property
    def done(self) -> bool:
        """Its last period is billed."""
        return self.billed_until is not None and self.row["next_consumption_date"] is None

    @property
    def canonical(self) -> dict[str, Any]:
        """It in canonical words, as accord.recurring takes it."""
        return {
            "id": self.id or f"line {self.native}",
            "quantity": self.quantity,
            "unit_price": self.row["unit_price"],
            "billing_period": self.period,
            "start_date": self.row["start_date"],
            "end_date": self.end,
        }

    @property
    def complete(self) -> bool:
        """Nothing lacks that its figures need."""
        return None not in self.canonical.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription with its lines, as Tryton gives them (accord.systems.tryton.subscription.mapping.SUBSCRIPTION_FIELDS)."""

    native: int
    key: str
    row: Row
    lines: tuple[Line, ...]

    @property
    def state(self) -> str:
        return str(self.row["state"])

    @property
    def accepted(self) -> bool:
        """It runs, or did; somebody may have taken it back to change it."""
        return self.state in ("running", "closed") or (self.state in OPEN and self.row["next_invoice_date"] is not None)

    @property
    def deleted(self) -> bool:
        """Accord cancelled it: its contract was deleted."""
        return self.state == "cancelled" and (self.row["description"] or "").endswith(DELETED)

    @property
    def taken_back(self) -> bool:
        """It ran, and is a draft while it is being changed: nothing is billed."""
        return self.accepted and self.state in OPEN

    @property
    def open(self) -> bool:
        """It never ran, and is not cancelled."""
        return self.state in OPEN and not self.accepted

    @property
    def billed(self) -> bool:
        """Anything of it is."""
        return any(line.billed_until for line in self.live)

    @property
    def ours(self) -> dict[str, Line]:
        """Its lines, but those taken out, by the canonical id of the contract line."""
        return {line.id: line for line in self.live if line.id}

    @property
    def live(self) -> tuple[Line, ...]:
        """Its lines but those taken out."""
        return tuple(line for line in self.lines if not line.void)

    @property
    def end(self) -> date | None:
        """Its last day."""
        ends = [line.end for line in self.live]
        return self.row["end_date"] or (max(ends) if ends and None not in ends else None)  # type: ignore[type-var]

    def status(self, day: date) -> str:
        """Where the contract stands on a day."""
        if self.state == "cancelled":
            return "Cancelled"
        if self.state in OPEN:
            return "On Hold"
        return status_on(day, self.row["start_date"], self.end or date.max)


def subscription_of(row: Row, periods: Mapping[int, str]) -> Subscription:
    """A subscription from a row of SUBSCRIPTION_FIELDS; `periods` are recurrence → billing period."""
    lines = tuple(_line(one, row, periods) for one in row["lines."] or ())
    return Subscription(native=row["id"], key=row["reference"], row=row, lines=lines)


def said_of(line: str) -> str:
    """The description of the contract line with that canonical id."""
    return f"{LINE_WORDS} {line}"


def _line(row: Row, subscription: Row, periods: Mapping[int, str]) -> Line:
    words, _, identity = (row["description"] or "").split("\n", 1)[0].strip().rpartition(" ")
    return Line(
        native=row["id"],
        id=identity if words == LINE_WORDS else None,
        row=row,
        quantity=exact(row["quantity"]),
        period=periods.get(row["consumption_recurrence"] or 0),
        end=row["end_date"] or subscription["end_date"],
    )
