"""What both sides add up to."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

from accord.hub.reconciliations import amounts_of, describe, differing, waits
from accord.objects import CONTRACT, INVOICE
from accord.pipeline.reconcile.amounts import Amounts, add_amounts, as_kept, counted, merge
from accord.pipeline.reconcile.sides import Pair
from accord.pipeline.transform import amount_columns
from tests.tables import canonical

ROWS = [
    {"key": "a", "currency": "EUR", "net": Decimal("1.10"), "tax": Decimal("0.21"), "total": Decimal("1.31")},
    {"key": "b", "currency": "EUR", "net": Decimal("2.00"), "tax": None, "total": Decimal("2.00")},
    {"key": "c", "currency": "USD", "net": Decimal("5.00"), "tax": Decimal("0.00"), "total": Decimal("5.00")},
]


def pair(*names: str) -> Pair:
    return cast(Pair, SimpleNamespace(definition=INVOICE, names=frozenset(names)))


def test_every_amount_that_is_compared_per_currency_and_side() -> None:
    sums: Amounts = {}
    table = canonical(INVOICE, ROWS)
    add_amounts(sums, pair("net", "tax"), table, side="source")
    add_amounts(sums, pair("net", "tax"), table.slice(0, 1), side="target")
    kept = as_kept(sums)
    assert set(kept) == {"net", "tax"}
    assert {c: {s: Decimal(a) for s, a in sides.items()} for c, sides in kept["net"].items()} == {
        "EUR": {"source": Decimal("3.10"), "target": Decimal("1.10")},
        "USD": {"source": Decimal(5), "target": Decimal(0)},
    }
    merge(sums, sums | {})
    assert [a[2] for a in amounts_of({"amounts": as_kept(sums)}) if a[:2] == ("net", "EUR")] == [Decimal("6.20")]


def test_a_target_without_the_currency_has_that_of_the_row_beside() -> None:
    sums: Amounts = {}
    ours = canonical(INVOICE, ROWS)
    theirs = canonical(INVOICE, [{**row, "currency": None} for row in ROWS])
    add_amounts(sums, pair("total"), theirs, side="target", beside=ours)
    assert {currency: sides["target"] for currency, sides in sums["total"].items()} == {
        "EUR": Decimal("3.31"),
        "USD": Decimal("5.00"),
    }


def test_the_amount_of_one_record() -> None:
    row: dict[str, Any] = {**ROWS[0]}
    assert counted(INVOICE, row, ["total"]) == ("EUR", Decimal("1.31"))
    assert counted(INVOICE, row, []) == ("EUR", Decimal(0)), "the target keeps no amount"
    assert counted(INVOICE, None, ["total"]) == ("", Decimal(0))


def subscription(key: str, quantity: int, **changed: Any) -> dict[str, Any]:
    line: dict[str, Any] = {
        "id": "1",
        "product": "tryton:7",
        "quantity": Decimal(quantity),
        "unit_price": Decimal("10.0050"),
    }
    line |= {"billing_period": "Quarterly", "start_date": date(2026, 1, 1), "end_date": date(2026, 12, 31)} | changed
    return {"key": key, "currency": "EUR", "lines": [line]}


def test_a_contract_comes_to_what_its_lines_do() -> None:
    """Four quarters of twice 10.005; what can't be billed as it is counts for nothing."""
    rows = [subscription("a", 2), subscription("b", 1, end_date=None), {"key": "c", "currency": "USD", "lines": None}]
    table, sums = canonical(CONTRACT, rows), cast(Amounts, {})
    add_amounts(
        sums, cast(Pair, SimpleNamespace(definition=CONTRACT, names=frozenset({"lines"}))), table, side="source"
    )
    assert {currency: sides["source"] for currency, sides in sums["value"].items()} == {
        "EUR": Decimal("80.04"),
        "USD": 0,
    }
    (row, *_) = table.to_pylist()
    assert counted(CONTRACT, row, {"lines"}) == ("EUR", Decimal("80.04"))
    assert counted(CONTRACT, row, {"number"}) == ("EUR", Decimal(0)), "the target keeps no lines"
    currency, amounts = amount_columns(CONTRACT, table)
    assert (currency.to_pylist(), amounts.to_pylist()) == (["EUR", "EUR", "USD"], [Decimal("80.04"), 0, 0])


def test_a_summary_in_a_line() -> None:
    summary = {
        "flow": "f", "target": "tryton", "counts": {"agreed": 1200, "missing": 2, "in flight": 1},
        "outcomes": {"corrected": 1, "proposed": 1},
    }  # fmt: skip
    assert describe(summary) == (
        "f → tryton: 1,203 looked at, 1,200 agreed, 1 in flight; 2 missing (1 corrected, 1 proposed)"
    )
    assert differing(summary) == {"missing": 2}
    assert waits(summary) == 1
    quiet = summary | {"counts": {"agreed": 3}, "outcomes": {}}
    assert describe(quiet) == "f → tryton: 3 looked at, 3 agreed; no difference"
