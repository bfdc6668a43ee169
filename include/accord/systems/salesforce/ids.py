"""Salesforce ids: 15 characters that differ by case, or 18 that do not need to.

Three characters are added, one for each group of five: bit k says that character k is a capital, and the number is
written in A–Z, 0–5.
"""

from __future__ import annotations

import re

from accord.errors import Stop

_ID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?", re.ASCII)
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def long_id(text: str) -> str:
    """The 18-character form of an id. Raises Stop when `text` is none."""
    if not _ID.fullmatch(text):
        raise Stop("That is no Salesforce id.", cure="Give a record's 15- or 18-character id.")
    short = text[:15]
    return short + "".join(
        _ALPHABET[sum(1 << bit for bit, letter in enumerate(short[first : first + 5]) if "A" <= letter <= "Z")]
        for first in (0, 5, 10)
    )
