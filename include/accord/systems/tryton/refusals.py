"""What Tryton's refusals mean: it tells them apart only by their words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from accord.categories import Category


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a refusal means: `sign` is found in its English text, `name` stands for it where values must not be shown. The record
    is rejected, or with `hold` waits for a person of the ERP."""

    sign: str
    name: str
    category: Category
    message: str
    hold: bool = False


REFUSALS = (
    Meaning(
        sign="must be unique", name="not unique", category=Category.DUPLICATE_KEY,
        message="Another record of the ERP has the same code.",
    ),
    Meaning(
        sign="invalid chars", name="invalid characters", category=Category.INVALID_VALUE,
        message="A text holds characters the ERP does not take.",
    ),
    Meaning(
        sign="NUL (0x00)", name="invalid characters", category=Category.INVALID_VALUE,
        message="A text holds characters the ERP does not take.",
    ),
    Meaning(
        sign="not valid according to its domain", name="value outside its domain", category=Category.REFERENCE_UNKNOWN,
        message="The ERP does not take this value here, for example a region that is not one of its country.",
    ),
    Meaning(
        sign="exist", name="reference does not exist", category=Category.REFERENCE_UNKNOWN,
        message="The ERP does not have a record that is referred to.",
    ),
    Meaning(
        sign="required", name="value required", category=Category.MISSING_VALUE,
        message="The ERP needs a value that is missing.",
    ),
    Meaning(
        sign="too long", name="value too long", category=Category.TOO_LONG,
        message="A value is longer than the ERP takes.",
    ),
)  # fmt: skip
OTHER_REFUSAL = Meaning(sign="", name="refused", category=Category.REFUSED, message="The ERP refused the record.")
NOT_ALLOWED = "You are not allowed to access"


def meaning_of(text: str, own: Iterable[Meaning] = ()) -> Meaning:
    """What the refusal `text` means; `own` are the meanings of one kind of record, looked at first."""
    return next((meaning for meaning in (*own, *REFUSALS) if meaning.sign in text), OTHER_REFUSAL)
