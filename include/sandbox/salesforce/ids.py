"""Record ids: 15 case-sensitive characters, plus 3 that make them safe to compare without case."""

import string

DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SUFFIX = string.ascii_uppercase + "012345"
_POD = "gK0"
_ALNUM = frozenset(DIGITS)


def suffix(id15: str) -> str:
    """Return the three check characters: each covers five characters, bit k set if character k is upper case."""
    out = ""
    for start in (0, 5, 10):
        bits = 0
        for offset, char in enumerate(id15[start : start + 5]):
            if "A" <= char <= "Z":
                bits |= 1 << offset
        out += _SUFFIX[bits]
    return out


def make(prefix: str, number: int) -> str:
    """Return the 18-character id of the `number`-th record of the object with this 3-character prefix."""
    body = ""
    while number:
        number, digit = divmod(number, 62)
        body = DIGITS[digit] + body
    id15 = prefix + _POD + body.rjust(9, "0")
    return id15 + suffix(id15)


def normalize(text: str) -> str | None:
    """Return the 18-character form of a 15- or 18-character id, or None if it is not one.

    An 18-character id may come in any letter case: its suffix says what the case was.
    """
    if len(text) == 15:
        return text + suffix(text) if _ALNUM.issuperset(text) else None
    if len(text) != 18 or not _ALNUM.issuperset(text):
        return None
    chars = list(text[:15])
    for group, check in enumerate(text[15:].upper()):
        bits = _SUFFIX.find(check)
        if bits < 0:
            return None
        for offset in range(5):
            at = group * 5 + offset
            chars[at] = chars[at].upper() if bits >> offset & 1 else chars[at].lower()
    id15 = "".join(chars)
    return id15 + text[15:].upper() if suffix(id15) == text[15:].upper() else None
