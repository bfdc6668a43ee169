"""Senders that got into each other's way do not come back at the same moment, nor later than their lease allows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accord.batch import Staging
from accord.breaker import Rules
from accord.objects import CUSTOMER
from accord.pipeline.insist import Insisting
from accord.runtime import Accord
from tests.fakes import FakeSending, FakeTarget

LEASE = 30.0


def insisting(spread: float) -> Insisting:
    accord = Accord(
        connection_of=lambda _: pytest.fail("nobody connects"),
        staging=Staging("memory://staging"),
        reports="nowhere",
        lease=timedelta(seconds=LEASE),
        backoff=1.0,
        rules=Rules(spread=lambda: spread),
    )
    sending: Any = FakeSending()
    return Insisting(accord=accord, run=1, target=FakeTarget(), definition=CUSTOMER, sending=sending, patience=60.0)


def test_pauses_double_up_to_a_part_of_the_lease() -> None:
    assert [insisting(0.5)._pause(tries) for tries in (0, 1, 2, 3, 20)] == [1.0, 2.0, 4.0, LEASE / 4, LEASE / 4]


def test_nobody_comes_back_with_everybody_else() -> None:
    early, late = insisting(0.0)._pause(20), insisting(0.99)._pause(20)
    assert early < 0.5 * late
    assert late < LEASE / 2
