"""Business rules of product, price_list and price: each fails once, and a good record fails none."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from accord.categories import Category, Queue
from accord.objects import PRICE, PRICE_LIST, PRODUCT
from accord.objects.definition import BusinessObject
from accord.quality.gate import Verdict
from tests.unit.quality.rows import failing, judge, lenient, suite, table

READ = datetime(2026, 6, 15, 12, tzinfo=UTC)
Row = dict[str, Any]


def product(number: int = 1, **changed: Any) -> Row:
    return {
        "key": f"tryton:{number}",
        "code": f"MI-{number}",
        "name": "Meter",
        "unit": "Each",
        "kind": "Goods",
        "status": "Active",
        "active": True,
        "system": "tryton",
        "legal_entities": ["NL01"],
        "tax_category": "Goods",
        "components": [],
        "availability": [{"id": "5", "warehouse": "Rotterdam", "available": Decimal("-2")}],
    } | changed


def bundle(number: int = 1, **changed: Any) -> Row:
    return product(number, kind="Bundle", components=[component()]) | changed


def component(**changed: Any) -> Row:
    return {"id": "1", "product": "tryton:77", "quantity": Decimal("2")} | changed


def price_list(number: int = 1, **changed: Any) -> Row:
    return {
        "key": f"tryton:{number}",
        "name": "Standard EUR",
        "legal_entity": "NL01",
        "currency": "EUR",
        "active": True,
        "valid_from": date(2026, 1, 1),
        "valid_until": date(2026, 12, 31),
    } | changed


def price(number: int = 1, *changed_tiers: Row, **changed: Any) -> Row:
    return {
        "key": f"tryton:1/{number}",
        "read_at": READ,
        "product": f"tryton:{number}",
        "price_list": "tryton:1",
        "currency": "EUR",
        "unit_price": Decimal("20"),
        "active": True,
        "tiers": [tier("1", "20"), *changed_tiers],
    } | changed


def tier(quantity: str, amount: str, begins: date | None = None, ends: date | None = None) -> Row:
    name = f"{quantity}/{begins}/{ends}"
    values = {"from_quantity": Decimal(quantity), "unit_price": Decimal(amount)}
    return {"id": name, **values, "valid_from": begins, "valid_until": ends}


LAST, NEXT = date(2026, 12, 31), date(2027, 1, 1)
GOOD: tuple[tuple[BusinessObject, list[Row]], ...] = (
    (PRODUCT, [product(), bundle(2), product(3, status="Discontinued", active=False, tax_category=None)]),
    (PRICE_LIST, [price_list(), price_list(2, valid_from=None, valid_until=None, currency="USD")]),
    (
        PRICE,
        [
            price(),
            price(2, tier("10", "18"), tier("50", "18")),
            price(3, tiers=[]),
            price(4, tiers=[tier("1", "20", None, LAST), tier("1", "25", NEXT), tier("10", "24", NEXT)]),
            price(5, tiers=[tier("1", "19", None, date(2026, 6, 14)), tier("1", "20", date(2026, 6, 15))]),
        ],
    ),
)
BAD: tuple[tuple[BusinessObject, Row, str], ...] = (
    (PRODUCT, product(tax_category=None), "tax_category.known"),
    (PRODUCT, product(active=False), "active.fits_status"),
    (PRODUCT, product(status="Blocked"), "active.fits_status"),
    (PRODUCT, product(kind="Bundle"), "components.bundle"),
    (PRODUCT, product(components=[component()]), "components.bundle"),
    (PRODUCT, bundle(components=[component(), component(id="2", product="tryton:1")]), "components.itself"),
    (PRODUCT, bundle(components=[component(quantity=Decimal(0))]), "components.quantity.positive"),
    (PRODUCT, product(legal_entities=None), "legal_entities.required"),
    (PRICE_LIST, price_list(currency="SGD"), "currency.traded"),
    (PRICE_LIST, price_list(valid_until=date(2025, 12, 31)), "validity.order"),
    (PRICE, price(unit_price=Decimal(0), tiers=[]), "unit_price.positive"),
    (PRICE, price(1, tier("10", "-1")), "tiers.unit_price.positive"),
    (PRICE, price(1, tier("0", "21", NEXT)), "tiers.from_quantity.positive"),
    (PRICE, price(1, tier("2", "19", NEXT, LAST)), "tiers.validity"),
    (PRICE, price(1, tier("1", "20", NEXT)), "tiers.one_at_a_time"),
    (PRICE, price(unit_price=Decimal("20.01")), "tiers.fit_unit_price"),
    (PRICE, price(tiers=[tier("1", "20", None, date(2026, 6, 14)), tier("1", "21", date(2026, 6, 15))]), "tiers.fit_unit_price"),
)  # fmt: skip


@pytest.mark.parametrize(("definition", "rows"), GOOD, ids=[d.name for d, _ in GOOD])
def test_good_ones_pass(definition: BusinessObject, rows: list[Row]) -> None:
    judgement = judge(suite(definition), table(definition, rows))
    assert (judgement.verdict, failing(judgement)) == (Verdict.PASS, set())
    assert not any(result.failed for result in judgement.results)


@pytest.mark.parametrize("definition", [PRODUCT, PRICE_LIST, PRICE], ids=str)
def test_bad_ones_are_quarantined_for_one_reason_each(definition: BusinessObject) -> None:
    mine = [(row, rule) for of, row, rule in BAD if of is definition]
    rows = [
        row if rule == "components.itself" else row | {"key": f"tryton:9/{n}"} for n, (row, rule) in enumerate(mine)
    ]
    judgement = judge(lenient(suite(definition)), table(definition, rows))
    expected = {(row["key"], rule) for row, (_, rule) in zip(rows, mine, strict=True)}
    assert failing(judgement) == expected


def test_what_costs_more_in_larger_lots_is_shown_and_goes_on() -> None:
    judgement = judge(suite(PRICE), table(PRICE, [price(1, tier("10", "21")), price(2, tier("10", "21", NEXT))]))
    (result,) = [result for result in judgement.results if result.failed]
    assert (result.rule, result.failed, result.severity) == ("tiers.cheaper", 1, "warning")
    assert judgement.verdict is Verdict.PASS


def test_what_is_gone_needs_no_price() -> None:
    row = price(unit_price=None, tiers=None, gone=True)
    assert failing(judge(suite(PRICE), table(PRICE, [row]))) == set()


def test_finance_mends_prices_and_taxes() -> None:
    rules = {rule.name: rule for definition in (PRODUCT, PRICE) for rule in suite(definition).rules}
    assert rules["tax_category.known"].queue is Queue.FINANCE
    assert rules["tax_category.known"].category is Category.TAX_UNDECIDED
    assert rules["unit_price.positive"].queue is Queue.FINANCE
    assert rules["components.bundle"].queue is Queue.MASTER_DATA
