"""Constituents between lists and tables, and what most targets can't tell apart."""

from __future__ import annotations

import pyarrow as pa

from accord.objects import CUSTOMER
from accord.records import content_hash, part_type
from accord.systems.collapsing import collapse_text
from accord.systems.nesting import nested, unnested
from tests.tables import by_key, canonical

A, B = {"id": "salesforce:a", "last_name": "A"}, {"id": "salesforce:b", "last_name": "B"}


def customers() -> pa.Table:
    rows = [
        {"key": "k1", "contacts": [B, A]},
        {"key": "k2", "contacts": None},
        {"key": "k3", "contacts": []},
        {"key": "k4", "contacts": [A]},
    ]
    return canonical(CUSTOMER, rows)


def test_parts_go_into_a_table_and_come_back() -> None:
    table = customers()
    parts = unnested(table, "contacts")
    assert parts.select(["key", "id"]).to_pylist() == [
        {"key": "k1", "id": "salesforce:b"},
        {"key": "k1", "id": "salesforce:a"},
        {"key": "k4", "id": "salesforce:a"},
    ]
    lists = nested(table["key"].combine_chunks(), parts, part_type(CUSTOMER.constituent("contacts")), root="key")
    assert [[p["id"] for p in some or ()] for some in lists.to_pylist()] == [
        ["salesforce:b", "salesforce:a"],
        [],
        [],
        ["salesforce:a"],
    ]


def test_a_slice_of_a_table_keeps_its_own_parts() -> None:
    assert unnested(customers().slice(3), "contacts")["key"].to_pylist() == ["k4"]
    (row,) = collapse_text(CUSTOMER, customers().slice(3)).to_pylist()
    assert [c["id"] for c in row["contacts"]] == ["salesforce:a"]


def test_parts_of_nobody_are_left_out() -> None:
    kind = part_type(CUSTOMER.constituent("contacts"))
    lists = nested(pa.array(["k4", "k9"]), unnested(customers(), "contacts"), kind, root="key")
    assert [len(some or ()) for some in lists.to_pylist()] == [1, 0]


def test_no_rows_at_all() -> None:
    empty = canonical(CUSTOMER, [])
    assert unnested(empty, "contacts").num_rows == 0
    assert collapse_text(CUSTOMER, empty).num_rows == 0


def test_blanks_and_empty_text_collapse_everywhere() -> None:
    rows = [
        {"key": "k1", "name": "  Ace\u00a0 ", "phone": "", "website": " \t", "legal_entities": [],
         "addresses": [{"role": "bill_to", "street": " a\n b ", "city": ""}], "contacts": []},
        {"key": "k2", "name": "Ace", "legal_entities": None,
         "addresses": [{"role": "bill_to", "street": "a\n b"}], "contacts": None},
    ]  # fmt: skip
    table = collapse_text(CUSTOMER, canonical(CUSTOMER, rows))
    first, second = (by_key(table)[k] for k in ("k1", "k2"))
    assert first | {"key": None} == second | {"key": None}
    names = [f.name for f in CUSTOMER.fields] + [c.name for c in CUSTOMER.constituents]
    hashes = content_hash(CUSTOMER, table, names).to_pylist()
    assert hashes[0] == hashes[1]
