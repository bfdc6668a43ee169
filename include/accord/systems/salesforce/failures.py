"""Salesforce's error codes, typed by what to do about them.

Codes: SOAP API Developer Guide, "StatusCode"; REST API Developer Guide, "Status Codes and Error Responses".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from accord.categories import Category
from accord.errors import Recovery, Stop
from accord.systems.results import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One error as Salesforce words it. `message` may carry record values: only `answer()` may be stored or shown."""

    code: str
    message: str
    fields: tuple[str, ...] = ()


class Refused(Stop):
    """Salesforce took the request and refused it as a whole: nothing was changed."""

    def __init__(self, message: str, *, faults: tuple[Fault, ...], status: int) -> None:
        super().__init__(message, cure="Compare the org with what Accord expects of it: accord doctor.")
        self.faults, self.status = faults, status


# the record is gone, or the one it refers to
GONE = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"})
# the set-up lacks a field, an object or a permission
DRIFT = frozenset(
    {
        "INVALID_FIELD",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "INVALID_TYPE",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
    }
)
LIMITS = frozenset({"REQUEST_LIMIT_EXCEEDED", "CONCURRENT_REQUEST_LIMIT_EXCEEDED", "EXCEEDED_QUOTA", "EXCEEDEDQUOTA"})

_RETRY: Mapping[str, Category] = {
    "UNABLE_TO_LOCK_ROW": Category.LOCKED,
    "REQUEST_LIMIT_EXCEEDED": Category.OUTAGE,
    "SERVER_UNAVAILABLE": Category.OUTAGE,
    "ALL_OR_NONE_OPERATION_ROLLED_BACK": Category.INTERRUPTED,
    "PROCESSING_HALTED": Category.INTERRUPTED,
    "UNKNOWN_EXCEPTION": Category.REFUSED,
}
_REJECT: Mapping[str, Category] = {
    "DUPLICATE_VALUE": Category.DUPLICATE_KEY,
    "DUPLICATE_EXTERNAL_ID": Category.DUPLICATE_KEY,
    "DUPLICATES_DETECTED": Category.DUPLICATE_KEY,
    "STRING_TOO_LONG": Category.TOO_LONG,
    "REQUIRED_FIELD_MISSING": Category.MISSING_VALUE,
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": Category.INVALID_VALUE,
    "INVALID_EMAIL_ADDRESS": Category.INVALID_VALUE,
    "INVALID_TYPE_ON_FIELD_IN_RECORD": Category.INVALID_VALUE,
    "JSON_PARSER_ERROR": Category.INVALID_VALUE,
    "MALFORMED_ID": Category.INVALID_VALUE,
    "NUMBER_OUTSIDE_VALID_RANGE": Category.INVALID_VALUE,
    "FIELD_INTEGRITY_EXCEPTION": Category.INVALID_VALUE,
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": Category.REFUSED,
    "ENTITY_IS_DELETED": Category.REFERENCE_UNKNOWN,
    "INVALID_CROSS_REFERENCE_KEY": Category.REFERENCE_UNKNOWN,
    "INVALID_ID_FIELD": Category.REFERENCE_UNKNOWN,
    "NOT_FOUND": Category.REFERENCE_UNKNOWN,
}
_HOLD = DRIFT | {"INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"}

_WORDS: Mapping[Category, str] = {
    Category.LOCKED: "Another user or job holds the record in Salesforce.",
    Category.OUTAGE: "Salesforce did not take the record.",
    Category.INTERRUPTED: "Salesforce stopped before it came to the record.",
    Category.DUPLICATE_KEY: "Salesforce already has another record with this value.",
    Category.TOO_LONG: "A value is too long for its field in Salesforce.",
    Category.MISSING_VALUE: "Salesforce requires a value that is empty.",
    Category.INVALID_VALUE: "Salesforce does not accept a value.",
    Category.REFERENCE_UNKNOWN: "The record no longer exists in Salesforce.",
    Category.NOT_PERMITTED: "The integration user may not write the record.",
    Category.REFUSED: "Salesforce refused the record.",
}

# Texts of these codes are Salesforce's or the org's own; the others quote the value that was refused.
_PLAIN = frozenset(
    {
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "DUPLICATE_VALUE",
        "ENTITY_IS_DELETED",
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "INVALID_CROSS_REFERENCE_KEY",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "REQUIRED_FIELD_MISSING",
        "UNABLE_TO_LOCK_ROW",
    }
)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|“[^”]*”|‘[^’]*’")
_BULK = re.compile(r"^(?P<code>[A-Z][A-Z0-9_]*):(?P<message>.*):(?P<fields>[^:]*?)\s*--\s*$", re.DOTALL)
_SHORTEST_VALUE = 3  # shorter values say nothing about anybody and would shred the text


def faults_in(body: Any) -> tuple[Fault, ...]:
    """The errors in a response body or a save result: `[{errorCode|statusCode, message, fields}]` or one of them."""
    entries = body if isinstance(body, list) else [body]
    return tuple(
        Fault(
            code=str(e.get("errorCode") or e.get("statusCode") or e.get("error") or "UNKNOWN"),
            message=str(e.get("message") or e.get("error_description") or ""),
            fields=tuple(e.get("fields") or ()),
        )
        for e in entries
        if isinstance(e, dict)
    )


def bulk_fault(text: str) -> Fault:
    """The error in a result file's `sf__Error`: `CODE:message:Field --`."""
    match = _BULK.match(text)
    if not match:
        return Fault(code=re.split(r"[^A-Z0-9_]", text, maxsplit=1)[0] or "UNKNOWN", message="")
    fields = tuple(f.strip() for f in match["fields"].split(",") if f.strip())
    return Fault(code=match["code"], message=match["message"], fields=fields)


def answer(fault: Fault, values: Iterable[Any] = ()) -> str:
    """What Salesforce said, without record values: its code, the fields, and its text where that quotes none.

    `values` are those that were sent; each is blotted out should the text contain it all the same.
    """
    text = f"{fault.code}: {_QUOTED.sub('…', fault.message)}" if fault.code in _PLAIN else fault.code
    for value in sorted({str(v) for v in values if v is not None}, key=len, reverse=True):
        if len(value) >= _SHORTEST_VALUE:
            text = text.replace(value, "…")
    return f"{text} [{', '.join(fault.fields)}]" if fault.fields else text


def outcome(faults: tuple[Fault, ...], *, native: str | None = None, values: Iterable[Any] = ()) -> Outcome:
    """What to do with one record Salesforce refused. A code nobody declared rejects the record."""
    fault = faults[0] if faults else Fault(code="UNKNOWN", message="")
    if fault.code in _RETRY:
        recovery, category = Recovery.RETRY, _RETRY[fault.code]
    elif fault.code in _HOLD:
        recovery, category = Recovery.HOLD, Category.NOT_PERMITTED
    else:
        recovery, category = Recovery.REJECT, _REJECT.get(fault.code, Category.REFUSED)
    fields = f" ({', '.join(fault.fields)})" if fault.fields else ""
    return Outcome(
        outcome=recovery,
        native=native,
        category=category,
        message=f"{_WORDS[category]}{fields}",
        answer=answer(fault, values),
    )
