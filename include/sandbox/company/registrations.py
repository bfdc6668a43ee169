"""Tax registrations with valid check digits, one form per country.

The rules are those the tax authorities publish (VAT numbers as VIES checks them, the Japanese corporate number, the
US employer identification number, which has no check digit).
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

_CIF_LETTERS = "AB"
_IRISH_LETTERS = "WABCDEFGHIJKLMNOPQRSTUV"
_EIN_PREFIXES = ("20", "26", "27", "45", "46", "47", "81", "82")


def registration(country: str, random: Random) -> str:
    """A well-formed tax registration of a country.

    Raises:
        KeyError: no form is known for the country.
    """
    return _FORMS[country](random)


def _digits(random: Random, count: int, *, first: str = "123456789") -> list[int]:
    return [int(random.choice(first)), *(random.randrange(10) for _ in range(count - 1))]


def _text(digits: list[int]) -> str:
    return "".join(map(str, digits))


def _weighted(digits: list[int], weights: range | tuple[int, ...]) -> int:
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=True))


def _luhn(digits: list[int]) -> int:
    """The digit that makes the Luhn sum of `digits` + it divisible by ten."""
    total = sum(sum(divmod(digit * 2, 10)) if place % 2 == 0 else digit for place, digit in enumerate(reversed(digits)))
    return -total % 10


def _netherlands(random: Random) -> str:
    while True:
        digits = _digits(random, 8)
        check = _weighted(digits, range(9, 1, -1)) % 11
        if check < 10:
            return f"NL{_text(digits)}{check}B{random.randrange(1, 4):02}"


def _germany(random: Random) -> str:
    digits = _digits(random, 8)
    product = 10
    for digit in digits:
        total = (digit + product) % 10 or 10
        product = total * 2 % 11
    return f"DE{_text(digits)}{(11 - product) % 10}"


def _france(random: Random) -> str:
    digits = _digits(random, 8)
    siren = _text([*digits, _luhn(digits)])
    return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02}{siren}"


def _belgium(random: Random) -> str:
    digits = [0, *_digits(random, 7)]
    return f"BE{_text(digits)}{97 - int(_text(digits)) % 97:02}"


def _britain(random: Random) -> str:
    digits = _digits(random, 7)
    return f"GB{_text(digits)}{-_weighted(digits, range(8, 1, -1)) % 97:02}"


def _ireland(random: Random) -> str:
    digits = _digits(random, 7)
    return f"IE{_text(digits)}{_IRISH_LETTERS[_weighted(digits, range(8, 1, -1)) % 23]}"


def _spain(random: Random) -> str:
    digits = [random.randrange(1, 5), *(random.randrange(10) for _ in range(6))]
    return f"ES{random.choice(_CIF_LETTERS)}{_text(digits)}{_luhn(digits)}"


def _italy(random: Random) -> str:
    digits = [*_digits(random, 7), 0, *divmod(random.randrange(1, 96), 10)]  # three digits name a province
    return f"IT{_text(digits)}{_luhn(digits)}"


def _sweden(random: Random) -> str:
    digits = [5, 5, *(random.randrange(10) for _ in range(7))]
    return f"SE{_text(digits)}{_luhn(digits)}01"


def _poland(random: Random) -> str:
    while True:
        digits = _digits(random, 9, first="56789")
        check = _weighted(digits, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11
        if check < 10:
            return f"PL{_text(digits)}{check}"


def _united_states(random: Random) -> str:
    return f"{random.choice(_EIN_PREFIXES)}-{_text(_digits(random, 7))}"


def _japan(random: Random) -> str:
    digits = _digits(random, 12)
    total = sum(digit * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return f"T{9 - total % 9}{_text(digits)}"


_FORMS: dict[str, Callable[[Random], str]] = {
    "NL": _netherlands,
    "DE": _germany,
    "FR": _france,
    "BE": _belgium,
    "GB": _britain,
    "IE": _ireland,
    "ES": _spain,
    "IT": _italy,
    "SE": _sweden,
    "PL": _poland,
    "US": _united_states,
    "JP": _japan,
}
COUNTRIES = tuple(_FORMS)
