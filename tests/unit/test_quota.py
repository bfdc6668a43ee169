"""Who may use how much of the day's requests."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from accord.flows import FLOWS
from accord.objects.definition import Priority
from accord.quota import Usage


@pytest.mark.parametrize(
    ("used", "waiting"),
    [
        (0, set()),
        (74, set()),
        (75, {Priority.BULK}),
        (89, {Priority.BULK}),
        (90, {Priority.BULK, Priority.STANDARD}),
        (100, {Priority.BULK, Priority.STANDARD}),
    ],
)
def test_bulk_yields_first_and_what_is_critical_never(used: int, waiting: set[Priority]) -> None:
    usage = Usage(used=used, allowed=100, told=datetime(2026, 3, 2, tzinfo=UTC))
    assert {priority for priority in Priority if usage.keeps_back(priority)} == waiting


def test_an_org_that_allows_nothing_has_nothing_left() -> None:
    assert Usage(used=0, allowed=0, told=datetime(2026, 3, 2, tzinfo=UTC)).keeps_back(Priority.STANDARD)


def test_orders_come_first() -> None:
    first = {flow.object for flow in FLOWS.values() if flow.priority is Priority.CRITICAL}
    assert first == {"order", "order_status"}
    assert {flow.object for flow in FLOWS.values() if flow.priority is Priority.BULK} == {
        "product",
        "price",
        "price_list",
    }
