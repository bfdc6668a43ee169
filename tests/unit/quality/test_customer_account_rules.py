"""Business rules of customer_account."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa

from accord.categories import Category, Queue
from accord.objects import CUSTOMER_ACCOUNT
from accord.pipeline.resolve import UNRESOLVED_TYPE
from accord.quality.gate import Verdict
from tests.unit.quality.rows import account, failing, judge, judge_accounts, lenient, suite, table


def test_a_good_account_passes() -> None:
    judgement = judge_accounts(
        account(1), account(2, overdue=Decimal("50.00"), risk="Medium", risk_level=1, credit_limit=None)
    )
    assert (judgement.verdict, failing(judgement)) == (Verdict.PASS, set())


BAD: tuple[tuple[dict[str, Any], str], ...] = (
    ({"credit_hold": True}, "risk.fits_hold"),
    ({"risk": "Blocked", "risk_level": 3}, "risk.fits_hold"),
    ({"risk_level": 2}, "risk_level.fits_risk"),
    ({"risk_level": 4}, "risk_level.range"),
    ({"overdue": Decimal("1.00")}, "risk.fits_overdue"),
    ({"credit_limit": Decimal("-1.00")}, "credit_limit.possible"),
    ({"currency": "USD"}, "currency.fits"),
    ({"balance": None}, "balance.required"),
    ({"customer_number": " "}, "customer_number.filled"),
    ({"customer": None}, "customer.required"),
    ({"currency": None}, "balance.currency"),
)


def test_bad_accounts_are_quarantined_each_with_its_reason() -> None:
    rows = [account(n, **changed) for n, (changed, _) in enumerate(BAD)]
    judgement = judge(lenient(suite(CUSTOMER_ACCOUNT)), table(CUSTOMER_ACCOUNT, [*rows, account(99)]))
    found = failing(judgement)
    assert found >= {(f"tryton:NL01/{n}", rule) for n, (_, rule) in enumerate(BAD)}
    assert {key for key, _ in found} == {f"tryton:NL01/{n}" for n in range(len(BAD))}


def test_what_the_erp_owns_is_not_for_sales_to_mend() -> None:
    queues = {rule.queue for rule in suite(CUSTOMER_ACCOUNT).rules if rule.category is Category.INVALID_VALUE}
    assert queues == {Queue.FINANCE, Queue.INTEGRATION}


def test_more_overdue_than_owed_is_shown_and_goes_on() -> None:
    judgement = judge_accounts(account(9, overdue=Decimal("101.00"), risk="Medium", risk_level=1))
    result = next(result for result in judgement.results if result.rule == "overdue.within_balance")
    assert (result.failed, result.severity) == (1, "warning")
    assert (judgement.verdict, failing(judgement)) == (Verdict.PASS, set())
    credit = judge_accounts(account(9, balance=Decimal("-5.00"), overdue=Decimal("2.00"), risk="Medium", risk_level=1))
    assert not any(result.failed for result in credit.results)


def test_an_account_that_waits_for_its_customer_lacks_nothing() -> None:
    customer = {"path": "customer", "object": "customer", "awaits": "tryton:42", "unknown": "park"}
    waiting = pa.array([[customer], [], []], UNRESOLVED_TYPE)
    excluded = pa.array([False, False, True])
    rows = [account(n, customer=None) for n in (1, 2, 3)]
    judgement = judge(suite(CUSTOMER_ACCOUNT), table(CUSTOMER_ACCOUNT, rows, unresolved=waiting, out_of_scope=excluded))
    assert failing(judgement) == {("tryton:NL01/2", "customer.required")}
