"""What `accord reconcile` prints."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accord.commands.reconcile import SHOWN, _lines
from accord.errors import Stop
from accord.flows import reconciled_pairs

SUMMARY = {
    "flow": "invoice__tryton_to_salesforce",
    "target": "salesforce",
    "counts": {"agreed": 1, "amount differs": 1},
    "outcomes": {"proposed": 1},
    "amounts": {
        "total": {"EUR": {"source": "10.01", "target": "7.00"}, "USD": {"source": "5.00", "target": "5.00"}},
    },
}
ROW = {
    "key": "tryton:7", "class": "amount differs", "fields": ["lines.net", "total"], "cause": "it was changed in the target",
    "currency": "EUR", "at_risk": Decimal("3.01"), "correction": "send it again", "outcome": "proposed",
}  # fmt: skip


def test_counts_amounts_of_both_sides_and_each_difference() -> None:
    first, euros, dollars, difference = _lines(SUMMARY, [ROW])
    assert first.endswith("2 looked at, 1 agreed; 1 amount differs (1 proposed)")
    assert euros.split() == "total 10.01 EUR in the source ≠ 7.00 EUR in salesforce".split()
    assert "= " in dollars
    assert difference == (
        "  tryton:7: amount differs (lines.net, total): it was changed in the target, 3.01 EUR at risk; send it again: proposed"
    )


def test_a_terminal_is_not_flooded() -> None:
    *_, last = _lines(SUMMARY, [ROW] * (SHOWN + 3))
    assert last == "  and 3 more; --json has them"


def test_between_which_systems() -> None:
    assert [(flow.source, target) for flow, target in reconciled_pairs("customer")] == [
        ("salesforce", "tryton"),
        ("salesforce", "legacy"),
    ]
    assert [flow.source for flow, _ in reconciled_pairs("invoice", source="legacy")] == ["legacy"]
    with pytest.raises(Stop, match="No flow brings invoice there"):
        reconciled_pairs("invoice", target="tryton")
