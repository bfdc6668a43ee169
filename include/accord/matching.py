"""When two names mean the same company."""

from __future__ import annotations

import re
import unicodedata

# legal forms carry no identity: "Acme B.V." and "ACME BV" are suspects of being one
_LEGAL_FORMS = frozenset(
    "ab ag as asa bv bvba co company corp corporation gmbh inc incorporated kg kk limited llc llp ltd nv oy oyj plc pte pty sa sarl sas "
    "sl spa sro srl".split()
)

_DOTS = re.compile(r"(?<=\w)\.(?=\w)")  # b.v. → bv
_WORDS = re.compile(r"\w+")
_NO_WORD = re.compile(r"\W")


def normalized_name(name: str | None) -> str:
    """Letters and digits of any script in lower case without accents, legal forms dropped; empty when nothing is left.

    A name made only of legal forms keeps them.
    """
    if not name:
        return ""
    plain = name.casefold()
    if not plain.isascii():  # most names are, and it takes most of the time
        plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    words = _WORDS.findall(_DOTS.sub("", plain))
    return " ".join([w for w in words if w not in _LEGAL_FORMS] or words)


def normalized_code(code: str | None) -> str:
    """A registration number without blanks and punctuation, in upper case."""
    return _NO_WORD.sub("", code).upper() if code else ""
