"""When two names mean the same company."""

from __future__ import annotations

import pytest

from accord.matching import normalized_code, normalized_name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme B.V.", "ACME bv"),
        ("Acme, Inc.", "Acme Incorporated"),
        ("Café Müller GmbH", "cafe muller"),
        ("  Acme   Ltd", "Acme"),
        ("株式会社アクメ", "株式会社アクメ "),
        ("Straße AG", "STRASSE"),
    ],
)
def test_the_same(one: str, other: str) -> None:
    assert normalized_name(one) == normalized_name(other) != ""


@pytest.mark.parametrize(("one", "other"), [("Acme", "Acne"), ("SA", "AG"), ("Acme 1", "Acme 2"), ("Δ", "Λ")])
def test_not_the_same(one: str, other: str) -> None:
    assert normalized_name(one) != normalized_name(other)


@pytest.mark.parametrize("nothing", [None, "", "  ", "!?", "\u200b"])
def test_nothing_is_left(nothing: str | None) -> None:
    assert normalized_name(nothing) == ""
    assert normalized_code(nothing) == ""


def test_codes() -> None:
    assert normalized_code(" nl 123.456-B01 ") == "NL123456B01"
