"""SOQL is built from checked names and escaped values."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import quote_plus

import pytest

from accord.systems.salesforce.soql import Select, by_lists, compare, literal, one_of, within


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", "'plain'"),
        ("O'Neil", r"'O\'Neil'"),
        ("x' OR Name != '", r"'x\' OR Name != \''"),
        ("back\\slash", r"'back\\slash'"),
        ("\\'", r"'\\\''"),
        ('"quoted"', r"'\"quoted\"'"),
        ("two\nlines\r\tand", r"'two\nlines\r\tand'"),
        ("𝄞 شركة", "'𝄞 شركة'"),
        ("", "''"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (7, "7"),
        (Decimal("1E+3"), "1000"),
        (date(2026, 2, 28), "2026-02-28"),
        (datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC), "2026-02-28T23:59:59.999Z"),
        (datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2025-12-31T23:00:00.000Z"),
    ],
)
def test_literals(value, written):
    assert literal(value) == written


def test_an_instant_without_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        literal(datetime(2026, 1, 1))  # noqa: DTZ001  # that is the point


@pytest.mark.parametrize("name", ["Name FROM User", "Name;", "1st", "", "a..b", "Name--", "Náme"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ValueError, match="no Salesforce name"):
        compare(name, "=", "x")
    with pytest.raises(ValueError, match="no Salesforce name"):
        _ = Select(sobject="Account", columns=(name,)).text


def test_an_unknown_operator_is_refused():
    with pytest.raises(ValueError, match="comparison"):
        compare("Name", "LIKE '%' OR", "x")


def test_a_query_and_its_count():
    select = Select(
        sobject="Account", columns=("Id", "Parent.Name"), where=(one_of("Name", ["a'b", "c"]),), order="Id"
    ).also(*within("SystemModstamp", datetime(2026, 1, 1, tzinfo=UTC), None))
    where = r" FROM Account WHERE Name IN ('a\'b','c') AND SystemModstamp >= 2026-01-01T00:00:00.000Z"
    assert select.text == "SELECT Id, Parent.Name" + where + " ORDER BY Id"
    assert select.count == "SELECT count()" + where


def test_a_window_is_closed_below_and_open_above():
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert within("X", at, at) == ("X >= 2026-01-01T00:00:00.000Z", "X < 2026-01-01T00:00:00.000Z")
    assert within("X", None, None) == ()
    later = at + timedelta(microseconds=1)  # what lies at `at` itself is not in [later, …), and is in […, later)
    assert within("X", later, later) == ("X >= 2026-01-01T00:00:00.001Z", "X < 2026-01-01T00:00:00.001Z")


@pytest.mark.parametrize("values", [[f"001{n:015}" for n in range(1_500)], ["'" * 80, "é" * 80] * 60])
def test_lists_name_every_value_once_and_fit_their_limit(values):
    select = Select(sobject="Account", columns=("Id",))
    lists = [s.text for s in by_lists(select, "Id", values, limit=2_000)]
    assert all(len(quote_plus(text)) <= 2_000 for text in lists)
    assert len(lists) > 1
    named = [part for text in lists for part in text.partition("IN (")[2].removesuffix(")").split(",")]
    assert named == [literal(v) for v in values]


def test_no_values_need_no_query():
    assert list(by_lists(Select(sobject="Account", columns=("Id",)), "Id", [], limit=2_000)) == []
