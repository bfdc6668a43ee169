"""What both sides add up to."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

from accord.hub.reconciliations import amounts_of, describe, differing, waits
from accord.objects import INVOICE
from accord.pipeline.reconcile.amounts import Amounts, add_amounts, as_kept, counted, merge
from accord.pipeline.reconcile.sides import Pair
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
