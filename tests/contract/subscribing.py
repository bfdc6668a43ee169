"""Contracts as Accord gets them: what both ERPs' tests begin with."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from accord.recurring import months_after

TODAY = dt.datetime.now(dt.UTC).date()
FIRST = TODAY.replace(day=1)  # a first day that is billed already
END = months_after(FIRST, 12) - dt.timedelta(days=1)


def line(system: str, native: str, quantity: str, price: str, **values: Any) -> dict[str, Any]:
    """A line of a contract that runs a year, billed monthly."""
    return {
        "id": f"salesforce:a0C{uuid.uuid4().hex[:15]}",
        "product": f"{system}:{native}",
        "product__native": native,
        "quantity": Decimal(quantity),
        "unit_price": Decimal(price),
        "billing_period": "Monthly",
        "start_date": FIRST,
        "end_date": END,
    } | values


def contract(customer: dict[str, Any], *lines: dict[str, Any], **values: Any) -> dict[str, Any]:
    """A contract of a year."""
    return {
        "key": f"salesforce:800{uuid.uuid4().hex[:15]}",
        "number": "00000101",
        "legal_entity": "NL01",
        "currency": "EUR",
        "status": "Activated",
        "start_date": FIRST,
        "term": 12,
        "end_date": END,
        "payment_terms": "NET30",
        "lines": list(lines),
    } | customer | values  # fmt: skip


def ramp(system: str, native: str) -> list[dict[str, Any]]:
    """Three steps of four months, each dearer than the one before."""
    starts = [months_after(FIRST, months) for months in (0, 4, 8, 12)]
    ends = [start - dt.timedelta(days=1) for start in starts[1:]]
    prices = ("10.0000", "15.0000", "20.0000")
    return [
        line(system, native, "4", price, start_date=start, end_date=end, ramp_step=step)
        for step, (start, end, price) in enumerate(zip(starts[:3], ends, prices, strict=True), start=1)
    ]
