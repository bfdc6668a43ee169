"""The hash of what a source said, and canonical tables."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accord.objects import CUSTOMER, CUSTOMER_ACCOUNT
from accord.objects.definition import BusinessObject
from accord.records import conform, content_hash, correlation_id, schema_of
from tests.tables import canonical

NAMES = frozenset({"name", "phone", "website", "legal_entities", "addresses", "contacts"})

texts = st.none() | st.text(st.characters(codec="utf-8"), max_size=6)
entities = st.none() | st.lists(st.sampled_from(["NL01", "US01"]), unique=True, max_size=2).map(sorted)
contacts = st.none() | st.lists(
    st.fixed_dictionaries({"id": texts, "last_name": texts, "email": texts}), max_size=3, unique_by=lambda c: c["id"]
)
rows = st.fixed_dictionaries(
    {"name": texts, "phone": texts, "website": texts, "legal_entities": entities, "contacts": contacts}
)


def digests(*of: dict[str, Any], definition: BusinessObject = CUSTOMER, names: frozenset[str] = NAMES) -> list[bytes]:
    table = canonical(definition, [{"key": str(n)} | row for n, row in enumerate(of)])
    found: list[bytes] = content_hash(definition, table, names).to_pylist()
    return found


def meaning(row: dict[str, Any]) -> Any:
    """What a row says: null fields say nothing, parts have no order."""
    said = {k: v for k, v in row.items() if v is not None and v != []}
    if "contacts" in said:
        parts = [tuple(sorted((k, v) for k, v in part.items() if v is not None)) for part in said["contacts"]]
        said["contacts"] = sorted(parts)
    return said


@given(rows, rows)
@settings(max_examples=200, deadline=None, print_blob=True)
def test_equal_hashes_mean_equal_content(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = digests(one, other)
    if first != second:
        assert meaning(one) != meaning(other)
    else:
        assert meaning(one) == meaning(other)


@given(st.lists(rows, min_size=1, max_size=5))
@settings(max_examples=60, deadline=None, print_blob=True)
def test_a_rows_hash_depends_on_nothing_but_the_row(many: list[dict[str, Any]]) -> None:
    together = digests(*many)
    assert together == [digests(row)[0] for row in many]
    shuffled = [
        row | {"contacts": list(reversed(row["contacts"])) if row["contacts"] else row["contacts"]} for row in many
    ]
    assert digests(*shuffled) == together


def test_columns_may_come_in_any_order() -> None:
    table = canonical(CUSTOMER, [{"key": "1", "name": "A", "phone": "B"}])
    turned = table.select(list(reversed(table.column_names)))
    assert content_hash(CUSTOMER, turned, NAMES) == content_hash(CUSTOMER, table, reversed(sorted(NAMES)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            {"name": "A"},
            {"name": "A", "phone": ""},
        ),  # null is not empty; adapters collapse what their target can't tell
        ({"name": "AB", "phone": "C"}, {"name": "A", "phone": "BC"}),
        ({"name": "A", "phone": None}, {"name": None, "phone": "A"}),
        ({}, {"name": ""}),
        ({"legal_entities": ["NL01"]}, {"legal_entities": ["NL01", "US01"]}),
        ({"contacts": [{"id": "1", "email": "a"}]}, {"contacts": [{"id": "1", "phone": "a"}]}),
        ({"contacts": [{"id": "1"}, {"id": "2"}]}, {"contacts": [{"id": "1"}]}),
        ({"name": "A", "gone": False}, {"name": "A", "gone": True}),
    ],
)
def test_different_content(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = digests(one, other)
    assert first != second


def test_same_content() -> None:
    first, second = digests({"contacts": []}, {"contacts": None})
    assert first == second
    gone, gone_too = digests({"name": "A", "gone": True}, {"name": "B", "gone": True})
    assert gone == gone_too


def test_money_and_flags() -> None:
    names = frozenset({"balance", "credit_hold", "risk_level"})
    one, other, same = digests(
        {"balance": Decimal("1.10"), "credit_hold": False, "risk_level": 0},
        {"balance": Decimal("1.11"), "credit_hold": False, "risk_level": 0},
        {"balance": Decimal("1.1"), "credit_hold": False, "risk_level": 0},
        definition=CUSTOMER_ACCOUNT,
        names=names,
    )
    assert one != other
    assert one == same


def test_nothing_to_hash() -> None:
    assert digests({"name": "A"}, names=frozenset()) == digests({"name": "B"}, names=frozenset())
    assert content_hash(CUSTOMER, schema_of(CUSTOMER).empty_table(), NAMES).to_pylist() == []


def test_conform_fills_orders_and_drops() -> None:
    table = conform(CUSTOMER, pa.table({"extra": [1], "name": ["A"], "key": ["k"]}))
    assert table.schema.equals(schema_of(CUSTOMER))
    (row,) = table.to_pylist()
    assert (row["key"], row["name"], row["gone"], row["phone"]) == ("k", "A", False, None)


def test_conform_refuses_what_does_not_fit() -> None:
    with pytest.raises(pa.ArrowInvalid):
        conform(CUSTOMER_ACCOUNT, pa.table({"key": ["k"], "balance": ["twelve"]}))


def test_a_correlation_id_follows_one_version_of_one_record() -> None:
    one = correlation_id("customer", "salesforce:1", "v1")
    assert one == correlation_id("customer", "salesforce:1", "v1")
    assert (
        len({one, correlation_id("customer", "salesforce:1", "v2"), correlation_id("order", "salesforce:1", "v1")}) == 3
    )
