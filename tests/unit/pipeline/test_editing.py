"""What a person may set a field to, by its type, and what becomes of it in the record."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from accord.errors import Stop
from accord.hub.edits import Edit
from accord.masking import masked
from accord.objects import CUSTOMER
from accord.objects.definition import Owner
from accord.pipeline.editing import checked, edited_row, place_of, value_of
from tests.things import THING

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("title", "a title", "a title"),
        ("kind", "b", "b"),
        ("tags", "z, x", ["x", "z"]),
        ("live", "false", False),
        ("price", "12.5", Decimal("12.5000")),
        ("count", "7", 7),
        ("share", "3.5", Decimal("3.5")),
        ("day", "2026-06-01", dt.date(2026, 6, 1)),
        ("at", "2026-06-01T00:00:00Z", NOW),
        ("owner", "salesforce:001", "salesforce:001"),
        ("lines[1].quantity", "2.25", Decimal("2.25")),
        ("title", None, None),
    ],
)
def test_a_value_of_its_type(path: str, text: str | None, value: Any) -> None:
    place = place_of(THING, Owner.ERP, path)
    assert value_of(place.field, checked(place, text)) == value


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("title", "x" * 41),
        ("kind", "c"),
        ("tags", "x,w"),
        ("live", "yes"),
        ("price", "twelve"),
        ("price", "12.00001"),
        ("count", "7.5"),
        ("day", "1 June"),
        ("owner", "tryton:12"),
        ("lines[1].due", "soon"),
    ],
)
def test_anything_else_is_refused_without_repeating_it(path: str, text: str) -> None:
    with pytest.raises(Stop, match="does not fit") as refused:
        checked(place_of(THING, Owner.ERP, path), text)
    assert text not in str(refused.value).removesuffix(".").split()


def test_only_the_named_part_changes_and_its_problem_is_none_any_more() -> None:
    row = {
        "title": None,
        "lines": [{"id": "1", "quantity": None}, {"id": "2", "quantity": Decimal("2.00")}],
        "problems": ["title: not a text", "lines.quantity: not a number", "price: not a number"],
    }
    edit = Edit(said=b"", read_at=NOW, fields={"title": "t", "lines[1].quantity": "1.00"})
    out = edited_row(THING, row, edit)
    assert [line["quantity"] for line in out["lines"]] == [Decimal("1.00"), Decimal("2.00")]
    assert (out["title"], out["problems"]) == ("t", ["price: not a number"])


def test_the_problem_of_another_part_stays() -> None:
    row = {
        "lines": [{"id": "1", "quantity": None}, {"id": "2", "quantity": None}],
        "problems": ["lines.quantity: not a number"],
    }
    edit = Edit(said=b"", read_at=NOW, fields={"lines[1].quantity": "1.00"})
    assert edited_row(THING, row, edit)["problems"] == ["lines.quantity: not a number"]


def test_what_is_shown_follows_the_sensitivity() -> None:
    assert masked(CUSTOMER, "country", "NL") == "NL"
    assert masked(CUSTOMER, "phone", "+31 20 1") == "(personal)"
    assert masked(CUSTOMER, "addresses.street", "Dok 2") == "(personal)"
    assert masked(CUSTOMER, "phone", None) is None
