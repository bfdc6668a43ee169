"""What is read out of an ERP, for a made-up object with every kind of field: staged from plain values, then canonical."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from accord.ports import Selection
from accord.records import schema_of
from accord.systems.erp_rows import canonical, columns, write
from tests.fakes import CollectingSink
from tests.things import NOT_READ, THING

READ_AT = datetime(2026, 5, 1, tzinfo=UTC)
EVER = Selection()


WHOLE: dict[str, Any] = {
    "native": "7", "modified": datetime(2026, 4, 30, 12, tzinfo=UTC), "gone": False, "title": " A; b\n", "kind": "b",
    "tags": ["y", "x"], "live": True, "price": Decimal("12.5"), "count": 3, "share": Decimal("1E+2"), "day": date(2026, 2, 28),
    "at": datetime(2026, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=1))), "owner": "42", "currency": "EUR",
    "lines": [{"id": "2", "quantity": Decimal("-1.50"), "product": "salesforce:01t", "due": None}, {"id": "1"}],
}  # fmt: skip


def staged(*rows: dict[str, Any], selection: Selection = EVER) -> dict[str, pa.Table]:
    sink = CollectingSink()
    write(sink, THING, NOT_READ, rows, selection)
    return sink.chunk()


def read(chunk: dict[str, pa.Table]) -> list[dict[str, Any]]:
    table = canonical("tryton", THING, NOT_READ, chunk, READ_AT)
    assert table.schema.equals(schema_of(THING).append(pa.field("problems", pa.list_(pa.string()))))
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def spoilt(part: str, **values: str | None) -> dict[str, Any]:
    """The canonical record when the ERP said `values` in the first row of a part."""
    chunk = staged(WHOLE)
    first, *others = chunk[part].to_pylist()
    chunk[part] = pa.Table.from_pylist([first | values, *others], chunk[part].schema)
    (row,) = read(chunk)
    return row


def test_every_kind_of_value_arrives() -> None:
    (row,) = read(staged(WHOLE))
    assert row == {
        "key": "tryton:7", "version": WHOLE["modified"], "read_at": READ_AT, "gone": False, "merged_into": None,
        "title": " A; b\n", "kind": "b", "tags": ["x", "y"], "live": True, "price": Decimal("12.5000"), "count": 3,
        "share": Decimal("100.0"), "day": date(2026, 2, 28), "at": datetime(2026, 1, 1, 0, 30, tzinfo=UTC),
        "owner": "tryton:42", "currency": "EUR", "guess": None, "notes": None,
        "lines": [
            {"id": "2", "quantity": Decimal("-1.50"), "product": "salesforce:01t", "due": None},
            {"id": "1", "quantity": None, "product": None, "due": None},
        ],
        "problems": [],
    }  # fmt: skip


def test_what_is_staged_is_what_is_promised() -> None:
    promised = columns(THING, NOT_READ)
    assert list(promised) == ["thing", "lines"]
    assert {
        name: dict(zip(t.schema.names, t.schema.types, strict=True)) for name, t in staged(WHOLE).items()
    } == promised
    assert "guess" not in promised["thing"]


def test_nothing_but_an_identity_is_no_problem() -> None:
    nothing = dict.fromkeys(columns(THING, NOT_READ)["thing"]) | {"lines": None}
    (row,) = read(staged({**nothing, "native": "8", "modified": READ_AT, "gone": True}))
    assert (row["key"], row["gone"], row["lines"], row["problems"]) == ("tryton:8", True, [], [])
    assert {row[f.name] for f in THING.fields} == {None}


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("kind", "B", "not a known code"),
        ("kind", "", "not a known code"),
        ("live", "yes", "neither true nor false"),
        ("price", "12,5", "not an amount"),
        ("price", "12345.0", "not an amount"),
        ("price", "1.23456", "not an amount"),
        ("count", "1.5", "not a whole number"),
        ("count", "9" * 19, "not a whole number"),
        ("share", "NaN", "not a number of its size"),
        ("day", "2026-02-30", "not a day"),
        ("day", "28.02.2026", "not a day"),
        ("at", "2026-01-01T00:00:00", "not an instant"),
        ("at", "2026-01-01T24:61:00Z", "not an instant"),
    ],
)
def test_what_does_not_convert_is_null_and_named(name: str, text: str, reason: str) -> None:
    row = spoilt("thing", **{name: text})
    assert (row[name], row["problems"]) == (None, [f"{name}: {reason}"])


def test_the_known_ones_of_a_set_are_kept() -> None:
    row = spoilt("thing", tags="z; w;x")
    assert (row["tags"], row["problems"]) == (["x", "z"], ["tags: not a known code"])


def test_an_instant_that_is_none_leaves_no_version() -> None:
    row = spoilt("thing", modified="yesterday")
    assert (row["version"], row["problems"]) == (None, ["version: not an instant"])


@pytest.mark.parametrize(("text", "value"), [("t", True), ("false", False)])
def test_flags_as_postgresql_writes_them(text: str, value: bool) -> None:
    assert spoilt("thing", live=text)["live"] is value


@pytest.mark.parametrize("text", ["12.500000", "0000012.5", "12.5"])
def test_zeros_count_for_nothing(text: str) -> None:
    assert spoilt("thing", price=text)["price"] == Decimal("12.5")
    assert spoilt("thing", count="12.000")["count"] == 12


def test_a_bad_part_is_a_problem_of_its_root_and_of_no_other() -> None:
    chunk = staged(WHOLE | {"native": "6"}, WHOLE, WHOLE | {"native": "8", "lines": []})
    rows = chunk["lines"].to_pylist()
    rows[2] |= {"due": "never", "quantity": "1.234"}
    rows[3] |= {"due": "never"}
    chunk["lines"] = pa.Table.from_pylist(rows, chunk["lines"].schema)
    problems = {row["key"]: row["problems"] for row in read(chunk)}
    assert problems.pop("tryton:7") == ["lines.quantity: not a number of its size", "lines.due: not a day"]
    assert set(map(len, problems.values())) == {0}


def test_a_root_that_comes_twice_has_its_parts_and_problems_both_times() -> None:
    chunk = staged(WHOLE)
    chunk["thing"] = pa.concat_tables([chunk["thing"], chunk["thing"]])
    first, second = read(chunk)
    assert first == second
    assert len(first["lines"]) == 2
    bad = chunk["lines"].to_pylist()
    chunk["lines"] = pa.Table.from_pylist([bad[0] | {"due": "never"}], chunk["lines"].schema)
    assert [row["problems"] for row in read(chunk)] == [["lines.due: not a day"]] * 2


def test_parts_without_their_root_are_left_out() -> None:
    chunk = staged(WHOLE)
    stray = [row | {"root": "99", "due": "never"} for row in chunk["lines"].to_pylist()]
    chunk["lines"] = pa.Table.from_pylist(stray, chunk["lines"].schema)
    (row,) = read(chunk)
    assert (row["lines"], row["problems"]) == ([], [])


def test_a_chunk_whose_roots_have_no_parts() -> None:
    chunk = staged(WHOLE | {"lines": []})
    assert list(chunk) == ["thing"]
    assert read(chunk)[0]["lines"] == []


def test_only_what_changed_last_in_the_window_is_written() -> None:
    at = WHOLE["modified"]
    assert staged(WHOLE, selection=Selection(since=at, until=at + timedelta(seconds=1)))
    assert not staged(WHOLE, selection=Selection(since=at + timedelta(microseconds=1)))
    assert not staged(WHOLE, selection=Selection(until=at))
    assert staged(WHOLE, selection=Selection(since=READ_AT, natives=("7",)))
