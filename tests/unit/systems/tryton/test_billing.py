"""What Tryton's invoices mean: signs, tax per line, what is open and what is overdue."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from accord.routing import legal_entity
from accord.systems.tryton import billing
from accord.systems.tryton.books import Books
from accord.systems.tryton.documents import the_only
from accord.systems.tryton.receivables import midnight_after
from accord.systems.tryton.states import INVOICE, RETURN, SHIPMENT

BOOKS = Books(entity=legal_entity("NL01"), company=1, currency="EUR")
AT = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
TODAY = AT.date()


def line(**changed: Any) -> dict[str, Any]:
    return {
        "id": 1, "type": "line", "description": None, "quantity": 3.0, "unit_price": Decimal("18.53"), "amount": Decimal("55.59"),
        "origin": None, "product": 7, "product.": {"code": "MI-3001", "name": "Buffer"},
        "taxes.": [{"name": "VAT 21%", "rate": Decimal("0.21")}],
    } | changed  # fmt: skip


def owed(days: int, amount: str = "67.26", **changed: Any) -> dict[str, Any]:
    due = TODAY + dt.timedelta(days=days)
    return {
        "debit": Decimal(amount),
        "credit": Decimal(0),
        "maturity_date": due,
        "reconciliation": None,
        "last_modified_at": AT,
    } | changed


def paid(amount: str, **changed: Any) -> dict[str, Any]:
    return owed(0, "0", **{"credit": Decimal(amount), "maturity_date": None} | changed)


def row(**changed: Any) -> dict[str, Any]:
    return {
        "id": 5, "number": "NL01-I2026-00001", "party": 3, "state": "posted", "currency.": {"code": "EUR"},
        "invoice_date": TODAY, "move.": {"date": TODAY}, "last_modified_at": AT, "description": None,
        "untaxed_amount": Decimal("55.59"), "tax_amount": Decimal("11.67"), "total_amount": Decimal("67.26"),
        "amount_to_pay": Decimal("67.26"), "sales.": [], "lines.": [line()], "lines_to_pay.": [owed(30)], "payment_lines.": [],
    } | changed  # fmt: skip


def test_a_credit_note_is_positive_all_through() -> None:
    negative = {name: -row()[name] for name in ("untaxed_amount", "tax_amount", "total_amount", "amount_to_pay")}
    lines = [line(quantity=-3.0, amount=Decimal("-55.59")), line(id=2, quantity=1.0, amount=Decimal("10.00"))]
    made = billing.document(BOOKS, row(**negative, **{"lines.": lines}), credits=True)
    assert [made[name] for name in ("net", "tax", "total", "open_balance")] == [
        Decimal(t) for t in ("55.59", "11.67", "67.26", "67.26")
    ]
    assert [(one["quantity"], one["net"], one["tax"]) for one in made["lines"]] == [
        (3, Decimal("55.59"), Decimal("11.67")),
        (-1, Decimal("-10.00"), Decimal("-2.10")),  # what is charged on a credit note lessens it
    ]
    assert made["status"] == "Posted"


@pytest.mark.parametrize(
    ("amount", "rates", "tax"),
    [
        ("0.12", ("0.21",), "0.03"),
        ("0.50", ("0.09",), "0.04"),  # 0.045: half to even
        ("1.50", ("0.09",), "0.14"),  # 0.135
        ("10.00", ("0.05", "0.09975"), "1.50"),  # two taxes, rounded once: 1.4975
        ("10.00", (), "0.00"),
    ],
)
def test_tax_is_rounded_per_line(amount: str, rates: tuple[str, ...], tax: str) -> None:
    taxes = [{"name": f"VAT {rate}", "rate": Decimal(rate)} for rate in rates]
    made = billing.document(
        BOOKS, row(**{"lines.": [line(amount=Decimal(amount), **{"taxes.": taxes})]}), credits=False
    )
    assert made["lines"][0]["tax"] == Decimal(tax)


def test_comments_are_no_lines_and_carriers_have_no_product() -> None:
    freight = line(id=2, **{"product.": {"code": None, "name": "Parcel"}})
    made = billing.document(BOOKS, row(**{"lines.": [line(), freight, line(id=3, type="comment")]}), credits=False)
    assert [(one["id"], one["product"], one["description"]) for one in made["lines"]] == [
        ("1", "7", "Buffer"),
        ("2", None, "Parcel"),
    ]


def test_where_it_stands() -> None:
    def status(**changed: Any) -> str:
        return str(billing.document(BOOKS, row(**changed), credits=False)["status"])

    assert status() == "Posted"
    assert status(amount_to_pay=Decimal("1.00")) == "Partly Paid"
    assert status(state="paid", amount_to_pay=Decimal(0)) == "Paid"
    assert status(state="cancelled", amount_to_pay=Decimal(0)) == "Cancelled"
    assert set(INVOICE) == {"posted", "paid", "cancelled"}
    assert set(SHIPMENT) >= set(RETURN) - {"received"}


def test_its_last_change_is_that_of_anything_it_shows() -> None:
    later = AT + dt.timedelta(seconds=1)
    for lines in ("lines_to_pay.", "payment_lines."):
        changed = row(**{lines: [owed(30, last_modified_at=later)]})
        assert billing.document(BOOKS, changed, credits=False)["modified"] == later


def test_a_return_is_about_the_order_it_returns_and_several_orders_are_none() -> None:
    def order(*sales: dict[str, Any]) -> int | None:
        return the_only(billing.orders(row(**{"sales.": list(sales)})))

    assert order({"id": 4, "origin": "sale.sale,2"}) == 2
    assert order({"id": 4, "origin": None}) == 4
    assert order({"id": 4, "origin": None}, {"id": 5, "origin": None}) is None
    assert order() is None


@pytest.mark.parametrize(
    ("changed", "since"),
    [
        ({"lines_to_pay.": [owed(0)]}, None),  # due today
        ({"lines_to_pay.": [owed(-1)]}, -1),
        ({"lines_to_pay.": [owed(-9, "33.63"), owed(-2, "33.63"), owed(30)]}, -2),
        ({"lines_to_pay.": [owed(-9, "33.63"), owed(30, "33.63")], "payment_lines.": [paid("33.63")]}, None),
        ({"lines_to_pay.": [owed(-9)], "payment_lines.": [paid("67.25")]}, -9),
        ({"lines_to_pay.": [owed(-9)], "payment_lines.": [paid("67.26", reconciliation=1)]}, -9),  # it went back
        ({"lines_to_pay.": [owed(-9, reconciliation=1)]}, None),
        ({"lines_to_pay.": [owed(-9)], "state": "cancelled"}, None),
    ],
)
def test_what_is_overdue(changed: dict[str, Any], since: int | None) -> None:
    expected = (False, None) if since is None else (True, midnight_after(TODAY + dt.timedelta(days=since)))
    assert billing.overdue(row(**changed), TODAY) == expected
