"""Images: nothing of a record is lost in them, and personal values stand apart."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from accord.images import canonical, field_changes, field_path, images, merged
from accord.objects import CUSTOMER
from accord.objects.definition import Owner
from accord.records import content_hash, schema_of
from tests.things import THING

NAMES = frozenset(f.name for f in THING.fields) | {c.name for c in THING.constituents}
WHOLE: dict[str, Any] = {
    "key": "erp:1", "gone": False, "title": 'ä "quoted"', "kind": "a", "tags": ["x", "y"], "live": False,
    "price": Decimal("12.3400"), "count": 7, "share": Decimal("12.5"), "day": date(2026, 3, 2),
    "at": datetime(2026, 3, 2, 8, 0, 0, 123456, tzinfo=UTC), "owner": "salesforce:1", "currency": "EUR", "guess": None,
    "lines": [
        {"id": "a.1", "quantity": Decimal("2.50"), "product": "erp:9", "due": date(2026, 4, 1)},
        {"id": "a.1", "quantity": None, "product": None, "due": None},
    ],
}  # fmt: skip


def test_a_record_comes_back_as_it_was() -> None:
    table = pa.Table.from_pylist([WHOLE], schema=schema_of(THING))
    (row,) = images(THING, table, Owner.ERP, NAMES).to_pylist()
    back = canonical(THING, {"erp:1": merged(json.loads(row["plain"]), json.loads(row["personal"]))})
    assert back.to_pylist() == table.to_pylist(), "two parts of one key are still two"
    assert content_hash(THING, back, NAMES) == content_hash(THING, table, NAMES)
    assert row["refs"] == '{"salesforce:1"}', "products are no part of its life"


def test_personal_values_stand_apart_and_seeds_go_once() -> None:
    customer = {
        "key": "salesforce:1", "gone": False, "name": "Acme", "legal_name": "Acme B.V.", "phone": "MARKER1",
        "addresses": [{"role": "bill_to", "street": "MARKER2", "city": "Delft"}],
        "contacts": [{"id": "salesforce:C1", "last_name": "MARKER3"}],
    }  # fmt: skip
    table = pa.Table.from_pylist([customer, customer], schema=schema_of(CUSTOMER))
    table = table.append_column("native", pa.array([None, "7"], pa.string()))
    keeps = frozenset(f.name for f in CUSTOMER.fields) | {"addresses", "contacts"}
    created, updated = images(CUSTOMER, table, Owner.SALESFORCE, keeps).to_pylist()
    assert "MARKER" not in created["plain"]
    assert [n for n in (1, 2, 3) if f"MARKER{n}" not in created["personal"]] == []
    assert json.loads(created["plain"])["legal_name"] == "Acme B.V."
    assert "legal_name" not in json.loads(updated["plain"])
    whole = merged(json.loads(created["plain"]), json.loads(created["personal"]))
    assert whole["addresses"]["bill_to"] == {"role": "bill_to", "street": "MARKER2", "city": "Delft"}
    assert field_path("contacts.salesforce:C.1.last_name") == "contacts.last_name"


def test_only_what_differs_is_a_change() -> None:
    before = {"name": "a", "lines": {"1": {"q": 1, "p": 2}, "2": {"q": 5}}}
    after = {"name": "a", "lines": {"1": {"q": 3, "p": 2}}, "new": True}
    assert list(field_changes(before, after)) == [("lines.1.q", 1, 3), ("lines.2.q", 5, None), ("new", None, True)]
