"""Business rules of invoices, credit memos, payments and shipments: each fails once, and says no more than that."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from accord.categories import HANDLING, Category, Queue
from accord.objects import OBJECTS
from accord.quality.billing import TAX_ROUNDING
from accord.quality.gate import Verdict
from tests.unit.quality.rows import Row, failing, judge, lenient, suite, table

DAY = dt.date(2026, 3, 2)


def money(text: str) -> Decimal:
    return Decimal(text)


def line(number: int = 1, **changed: Any) -> Row:
    return {
        "id": str(number), "quantity": money("3"), "unit_price": money("18.53"), "net": money("55.59"), "tax": money("11.67"),
        "tax_code": "VAT 21%",
    } | changed  # fmt: skip


def bill(number: int, **changed: Any) -> Row:
    """A document nothing is wrong with, changed as told."""
    return {
        "key": f"tryton:{number}", "number": f"I-{number}", "customer": "salesforce:1", "legal_entity": "NL01", "status": "Posted",
        "invoice_date": DAY, "booking_date": DAY, "due_date": DAY + dt.timedelta(days=30), "currency": "EUR", "net": money("55.59"),
        "tax": money("11.67"), "total": money("67.26"), "open_balance": money("67.26"), "lines": [line()],
    } | changed  # fmt: skip


def invoice(number: int, **changed: Any) -> Row:
    return bill(number, overdue=False) | changed


def payment(number: int, **changed: Any) -> Row:
    return {
        "key": f"tryton:{number}", "number": f"P-{number}", "customer": "salesforce:1", "legal_entity": "NL01",
        "status": "Partly Applied", "paid_on": DAY, "currency": "EUR", "amount": money("50.00"), "unapplied": money("20.00"),
        "applications": [{"id": "1", "invoice": "tryton:1", "amount": money("30.00"), "applied_on": DAY}],
    } | changed  # fmt: skip


def shipment(number: int, **changed: Any) -> Row:
    return {
        "key": f"tryton:out/{number}", "number": f"D-{number}", "customer": "salesforce:1", "legal_entity": "NL01",
        "kind": "Shipment", "status": "Delivered", "planned_date": DAY, "shipped_date": DAY,
        "lines": [{"id": "1", "quantity": money("2")}],
    } | changed  # fmt: skip


PAID = {"status": "Paid", "open_balance": money("0")}
BILLING: tuple[tuple[Row, str], ...] = (
    ({"total": money("67.27"), "open_balance": money("67.27")}, "total.adds_up"),
    ({"lines": []}, "lines.required"),
    ({"lines": [line(), line(2)]}, "lines.make_net"),
    ({"lines": [line(tax=money("11.69"))]}, "lines.make_tax"),
    ({"lines": [line(unit_price=money("18.60"))]}, "lines.price"),
    ({"open_balance": money("67.27")}, "open_balance.possible"),
    ({"open_balance": money("-0.01"), "status": "Partly Paid"}, "open_balance.possible"),
    ({"status": "Paid"}, "status.fits_open_balance"),
    ({"open_balance": money("10.00")}, "status.fits_open_balance"),
    ({"status": "Partly Paid"}, "status.fits_open_balance"),
    ({"currency": "AUD"}, "currency.traded"),
)
BAD: dict[str, tuple[Any, tuple[tuple[Row, str], ...]]] = {
    "invoice": (invoice, (*BILLING, (PAID | {"overdue": True}, "overdue.fits_open_balance"))),
    "credit_memo": (
        bill,
        (
            *BILLING,
            (
                {name: money("0") for name in ("net", "tax", "total", "open_balance")}
                | {"lines": [line(quantity=money("0"), net=money("0"), tax=money("0"))]},
                "total.positive",
            ),
        ),
    ),
    "payment": (
        payment,
        (
            (
                {"amount": money("0"), "unapplied": money("0"), "applications": [], "status": "Applied"},
                "amount.positive",
            ),
            ({"applications": []}, "amount.accounted_for"),
            ({"status": "Received"}, "status.fits_unapplied"),
            ({"status": "Applied"}, "status.fits_unapplied"),
            ({"applications": [], "unapplied": money("50.00")}, "status.fits_unapplied"),
            (
                {"applications": [{"id": "1", "amount": money("-1.00")}], "unapplied": money("51.00")},
                "applications.positive",
            ),
            ({"currency": "AUD"}, "currency.traded"),
        ),
    ),
    "shipment": (
        shipment,
        (
            ({"lines": []}, "lines.required"),
            ({"lines": [{"id": "1", "quantity": money("-2")}]}, "lines.quantity.positive"),
            ({"status": "Planned"}, "shipped_date.of_waiting"),
        ),
    ),
}
GOOD: dict[str, tuple[Row, ...]] = {
    "invoice": (
        {},
        PAID,
        PAID | {"status": "Cancelled"},
        {"open_balance": money("10.00"), "status": "Partly Paid", "overdue": True},
        {"due_date": None},
    ),
    "credit_memo": ({}, PAID),
    "payment": (
        {},
        {"unapplied": money("50.00"), "applications": [], "status": "Received"},
        {"unapplied": money("0"), "applications": [], "status": "Reversed"},
    ),
    "shipment": (
        {},
        {"status": "Planned", "shipped_date": None},
        {"status": "Cancelled", "lines": [], "shipped_date": None},
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_each_rule_fails_once(name: str) -> None:
    make, bad = BAD[name]
    definition = OBJECTS[name]
    rows = [make(number, **changed) for number, (changed, _) in enumerate(bad)]
    good = [make(100 + number, **changed) for number, changed in enumerate(GOOD[name])]
    found = failing(judge(lenient(suite(definition)), table(definition, [*rows, *good])))
    assert found >= {(make(number)["key"], rule) for number, (_, rule) in enumerate(bad)}
    assert {key for key, _ in found} == {row["key"] for row in rows}


@pytest.mark.parametrize(
    ("name", "changed", "rule"),
    [
        ("invoice", {"due_date": DAY - dt.timedelta(days=1)}, "due_date.after_invoice_date"),
        ("shipment", {"shipped_date": None}, "shipped_date.of_delivered"),
    ],
)
def test_doubtful_dates_are_shown_and_go_on(name: str, changed: Row, rule: str) -> None:
    definition = OBJECTS[name]
    judgement = judge(suite(definition), table(definition, [BAD[name][0](1, **changed)]))
    (result,) = [result for result in judgement.results if result.rule == rule]
    assert (result.failed, result.severity) == (1, "warning")
    assert (judgement.verdict, failing(judgement)) == (Verdict.PASS, set())


def test_rounding_of_tax_per_line_against_per_total() -> None:
    """Three lines of 0.12 at 21 %: 0.03 each, and 0.08 of their total. A cent per line is tolerated, and no more."""
    cents = [
        line(number, quantity=money("1"), unit_price=money("0.12"), net=money("0.12"), tax=money("0.03"))
        for number in (1, 2, 3)
    ]
    amounts = {"net": money("0.36"), "tax": money("0.08"), "total": money("0.44"), "open_balance": money("0.44")}
    definition = OBJECTS["invoice"]

    def found(**changed: Any) -> set[tuple[str, str]]:
        return failing(
            judge(lenient(suite(definition)), table(definition, [invoice(1, lines=cents, **amounts | changed)]))
        )

    assert money("0.01") == TAX_ROUNDING
    assert found() == set()
    most = {"tax": money("0.12"), "total": money("0.48"), "open_balance": money("0.48")}
    assert found(**most) == set()
    more = {"tax": money("0.13"), "total": money("0.49"), "open_balance": money("0.49")}
    assert found(**more) == {("tryton:1", "lines.make_tax")}


def test_amounts_are_for_finance_to_mend() -> None:
    assert HANDLING[Category.AMOUNTS].queue is Queue.FINANCE
    for name in ("invoice", "credit_memo", "payment"):
        queues = {rule.queue for rule in suite(OBJECTS[name]).rules if rule.category is Category.INVALID_VALUE}
        assert queues <= {Queue.FINANCE, Queue.INTEGRATION}, name
