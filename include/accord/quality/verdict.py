"""The verdicts of a gate, in a module that costs nothing to import: the hub keeps them, too."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """What becomes of the batch."""

    PASS = "pass"  # noqa: S105  # a verdict, not a password
    QUARANTINE = "pass with quarantine"  # the failing records become exceptions, the rest goes on
    STOP = "stop"  # nothing goes on
    UNCHECKED = "could not check"  # not the same as failed: nobody knows


REFUSED = (Verdict.STOP, Verdict.UNCHECKED)  # nothing of the batch goes on
WORST_FIRST = (*REFUSED, Verdict.QUARANTINE, Verdict.PASS)
