"""Which records belong into a system."""

from __future__ import annotations

from accord.objects.customer import CUSTOMER
from accord.objects.definition import BusinessObject
from accord.objects.order import ORDER
from accord.objects.order_status import ORDER_STATUS
from accord.pipeline.route import belongs
from tests.tables import Row, canonical


def kept(definition: BusinessObject, rows: list[Row], system: str) -> set[str]:
    records = canonical(definition, rows)
    return set(records.filter(belongs(definition, records, system))["key"].to_pylist())


def test_a_record_of_one_legal_entity_belongs_to_its_erp_only() -> None:
    rows = [{"key": "1", "legal_entity": "NL01"}, {"key": "2", "legal_entity": "US01"}, {"key": "3"}]
    assert kept(ORDER, rows, "tryton") == {"1"}
    assert kept(ORDER, rows, "legacy") == {"2"}


def test_a_record_of_several_belongs_to_each_of_theirs() -> None:
    rows = [{"key": "1", "legal_entities": ["NL01", "US01"]}, {"key": "2", "legal_entities": ["NL01"]}]
    assert kept(CUSTOMER, rows, "legacy") == {"1"}
    assert kept(CUSTOMER, rows, "tryton") == {"1", "2"}


def test_a_record_of_nobody_in_particular_belongs_everywhere() -> None:
    assert kept(ORDER_STATUS, [{"key": "1"}], "salesforce") == {"1"}


def test_a_system_that_keeps_no_books_takes_all() -> None:
    assert kept(ORDER, [{"key": "1", "legal_entity": "NL01"}, {"key": "2"}], "salesforce") == {"1", "2"}
