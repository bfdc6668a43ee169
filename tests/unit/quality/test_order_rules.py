"""Business rules of order and order_status: each fails once, and nothing else does."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from accord.categories import HANDLING, Category
from accord.objects.order import ORDER
from accord.objects.order_status import ORDER_STATUS
from accord.quality.gate import Verdict
from accord.quality.rules import order as rules
from tests.moving import move
from tests.unit.quality.rows import Row, address, failing, judge, lenient, suite, table

DAY = dt.date(2026, 3, 1)


def line(**changed: Any) -> Row:
    """A line nothing is wrong with."""
    return {
        "id": "salesforce:802A",
        "product": "tryton:7",
        "quantity": Decimal(2),
        "list_price": Decimal("100.0000"),
        "current_price": Decimal("100.0000"),
        "unit_price": Decimal("90.0000"),
        "cancelled": False,
    } | changed


def order(number: int = 1, **changed: Any) -> Row:
    """An order nothing is wrong with."""
    return {
        "key": f"salesforce:{number}",
        "number": f"{number:08}",
        "customer": "salesforce:001",
        "legal_entity": "NL01",
        "customer_entities": ["GB01", "NL01"],
        "currency": "EUR",
        "status": "Activated",
        "order_date": DAY,
        "requested_date": DAY,
        "payment_terms": "NET30",
        "total": Decimal("180.00"),
        "lines": [line()],
        "addresses": [address("bill_to"), address("ship_to")],
    } | changed


def status(number: int = 1, **changed: Any) -> Row:
    return {
        "key": f"salesforce:{number}",
        "number": f"NL01-S{number}",
        "status": "Accepted",
        "promised_date": DAY,
        "booked_date": DAY,
        "currency": "EUR",
        "total": Decimal("121.00"),
        "tax": Decimal("21.00"),
        "lines": [{"id": "salesforce:802A", "status": "Accepted", "shipped": Decimal(0), "back_ordered": Decimal(0),
                   "invoiced": Decimal(0)}],
    } | changed  # fmt: skip


GOOD: tuple[Row, ...] = (
    order(1),
    order(2, payment_terms=None, requested_date=None, customer_entities=None),
    order(3, lines=[line(list_price=None, current_price=None)]),
    order(4, lines=[line(quantity=Decimal(0), cancelled=True), line(id="salesforce:802B")]),
    order(5, lines=[line(list_price=Decimal("95.0000"))]),  # dearer by now, but the price agreed is within the limit
    order(6, lines=[line(unit_price=Decimal("75.0000"))], total=Decimal("150.00")),  # just within the limit
    order(7, lines=[line(unit_price=Decimal("120.0000"))], total=Decimal("240.00")),
    order(8, total=Decimal("180.01")),  # a cent of rounding
    order(9, currency="GBP", legal_entity="GB01"),
)

BAD: tuple[tuple[Row, str, Category], ...] = (
    ({"legal_entity": None}, "legal_entity.required", Category.NO_LEGAL_ENTITY),
    ({"customer_entities": ["GB01"]}, "customer.buys_there", Category.NOT_SOLD_TO),
    ({"currency": "JPY"}, "currency.traded", Category.CURRENCY_MISMATCH),
    ({"lines": [], "total": Decimal(0)}, "lines.present", Category.MISSING_VALUE),
    ({"lines": [line(quantity=Decimal(0))], "total": Decimal(0)}, "lines.quantity.positive", Category.INVALID_VALUE),
    ({"lines": [line(product="legacy:P-7")]}, "lines.product.erp", Category.OTHER_ERP),
    ({"lines": [line(current_price=Decimal("130.0000"))]}, "lines.price.list", Category.PRICE_DIFFERS),
    ({"lines": [line(current_price=Decimal("80.0000"))]}, "lines.price.list", Category.PRICE_DIFFERS),
    (
        {"lines": [line(unit_price=Decimal("74.9900"))], "total": Decimal("149.98")},
        "lines.discount.limit",
        Category.DISCOUNT,
    ),
    ({"total": Decimal("180.02")}, "total.sum", Category.TOTAL_DIFFERS),
    ({"requested_date": DAY - dt.timedelta(days=1)}, "requested_date.possible", Category.INVALID_VALUE),
    ({"addresses": [address("bill_to")]}, "addresses.ship_to", Category.MISSING_VALUE),
    ({"addresses": [address("ship_to", country=None)]}, "addresses.ship_to", Category.MISSING_VALUE),
    ({"payment_terms": "NET45"}, "payment_terms.known", Category.TERMS_UNKNOWN),
)


def test_good_orders_pass() -> None:
    judgement = judge(suite(ORDER), table(ORDER, GOOD))
    assert (judgement.verdict, failing(judgement)) == (Verdict.PASS, set())


def test_bad_orders_are_held_each_with_its_reason() -> None:
    rows = [order(n, **changed) for n, (changed, _, _) in enumerate(BAD)]
    judgement = judge(lenient(suite(ORDER)), table(ORDER, [*rows, order(99)]))
    assert failing(judgement) == {(f"salesforce:{n}", rule) for n, (_, rule, _) in enumerate(BAD)}
    told = {row["key"]: row["category"] for row in judgement.failures.to_pylist()}
    assert told == {f"salesforce:{n}": category for n, (_, _, category) in enumerate(BAD)}


def test_products_of_the_erp_a_legal_entity_left_are_known_in_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = table(ORDER, [order(1), order(2, lines=[line(product="legacy:P-7")])])
    assert rules.of_the_same_erp(orders).to_pylist() == [True, False]
    move(monkeypatch, "NL01", "legacy")
    assert rules.of_the_same_erp(orders).to_pylist() == [True, True]


def test_every_rule_of_the_policy_fails_here() -> None:
    assert {rule for _, rule, _ in BAD} == {rule.name for rule in rules.CANONICAL_RULES}
    assert {rule.category for rule in rules.CANONICAL_RULES} <= HANDLING.keys()


def test_good_statuses_pass() -> None:
    paid = status(2, status="Paid", promised_date=None)
    judgement = judge(suite(ORDER_STATUS), table(ORDER_STATUS, [status(1), paid]))
    assert (judgement.verdict, failing(judgement)) == (Verdict.PASS, set())


def test_bad_statuses_are_held() -> None:
    rows = [
        status(1, status="On Hold"),
        status(2, tax=Decimal("130.00")),
        status(3, lines=[{**status()["lines"][0], "shipped": Decimal(-1)}]),
    ]
    judgement = judge(lenient(suite(ORDER_STATUS)), table(ORDER_STATUS, rows))
    expected = {
        ("salesforce:1", "reason.given"),
        ("salesforce:2", "tax.part_of_total"),
        ("salesforce:3", "lines.quantities"),
    }
    assert failing(judgement) == expected
    early = judge(suite(ORDER_STATUS), table(ORDER_STATUS, [status(4, promised_date=DAY - dt.timedelta(days=1))]))
    assert [result.rule for result in early.results if result.failed] == ["promised_date.possible"]
    assert early.verdict is Verdict.PASS
