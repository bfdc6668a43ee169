"""One record's facts, one word about it: every case is a line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accord.objects import CUSTOMER, INVOICE
from accord.objects.definition import BusinessObject
from accord.pipeline.reconcile.classes import (
    CATEGORY,
    Cause,
    Class,
    Correction,
    Difference,
    Facts,
    Held,
    Link,
    Said,
    Standing,
    classify,
)

READ = datetime(2026, 3, 2, 12, tzinfo=UTC)
APPLIED = READ - timedelta(hours=5)
OLD, LATE, RECENT = APPLIED, READ - timedelta(hours=3), READ - timedelta(minutes=5)
LINK = Link(native="7", version=APPLIED, read_at=APPLIED, hash=b"told", gone=False, claimed=False, left_out=None)
GONE_LINK = replace(LINK, gone=True, hash=b"gone")


def facts(link: Link | None = LINK, **known: Any) -> Facts:
    usual: dict[str, Any] = {
        "key": "salesforce:1", "said": Said.LIVE, "held": Held.LIVE, "read_at": READ, "version": OLD, "hash": b"told",
        "natives": ("7",), "before": link, "after": link,
    }  # fmt: skip
    return Facts(**usual | known)


def said(definition: BusinessObject, known: Facts) -> tuple[Class, Cause, Correction]:
    verdict = classify(definition, known)
    assert isinstance(verdict, Difference), verdict
    return verdict.kind, verdict.cause, verdict.correction


@pytest.mark.parametrize(
    ("known", "standing"),
    [
        (facts(), Standing.AGREED),
        (facts(said=Said.GONE, held=Held.GONE), Standing.AGREED),
        (facts(said=Said.GONE, held=Held.ABSENT, natives=()), Standing.AGREED),
        (facts(None, said=Said.ABSENT, held=Held.GONE), Standing.AGREED),
        (facts(GONE_LINK, said=Said.ABSENT, held=Held.ABSENT, natives=()), Standing.AGREED),
        (facts(said=Said.EXCLUDED, fields=("phone",)), Standing.EXCLUDED),
        (facts(said=Said.UNRESOLVED, fields=("phone",)), Standing.WAITING),
        (facts(fields=("phone",), waits=True), Standing.WAITING),
        (facts(fields=("phone",), discarded=True), Standing.EXCLUDED),
        (facts(held=Held.ABSENT, natives=(), handed_over=True), Standing.AGREED),
        (facts(said=Said.ABSENT, handed_over=True), Standing.AGREED),
        (facts(replace(LINK, claimed=True), fields=("phone",)), Standing.IN_FLIGHT),
        (facts(replace(LINK, read_at=READ + timedelta(seconds=1)), fields=("phone",)), Standing.IN_FLIGHT),
        (facts(fields=("phone",), before=replace(LINK, version=OLD - timedelta(days=1))), Standing.IN_FLIGHT),
        (facts(fields=("phone",), version=RECENT, hash=b"new"), Standing.IN_FLIGHT),
        (facts(None, held=Held.ABSENT, natives=(), version=RECENT), Standing.IN_FLIGHT),
        (facts(said=Said.GONE, version=RECENT, hash=b"gone"), Standing.IN_FLIGHT),
    ],
)
def test_no_difference(known: Facts, standing: Standing) -> None:
    assert classify(CUSTOMER, known) is standing


@pytest.mark.parametrize(
    ("known", "verdict"),
    [
        (facts(fields=("phone",)), (Class.FIELD_DIFFERS, Cause.CHANGED_IN_TARGET, Correction.SEND_AGAIN)),
        (facts(held=Held.GONE), (Class.FIELD_DIFFERS, Cause.CHANGED_IN_TARGET, Correction.SEND_AGAIN)),
        (
            facts(fields=("phone",), version=LATE, hash=b"new"),
            (Class.FIELD_DIFFERS, Cause.CHANGE_MISSED, Correction.SEND_AGAIN),
        ),
        (
            facts(fields=("phone",), hash=b"new"),
            (Class.FIELD_DIFFERS, Cause.UNSTAMPED_CHANGE, Correction.SEND_AGAIN),
        ),
        (
            facts(fields=("phone",), version=RECENT),  # what changed was not for this target
            (Class.FIELD_DIFFERS, Cause.CHANGED_IN_TARGET, Correction.SEND_AGAIN),
        ),
        (
            facts(None, held=Held.ABSENT, natives=(), version=LATE),
            (Class.MISSING, Cause.NEVER_ARRIVED, Correction.SEND_AGAIN),
        ),
        (
            facts(held=Held.ABSENT, natives=()),
            (Class.MISSING, Cause.DELETED_IN_TARGET, Correction.CREATE_AGAIN),
        ),
        (facts(None, version=LATE), (Class.ORPHAN_LINK, Cause.LINK_LOST, Correction.RELINK)),
        (
            facts(said=Said.ABSENT, version=None, hash=None, held=Held.ABSENT, natives=()),
            (Class.ORPHAN_LINK, Cause.DELETED_IN_BOTH, Correction.UNLINK),
        ),
        (
            facts(said=Said.ABSENT, version=None, hash=None),
            (Class.EXTRA, Cause.DELETED_IN_SOURCE, Correction.RETIRE),
        ),
        (facts(said=Said.GONE, version=LATE), (Class.EXTRA, Cause.DELETED_IN_SOURCE, Correction.DEACTIVATE)),
        (facts(GONE_LINK, said=Said.GONE), (Class.EXTRA, Cause.CHANGED_IN_TARGET, Correction.DEACTIVATE)),
        (
            facts(None, said=Said.ABSENT, version=None, hash=None),
            (Class.EXTRA, Cause.UNKNOWN_TO_SOURCE, Correction.RETIRE),
        ),
        (facts(natives=("7", "8")), (Class.DUPLICATE, Cause.ENTERED_TWICE, Correction.BY_HAND)),
    ],
)  # fmt: skip
def test_differences_of_customers(known: Facts, verdict: tuple[Class, Cause, Correction]) -> None:
    assert said(CUSTOMER, known) == verdict


@pytest.mark.parametrize(
    ("fields", "late", "kind"),
    [
        (("tax", "total"), False, Class.AMOUNT_DIFFERS),
        (("lines.net",), False, Class.AMOUNT_DIFFERS),
        (("due_date",), False, Class.FIELD_DIFFERS),
        (("lines",), False, Class.FIELD_DIFFERS),
        (("status",), False, Class.FIELD_DIFFERS),
        (("status",), True, Class.STATUS_LAG),
        (("open_balance", "status"), True, Class.STATUS_LAG),
        (("total",), True, Class.AMOUNT_DIFFERS),
    ],
)
def test_differences_of_invoices(fields: tuple[str, ...], late: bool, kind: Class) -> None:
    moved = {"version": LATE, "hash": b"new"} if late else {}
    assert said(INVOICE, facts(fields=fields, **moved))[0] is kind


def test_money_at_risk_is_what_the_two_sides_differ_by() -> None:
    verdict = classify(INVOICE, facts(fields=("total",), amounts=("EUR", Decimal("10.01"), Decimal("12.00"))))
    assert isinstance(verdict, Difference)
    assert (verdict.currency, verdict.at_risk, verdict.rule) == ("EUR", Decimal("1.99"), "amount differs: total")


def test_every_class_has_a_category() -> None:
    assert set(CATEGORY) == set(Class)


def test_what_never_arrived_is_missing_whoever_owns_it_then() -> None:
    known = facts(None, held=Held.ABSENT, natives=(), handed_over=True)
    assert said(CUSTOMER, known) == (Class.MISSING, Cause.NEVER_ARRIVED, Correction.SEND_AGAIN)
