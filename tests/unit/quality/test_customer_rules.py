"""Business rules of customer: each lets the good pass and names the bad."""

from __future__ import annotations

import gc
from typing import Any

import pyarrow as pa

from accord.categories import HANDLING, Category
from accord.objects import CUSTOMER
from accord.objects.vocabulary import CURRENCIES
from accord.quality.gate import ChunkView, Gate, Verdict
from accord.routing import LEGAL_ENTITIES
from tests.unit.quality.rows import LATER, address, customer, failing, judge, judge_customers, lenient, suite, table


def test_a_good_customer_passes() -> None:
    judgement = judge_customers(
        customer(1), customer(2, parent="salesforce:1", legal_entities=["NL01", "US01"], currency="USD")
    )
    assert (judgement.verdict, failing(judgement), judgement.records) == (Verdict.PASS, set(), 2)
    assert all(result.checked for result in judgement.results if result.rule != "count")


ITSELF = "itself"
BAD: tuple[tuple[dict[str, Any], str, Category], ...] = (
    ({"legal_entities": []}, "legal_entities.required", Category.NO_LEGAL_ENTITY),
    ({"legal_entities": None}, "legal_entities.required", Category.NO_LEGAL_ENTITY),
    ({"legal_entities": ["XX99"]}, "legal_entities.vocabulary", Category.INVALID_VALUE),
    ({"currency": "EUR", "legal_entities": ["US01"], "tax_registration": None}, "currency.fits", Category.CURRENCY_MISMATCH),
    ({"currency": "EUR", "legal_entities": ["NL01", "US01"]}, "currency.fits", Category.CURRENCY_MISMATCH),
    ({"tax_registration": "NL004495445B02x"}, "tax_registration.valid", Category.INVALID_VALUE),
    ({"tax_registration": "NL004495446B01"}, "tax_registration.valid", Category.INVALID_VALUE),
    ({"name": None}, "name.required", Category.MISSING_VALUE),
    ({"name": " \u00a0-- "}, "name.filled", Category.MISSING_VALUE),
    ({"name": "x" * 256}, "name.length", Category.TOO_LONG),
    ({"country": None}, "country.required", Category.MISSING_VALUE),
    ({"country": "XX", "tax_registration": None}, "country.vocabulary", Category.INVALID_VALUE),
    ({"parent": "no id"}, "parent.reference", Category.REFERENCE_UNKNOWN),
    ({"addresses": [address("ship_to", country=None)]}, "addresses.ship_to.country", Category.MISSING_VALUE),
    ({"addresses": [address("bill_to", city="x" * 41)]}, "addresses.city.length", Category.TOO_LONG),
    ({"addresses": [address("bill_to"), address("bill_to")]}, "addresses.unique", Category.DUPLICATE_KEY),
    ({"addresses": [address("factory")]}, "addresses.role.vocabulary", Category.INVALID_VALUE),
    ({"contacts": [{"id": "salesforce:c", "last_name": None}]}, "contacts.last_name.required", Category.MISSING_VALUE),
    ({"contacts": [{"id": "salesforce:c", "last_name": " "}]}, "contacts.last_name.filled", Category.MISSING_VALUE),
    ({"parent": ITSELF}, "parent.loop", Category.HIERARCHY_LOOP),
)  # fmt: skip
UNUSUAL: tuple[dict[str, Any], ...] = (
    {"addresses": None, "contacts": None, "tax_registration": None},
    {"addresses": [address("bill_to", country=None)]},
    {"name": "明和計測"},
    {"name": "㎏"},  # a letter only after normalization
    {"country": "GR", "tax_registration": "EL 094259216"},
    {"country": "US", "tax_registration": "91-1144442", "legal_entities": ["US01"], "currency": "USD"},
    {"country": "JP", "tax_registration": "T5835678256246", "legal_entities": ["US01"], "currency": "JPY"},
    {"country": "AQ", "tax_registration": "anything: none issued there"},
)


def test_bad_customers_are_quarantined_each_with_its_reason() -> None:
    rows = [customer(n, **{**changed, **_itself(n, changed)}) for n, (changed, _, _) in enumerate(BAD)]
    judgement = judge(lenient(suite(CUSTOMER)), table(CUSTOMER, [*rows, *(customer(n) for n in range(100, 200))]))
    assert failing(judgement) == {(f"salesforce:{n}", rule) for n, (_, rule, _) in enumerate(BAD)}
    assert judgement.verdict is Verdict.QUARANTINE
    categories = dict(
        zip(judgement.failures["rule"].to_pylist(), judgement.failures["category"].to_pylist(), strict=True)
    )
    for _, rule, category in BAD:
        assert categories[rule] == category
        assert next(result for result in judgement.results if result.rule == rule).queue is HANDLING[category].queue


def test_unusual_customers_pass() -> None:
    assert failing(judge_customers(*(customer(n, **changed) for n, changed in enumerate(UNUSUAL)))) == set()


def _itself(number: int, changed: dict[str, Any]) -> dict[str, str]:
    return {"parent": f"salesforce:{number}"} if changed.get("parent") == ITSELF else {}


def test_every_member_of_a_loop_fails_and_nobody_else() -> None:
    above = {1: 2, 2: 3, 3: 1, 4: 1, 5: 4, 6: None, 7: 6, 8: 99}
    rows = [customer(n, parent=f"salesforce:{up}" if up else None) for n, up in above.items()]
    chunks = [table(CUSTOMER, rows[:2]), table(CUSTOMER, rows[2:5]), table(CUSTOMER, rows[5:])]
    assert failing(judge(suite(CUSTOMER), *chunks)) == {(f"salesforce:{n}", "parent.loop") for n in (1, 2, 3)}


def test_a_loop_through_a_deleted_or_superseded_record_is_none() -> None:
    first = customer(1, parent="salesforce:2")
    assert failing(judge_customers(first, customer(2, parent="salesforce:1", gone=True))) == set()
    old, new = customer(2, parent="salesforce:1"), customer(2, version=LATER)
    assert failing(judge_customers(first, old, new)) == set()


def test_a_gate_remembers_of_a_batch_only_customers_that_may_be_in_a_loop() -> None:
    """Ten million customers are judged in the memory of one chunk; those without a parent are counted all the same."""
    rows = table(CUSTOMER, [customer(n, parent=f"salesforce:{n}" if n < 2 else None) for n in range(2_000)])
    gate = Gate(suite(CUSTOMER), history=[5_000] * 5)
    gate.chunk(ChunkView(number=0, parts={"records": rows}))
    gc.collect()  # Great Expectations leaves a chunk in cycles of objects
    before = pa.total_allocated_bytes()
    for number in (1, 2):
        keys = pa.array([f"salesforce:{number}-{n}" for n in range(rows.num_rows)])
        gate.chunk(ChunkView(number=number, parts={"records": rows.set_column(0, "key", keys)}))
    del keys
    gc.collect()
    assert pa.total_allocated_bytes() - before < 20_000
    judgement = gate.finish()
    told = {one.rule: (one.checked, one.failed) for one in judgement.results}
    assert (told["parent.loop"], told["count"]) == ((6_000, 2), (6_000, 0))


def test_every_legal_entity_says_what_it_trades_in() -> None:
    for entity in LEGAL_ENTITIES:
        assert entity.currency in entity.trades_in
        assert entity.trades_in <= set(CURRENCIES)
