"""One value of one field: from JSON or CSV to what is stored, or a refusal in Salesforce's words."""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sandbox.salesforce import ids
from sandbox.salesforce.clock import stored
from sandbox.salesforce.errors import ApiError, FieldProblem
from sandbox.salesforce.schema.model import Field, FieldType

Converter = Callable[[Any], Any]
# Java's trim(): everything up to the space, but not the non-breaking space.
_TRIM = "".join(map(chr, range(0x21)))
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}$"
)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_DATETIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$")
_XSD = {
    FieldType.DATE: "xsd:date",
    FieldType.DATETIME: "xsd:dateTime",
    FieldType.BOOLEAN: "xsd:boolean",
    FieldType.INT: "xsd:int",
}
_FIRST, _LAST = date(1700, 1, 1), date(4000, 12, 31)


class Unreadable(Exception):
    """The value is not of the field's type at all; each protocol words that in its own way."""


def _utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _trimmed(value: Any) -> str | None:
    if not isinstance(value, str):
        raise Unreadable
    return value.strip(_TRIM) or None


def _text(field: Field) -> Converter:
    limit, label = field.length, field.label

    def convert(value: Any) -> str | None:
        if not isinstance(value, str):
            raise Unreadable
        text = value.strip(_TRIM)
        if len(text) * 2 > limit and _utf16_length(text) > limit:
            shown = text if len(text) <= limit else text[:limit]
            raise FieldProblem(
                "STRING_TOO_LONG", f"{label}: data value too large: {shown} (max length={limit})", field.name
            )
        return text or None

    return convert


def _email(field: Field) -> Converter:
    text = _text(field)

    def convert(value: Any) -> str | None:
        address = text(value)
        if address is not None and not _EMAIL.match(address):
            raise FieldProblem("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {address}", field.name)
        return address  # type: ignore[no-any-return]

    return convert


def _picklist(field: Field) -> Converter:
    known = frozenset(field.values)
    text = _text(field)

    def convert(value: Any) -> str | None:
        chosen = text(value)
        if chosen is not None and field.restricted and chosen not in known:
            raise FieldProblem(
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                f"{field.label}: bad value for restricted picklist field: {chosen}",
                field.name,
            )
        return chosen  # type: ignore[no-any-return]

    return convert


def _multipicklist(field: Field) -> Converter:
    order = {value: at for at, value in enumerate(field.values)}

    def convert(value: Any) -> str | None:
        text = _trimmed(value)
        if text is None:
            return None
        chosen = list(dict.fromkeys(part.strip(_TRIM) for part in text.split(";") if part.strip(_TRIM)))
        for part in chosen:
            if field.restricted and part not in order:
                raise FieldProblem(
                    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                    f"{field.label}: bad value for restricted picklist field: {part}",
                    field.name,
                )
        return ";".join(sorted(chosen, key=lambda part: (order.get(part, len(order)), part))) or None

    return convert


def _boolean(value: Any) -> int:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value.strip().lower() in ("true", "1"):
        return 1
    if isinstance(value, str) and value.strip().lower() in ("false", "0"):
        return 0
    raise Unreadable


def _number(field: Field) -> Converter:
    digits = field.precision - field.scale
    step = Decimal(1).scaleb(-field.scale)
    whole = field.type is FieldType.INT
    read: Callable[[Any], float | int] = int if whole else float
    # What needs neither rounding nor a look at its range.
    fraction = rf"(\.[0-9]{{1,{field.scale}}})?" if field.scale else ""
    plain = re.compile(rf"[0-9]{{1,{digits}}}{fraction}") if digits else None

    def convert(value: Any) -> float | int | None:
        if plain and isinstance(value, str) and plain.fullmatch(value):
            return read(value)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise Unreadable
        if isinstance(value, str):
            value = value.strip(_TRIM)
            if not value:
                return None
        try:
            number = Decimal(str(value) if isinstance(value, float) else value)
        except InvalidOperation:
            raise Unreadable from None
        if not number.is_finite() or (isinstance(value, str) and "_" in value):
            raise Unreadable
        if number.adjusted() >= digits or abs(number := number.quantize(step, ROUND_HALF_UP)) >= Decimal(10) ** digits:
            raise FieldProblem(
                "NUMBER_OUTSIDE_VALID_RANGE",
                f"{field.label}: value outside of valid range on numeric field: {value}",
                field.name,
            )
        return int(number) if whole else float(number) + 0.0

    return convert


def _in_range(day: date, field: Field) -> None:
    if not _FIRST <= day <= _LAST:
        raise FieldProblem("NUMBER_OUTSIDE_VALID_RANGE", f"{field.label}: invalid date: {day.isoformat()}", field.name)


def _date(field: Field) -> Converter:
    def convert(value: Any) -> str | None:
        text = _trimmed(value)
        if text is None:
            return None
        match = _DATE.match(text)
        if not match or (len(text) > 10 and not _DATETIME.match(text)):
            raise Unreadable
        try:
            day = date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            raise Unreadable from None
        _in_range(day, field)
        return day.isoformat()

    return convert


def _datetime(field: Field) -> Converter:
    def convert(value: Any) -> str | None:
        text = _trimmed(value)
        if text is None:
            return None
        try:
            if not (_DATETIME.match(text) or _DATE.fullmatch(text)):
                raise Unreadable
            instant = datetime.fromisoformat(text)
            instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
            instant = instant.astimezone(UTC)
        except (ValueError, OverflowError):
            raise Unreadable from None
        _in_range(instant.date(), field)
        return stored(instant)

    return convert


def _reference(field: Field) -> Converter:
    def convert(value: Any) -> str | None:
        text = _trimmed(value)
        if text is None:
            return None
        record = ids.normalize(text)
        if record is None:
            raise FieldProblem("MALFORMED_ID", f"{field.label}: id value of incorrect type: {text}", field.name)
        return record

    return convert


_MAKERS: dict[FieldType, Callable[[Field], Converter]] = {
    FieldType.ID: _reference,
    FieldType.REFERENCE: _reference,
    FieldType.STRING: _text,
    FieldType.TEXTAREA: _text,
    FieldType.PHONE: _text,
    FieldType.URL: _text,
    FieldType.EMAIL: _email,
    FieldType.PICKLIST: _picklist,
    FieldType.MULTIPICKLIST: _multipicklist,
    FieldType.BOOLEAN: lambda _: _boolean,
    FieldType.INT: _number,
    FieldType.DOUBLE: _number,
    FieldType.CURRENCY: _number,
    FieldType.PERCENT: _number,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
}


def converter(field: Field) -> Converter:
    """Return the function that turns a given, non-null value into the stored one.

    It raises FieldProblem for a value the field refuses, and Unreadable for one that is not of its type.
    """
    return _MAKERS[field.type](field)


def unreadable_json(field: Field, value: Any) -> ApiError:
    """Return the refusal of a whole JSON request because of a value of the wrong type."""
    if isinstance(value, bool):
        kind, shown = ("VALUE_TRUE" if value else "VALUE_FALSE"), str(value).lower()
    elif isinstance(value, int):
        kind, shown = "VALUE_NUMBER_INT", str(value)
    elif isinstance(value, float):
        kind, shown = "VALUE_NUMBER_FLOAT", repr(value) if math.isfinite(value) else "NaN"
    elif isinstance(value, list):
        kind, shown = "START_ARRAY", "["
    elif isinstance(value, dict):
        kind, shown = "START_OBJECT", "{"
    else:
        kind, shown = "VALUE_STRING", str(value)
    name = _XSD.get(field.type, "xsd:double" if field.precision else "xsd:string").removeprefix("xsd:")
    return ApiError(
        400,
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {name} from {kind} value {shown} or "
        "request may be missing a required field at [line:1, column:1]",
    )


def unreadable_csv(field: Field, column: int, value: Any) -> FieldProblem:
    """Return the refusal of one CSV row because of a cell of the wrong type."""
    type = _XSD.get(field.type, "xsd:double")
    return FieldProblem(
        "INVALID_FIELD",
        f"Failed to deserialize field at col {column}. Due to, '{value}' is not a valid value for the type {type}",
        field.name,
    )


def to_json(field: Field) -> Converter | None:
    """Return the function that renders a stored, non-null value for JSON, or None if it goes as it is."""
    if field.type is FieldType.BOOLEAN:
        return bool
    if field.type is FieldType.DATETIME:
        return lambda value: value[:-1] + "+0000"
    return None
