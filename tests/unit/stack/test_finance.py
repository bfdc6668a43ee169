"""Finance decides by the customer's code alone, and the sample shows every kind of customer."""

from __future__ import annotations

from decimal import Decimal

from sandbox.erp.finance import decide

CODES = [f"001{number:015d}" for number in range(400)]


def test_the_same_code_gets_the_same_decision() -> None:
    assert [decide(code) for code in CODES] == [decide(code) for code in CODES]


def test_every_kind_of_customer_occurs() -> None:
    decisions = [decide(code) for code in CODES]
    assert {decision.term for decision in decisions} == {"NET14", "NET30", "NET60", "Immediate"}
    assert {decision.hold for decision in decisions} == {True, False}
    assert {len(decision.items) for decision in decisions} == {0, 1, 2, 3}
    owed = [sum((amount for _, amount in decision.items), Decimal(0)) for decision in decisions]
    assert any(amount > decision.limit > 0 for amount, decision in zip(owed, decisions, strict=True))
    assert any(0 < amount <= decision.limit for amount, decision in zip(owed, decisions, strict=True))


def test_amounts_are_whole_cents_and_positive() -> None:
    for code in CODES:
        for age, amount in decide(code).items:
            assert 5 <= age < 115
            assert amount > 0
            assert amount == amount.quantize(Decimal("0.01"))
