"""Whose status is pending when an ERP has not taken its part of a run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from accord.objects.customer import CUSTOMER
from accord.objects.definition import BusinessObject
from accord.objects.order import ORDER
from accord.objects.order_status import ORDER_STATUS
from accord.pipeline.acknowledge import _routed
from tests.tables import Row, canonical


def waiting(definition: BusinessObject, rows: list[Row], *targets: str) -> set[str]:
    run: Any = SimpleNamespace(definition=definition)
    return _routed(run, canonical(definition, rows), targets)


def test_a_record_of_one_legal_entity_waits_for_its_erp_only() -> None:
    rows = [{"key": "1", "legal_entity": "NL01"}, {"key": "2", "legal_entity": "US01"}, {"key": "3"}]
    assert waiting(ORDER, rows, "tryton") == {"1"}
    assert waiting(ORDER, rows, "legacy", "tryton") == {"1", "2"}
    assert waiting(ORDER, rows) == set()


def test_a_record_of_several_waits_for_each_of_theirs() -> None:
    rows = [{"key": "1", "legal_entities": ["NL01", "US01"]}, {"key": "2", "legal_entities": ["NL01"]}]
    assert waiting(CUSTOMER, rows, "legacy") == {"1"}


def test_a_record_of_nobody_in_particular_waits_for_all() -> None:
    assert waiting(ORDER_STATUS, [{"key": "1"}], "salesforce") == {"1"}
    assert waiting(ORDER_STATUS, [{"key": "1"}]) == set()
