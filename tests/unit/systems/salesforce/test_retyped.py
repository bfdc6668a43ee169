"""Fields of an org that became something else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from accord.objects.definition import Choice, Day, FieldType, Flag, Instant, Money, Number, Text, Whole
from accord.systems.salesforce.describe import Described, retyped


@pytest.mark.parametrize(
    ("kind", "told", "wrong"),
    [
        (Flag(), "boolean", False),
        (Flag(), "string", True),
        (Money(), "currency", False),
        (Money(), "double", False),
        (Money(), "string", True),
        (Number(digits=5, scale=2), "percent", False),
        (Number(digits=5, scale=2), "picklist", True),
        (Whole(), "int", False),
        (Whole(), "boolean", True),
        (Day(), "date", False),
        (Day(), "datetime", True),
        (Instant(), "datetime", False),
        (Instant(), "date", True),
        (Text(limit=10), "phone", False),
        (Choice(values=("a",)), "string", False),
        (Money(), None, False),  # missing is another matter
    ],
)
def test_what_can_no_longer_hold_it(kind: FieldType, told: str | None, wrong: bool) -> None:
    fields = {"X__c": {"name": "X__c", "type": told}} if told else {}
    described = Described(sobject="Account", at=datetime.now(UTC), fields=fields, rights=frozenset())
    assert retyped(described, {"X__c": kind}) == (["Account.X__c"] if wrong else [])
