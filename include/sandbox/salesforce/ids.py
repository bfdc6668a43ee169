"""Record ids: 15 case-sensitive characters, plus 3 that make them safe to compare without case."""

import string
from functools import lru_cache

DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CHECKS = string.ascii_uppercase + "012345"
_POD = "gK0"
# Which characters are upper case, as text of 0 and 1, and the check character of each five of them.
_CASES = {ord(char): "01"[char.isupper()] for char in DIGITS}
_CHECK = {f"{bits:05b}"[::-1]: char for bits, char in enumerate(_CHECKS)}
_LOW = 62**5  # how many numbers the last five characters tell apart
_PAIRS = [first + second for first in DIGITS for second in DIGITS]


def suffix(id15: str) -> str:
    """Return the three check characters: each covers five characters, bit k set if character k is upper case."""
    cases = id15.translate(_CASES)
    return _CHECK[cases[:5]] + _CHECK[cases[5:10]] + _CHECK[cases[10:]]


def make(prefix: str, number: int) -> str:
    """Return the 18-character id of the `number`-th record of the object with this 3-character prefix."""
    high, low = divmod(number, _LOW)
    head, checks = _head(prefix, high)
    first, low = divmod(low, 3844 * 62)
    second, third = divmod(low, 62)
    tail = _PAIRS[first] + _PAIRS[second] + DIGITS[third]
    return head + tail + checks + _CHECK[tail.translate(_CASES)]


@lru_cache
def _head(prefix: str, high: int) -> tuple[str, str]:
    """Return the first ten characters of an id and their check characters: the next 900 million ids share them."""
    body = ""
    while high:
        high, pair = divmod(high, 3844)
        body = _PAIRS[pair] + body
    head = prefix + _POD + body.rjust(4, "0")[-4:]
    return head, suffix(head + "00000")[:2]


def normalize(text: str) -> str | None:
    """Return the 18-character form of a 15- or 18-character id, or None if it is not one.

    An 18-character id may come in any letter case: its suffix says what the case was.
    """
    if len(text) == 15:
        return text + suffix(text) if text.isascii() and text.isalnum() else None
    if len(text) != 18 or not (text.isascii() and text.isalnum()):
        return None
    if text[15:] == suffix(text[:15]):
        return text
    chars = list(text[:15])
    for group, check in enumerate(text[15:].upper()):
        bits = _CHECKS.find(check)
        if bits < 0:
            return None
        for offset in range(5):
            at = group * 5 + offset
            chars[at] = chars[at].upper() if bits >> offset & 1 else chars[at].lower()
    id15 = "".join(chars)
    return id15 + text[15:].upper() if suffix(id15) == text[15:].upper() else None
