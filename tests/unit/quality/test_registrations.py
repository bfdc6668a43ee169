"""Registrations: what is asked about once for many gives what asking about each gives."""

import pyarrow as pa
import pytest
from stdnum.util import get_cc_module

from accord.quality import registrations
from accord.quality.registrations import could_be_issued

# prefixes the IRS gives and does not give, with and without the hyphen, and what is no EIN at all
EINS = [f"{prefix:02d}{middle}{n:07d}" for prefix in range(100) for n, middle in ((1, "-"), (9_999_999, ""))]
ODD = ["", "12-345678", "1-23456789", "12 3456789", "AB-1234567", "１２-３４５６７８９", "12-3456789\n", "123456789012"]


def judged(countries: list[str | None], numbers: list[str | None]) -> list[bool | None]:
    columns = [pa.chunked_array([pa.array(column, pa.string())]) for column in (countries, numbers)]
    return list(could_be_issued(*columns).to_pylist())


def test_an_ein_is_what_the_library_says_of_each() -> None:
    ein = get_cc_module("us", "ein")
    assert judged(["US"] * len(EINS + ODD), [*EINS, *ODD]) == [ein.is_valid(number) for number in [*EINS, *ODD]]


def test_the_same_digits_elsewhere_are_no_ein() -> None:
    assert judged(["NL", None, "US", "US"], ["20-0000001", "20-0000001", None, "20-0000001"]) == [
        False,
        None,
        None,
        True,
    ]


def test_eins_are_asked_about_once_for_each_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(registrations, "_valid", lambda country, number: asked.append(number))
    judged(["US"] * 1000, [f"{20 + n % 2}-{n:07d}" for n in range(1000)])
    assert len(asked) == 2
