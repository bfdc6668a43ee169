"""Business rules of contract and contract_status: each fails once, and nothing else does."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from accord.categories import HANDLING, Category
from accord.objects.contract import CONTRACT
from accord.objects.contract_status import CONTRACT_STATUS
from accord.quality.gate import Verdict
from accord.quality.rules import contract as rules
from accord.quality.rules import contract_status as status_rules
from accord.recurring import schedule
from tests.unit.quality.rows import Row, failing, judge, lenient, suite, table

FIRST, LAST = dt.date(2026, 1, 1), dt.date(2026, 12, 31)
DAY = dt.timedelta(days=1)


def line(**changed: Any) -> Row:
    """A line nothing is wrong with."""
    return {
        "id": "salesforce:a0C",
        "product": "tryton:7",
        "quantity": Decimal(4),
        "unit_price": Decimal("19.0000"),
        "billing_period": "Monthly",
        "start_date": FIRST,
        "end_date": LAST,
    } | changed


def steps(*bounds: tuple[int, dt.date, dt.date], **changed: Any) -> list[Row]:
    """Steps of a ramp: (number, first day, last day)."""
    return [
        line(id=f"salesforce:a0C{place}", ramp_step=step, start_date=first, end_date=last) | changed
        for place, (step, first, last) in enumerate(bounds)
    ]


JUNE, JULY = dt.date(2026, 6, 30), dt.date(2026, 7, 1)


def contract(number: int = 1, **changed: Any) -> Row:
    """A contract nothing is wrong with."""
    return {
        "key": f"salesforce:{number}",
        "number": f"{number:08}",
        "customer": "salesforce:001",
        "legal_entity": "NL01",
        "customer_entities": ["GB01", "NL01"],
        "currency": "EUR",
        "status": "Activated",
        "start_date": FIRST,
        "term": 12,
        "end_date": LAST,
        "payment_terms": "NET30",
        "lines": [line()],
    } | changed


GOOD: tuple[Row, ...] = (
    contract(1),
    contract(2, payment_terms=None, customer_entities=None),
    contract(3, lines=steps((1, FIRST, JUNE), (2, JULY, LAST))),
    contract(4, lines=[line(), line(id="salesforce:a0D", start_date=JULY)]),  # an upsell beside what runs is no ramp
    contract(5, lines=[line(billing_period="Yearly"), line(id="salesforce:a0D", billing_period="Quarterly")]),
    contract(6, lines=[*steps((1, FIRST, JUNE), (2, JULY, LAST)), *steps((1, JULY, LAST), product="tryton:8")][:2]),
)

BAD: tuple[tuple[Row, str, Category], ...] = (
    ({"legal_entity": None}, "legal_entity.required", Category.NO_LEGAL_ENTITY),
    ({"customer_entities": ["GB01"]}, "customer.buys_there", Category.NOT_SOLD_TO),
    ({"currency": "JPY"}, "currency.traded", Category.CURRENCY_MISMATCH),
    ({"lines": []}, "lines.present", Category.MISSING_VALUE),
    ({"lines": [line(product="legacy:P-7")]}, "lines.product.erp", Category.OTHER_ERP),
    ({"lines": [line(quantity=Decimal(0))]}, "lines.quantity.positive", Category.INVALID_VALUE),
    ({"lines": [line(unit_price=Decimal("-1.0000"))]}, "lines.unit_price.not_negative", Category.INVALID_VALUE),
    ({"lines": [line(end_date=dt.date(2027, 1, 31))]}, "lines.within_term", Category.INVALID_VALUE),
    ({"lines": [line(end_date=FIRST - DAY)]}, "lines.dates", Category.INVALID_VALUE),
    ({"lines": [line(end_date=JULY)]}, "lines.whole_periods", Category.INVALID_VALUE),
    (
        {"start_date": dt.date(2026, 1, 29), "end_date": dt.date(2027, 1, 28),
         "lines": [line(start_date=dt.date(2026, 1, 29), end_date=dt.date(2027, 1, 28))]},
        "lines.start_date.common",
        Category.INVALID_VALUE,
    ),
    ({"lines": steps((1, FIRST, JUNE), (2, JULY + dt.timedelta(days=31), LAST))}, "lines.ramp.gapless",
     Category.INVALID_VALUE),
    ({"lines": steps((1, FIRST, JUNE), (2, dt.date(2026, 6, 1), LAST))}, "lines.ramp.gapless", Category.INVALID_VALUE),
    ({"lines": steps((1, FIRST, JUNE), (3, JULY, LAST))}, "lines.ramp.gapless", Category.INVALID_VALUE),
    ({"payment_terms": "NET45"}, "payment_terms.known", Category.TERMS_UNKNOWN),
)  # fmt: skip


def test_good_contracts_pass() -> None:
    judgement = judge(suite(CONTRACT), table(CONTRACT, GOOD))
    assert (judgement.verdict, failing(judgement)) == (Verdict.PASS, set())


def test_bad_contracts_are_held_each_with_its_reason() -> None:
    rows = [contract(n, **changed) for n, (changed, _, _) in enumerate(BAD)]
    judgement = judge(lenient(suite(CONTRACT)), table(CONTRACT, [*rows, contract(99)]))
    found = {key: {rule for k, rule in failing(judgement) if k == key} for key, _ in failing(judgement)}
    # a line that ends before it begins lies outside its contract too
    found["salesforce:8"].discard("lines.within_term")
    assert found == {f"salesforce:{n}": {rule} for n, (_, rule, _) in enumerate(BAD)}
    assert {rule.category for rule in rules.CANONICAL_RULES} <= HANDLING.keys()


def test_a_contract_that_ends_before_it_starts_is_held() -> None:
    row = contract(1, end_date=FIRST - DAY)
    assert ("salesforce:1", "end_date.after_start") in failing(judge(lenient(suite(CONTRACT)), table(CONTRACT, [row])))


def test_every_rule_fails_here() -> None:
    assert {rule for _, rule, _ in BAD} | {"end_date.after_start"} == {rule.name for rule in rules.CANONICAL_RULES}


# ----------------------------------------------------------------------------------------------------------- statuses
def status(number: int = 1, **changed: Any) -> Row:
    """What an ERP tells of a ramp: 6 months at 40.00, then at 60.00."""
    lines = steps((1, FIRST, JUNE), (2, JULY, LAST), quantity=Decimal(2))
    lines[0]["unit_price"], lines[1]["unit_price"] = Decimal("20.0000"), Decimal("30.0000")
    lines = [{k: v for k, v in one.items() if k not in ("product", "ramp_step")} for one in lines]
    parts = [
        {"id": str(day), "date": day, "amount": amount, "invoiced": day == FIRST}
        for day, amount in schedule(lines).items()
    ]
    return {
        "key": f"salesforce:{number}",
        "number": f"NL01-A{number}",
        "status": "Active",
        "next_invoice_date": dt.date(2026, 2, 1),
        "currency": "EUR",
        "as_of": dt.date(2026, 1, 15),
        "arr": Decimal("480.00"),
        "renewal_date": LAST + DAY,
        "renewal_value": Decimal("720.00"),
        "lines": lines,
        "schedule": parts,
    } | changed


BAD_STATUSES: tuple[tuple[Row, str], ...] = (
    ({"as_of": JULY}, "arr.of_lines"),  # the second step runs, the figure is the first's
    ({"arr": Decimal("480.01")}, "arr.of_lines"),
    ({"renewal_value": Decimal("480.00")}, "renewal_value.of_lines"),
    ({"schedule": status()["schedule"][1:]}, "schedule.makes_value"),
    ({"next_invoice_date": FIRST}, "next_invoice_date.after_invoiced"),
)


def test_good_statuses_pass() -> None:
    nothing = {"arr": Decimal(0), "renewal_date": None, "renewal_value": None, "next_invoice_date": None}
    cancelled = status(2, status="Cancelled", lines=[], schedule=[], **nothing)
    later = status(3, as_of=JULY, arr=Decimal("720.00"))
    judgement = judge(suite(CONTRACT_STATUS), table(CONTRACT_STATUS, [status(1), cancelled, later]))
    assert (judgement.verdict, failing(judgement)) == (Verdict.PASS, set())


def test_figures_that_are_not_the_lines_are_held() -> None:
    rows = [status(n, **changed) for n, (changed, _) in enumerate(BAD_STATUSES)]
    judgement = judge(lenient(suite(CONTRACT_STATUS)), table(CONTRACT_STATUS, [*rows, status(99)]))
    assert failing(judgement) == {(f"salesforce:{n}", rule) for n, (_, rule) in enumerate(BAD_STATUSES)}
    assert {rule for _, rule in BAD_STATUSES} == {rule.name for rule in status_rules.CANONICAL_RULES}
