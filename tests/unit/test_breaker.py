"""The circuit breaker, by a clock of the test's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accord.breaker import Breaker, Failure, Rules, State, failure_of
from accord.errors import (
    AccordError,
    BadCredentials,
    Hold,
    InDoubt,
    LimitReached,
    Reject,
    SchemaDrift,
    Shut,
    Unavailable,
)

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)
RULES = Rules(spread=lambda: 0.0)
PAUSE = 30 * SECOND


def failing(times: int, failure: Failure = Failure.OUTAGE, *, breaker: Breaker | None = None) -> Breaker:
    breaker = breaker or Breaker()
    for number in range(times):
        breaker = breaker.failed("a", failure, NOW + number * SECOND, RULES)
    return breaker


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (Unavailable("x"), Failure.OUTAGE),
        (LimitReached("x"), Failure.LIMIT),
        (InDoubt("x"), Failure.TIMEOUT),
        (BadCredentials("x"), None),
        (SchemaDrift("x"), None),
        (Reject("x"), None),
        (Hold("x"), None),
        (AccordError("x"), None),
    ],
)
def test_what_counts_against_a_system(error: AccordError, counts: Failure | None) -> None:
    assert failure_of(error) is counts


@pytest.mark.parametrize(("failure", "enough"), [(Failure.OUTAGE, 3), (Failure.TIMEOUT, 5), (Failure.LIMIT, 1)])
def test_failures_in_a_row_open_it_each_kind_with_its_own_patience(failure: Failure, enough: int) -> None:
    assert failing(enough - 1, failure).state is State.CLOSED
    opened = failing(enough, failure)
    assert (opened.state, opened.failure, opened.trips) == (State.OPEN, failure, 1)
    assert opened.asked("b", NOW, RULES)[1] is not None


def test_a_call_that_is_answered_breaks_the_row() -> None:
    breaker = failing(2).succeeded("a", RULES)
    assert breaker.well
    assert failing(2, breaker=breaker).state is State.CLOSED


def test_failures_far_apart_are_no_row() -> None:
    late = NOW + RULES.forget + 2 * SECOND
    assert failing(2).failed("a", Failure.OUTAGE, late, RULES).failures == 1


def test_after_the_pause_one_probe_goes_and_nobody_else() -> None:
    opened = failing(3)
    assert opened.until == NOW + 2 * SECOND + PAUSE
    _, refusal = opened.asked("a", opened.until - SECOND, RULES)
    assert refusal is not None
    assert (refusal.why, refusal.until) == (Shut.OUTAGE, opened.until)

    probing, refusal = opened.asked("a", opened.until, RULES)
    assert (refusal, probing.state, probing.probe) == (None, State.HALF_OPEN, "a")
    assert probing.asked("a", opened.until, RULES)[1] is None, "the probe's further calls"
    _, refusal = probing.asked("b", opened.until, RULES)
    assert refusal is not None
    assert refusal.why is Shut.RECOVERING
    assert opened.until + RULES.wait <= refusal.until <= opened.until + 2 * RULES.wait


def test_a_probe_that_fails_opens_it_for_twice_as_long_up_to_the_longest() -> None:
    breaker, now = failing(3), NOW
    pauses = []
    for _ in range(7):
        assert breaker.until is not None
        now = breaker.until
        breaker = breaker.asked("a", now, RULES)[0].failed("a", Failure.OUTAGE, now, RULES)
        assert breaker.state is State.OPEN
        assert breaker.until is not None
        pauses.append((breaker.until - now) / SECOND)
    assert pauses == [60, 120, 240, 480, 600, 600, 600]


def test_a_probe_that_dies_is_followed_by_another() -> None:
    opened = failing(3)
    assert opened.until is not None
    probing = opened.asked("a", opened.until, RULES)[0]
    second, refusal = probing.asked("b", opened.until + RULES.probe, RULES)
    assert (refusal, second.probe) == (None, "b")
    assert second.succeeded("a", RULES) == second, "what the first one says no longer counts"


def test_a_probe_that_called_nobody_leaves_it_to_the_next() -> None:
    opened = failing(3)
    assert opened.until is not None
    left = opened.asked("a", opened.until, RULES)[0].left("a", opened.until)
    assert left.state is State.OPEN
    assert left.asked("b", opened.until, RULES)[0].probe == "b"


def test_who_was_under_way_when_it_opened_neither_closes_nor_prolongs_it() -> None:
    opened = failing(3)
    assert opened.succeeded("z", RULES) == opened
    assert opened.failed("z", Failure.OUTAGE, NOW + 20 * SECOND, RULES) == opened


def recovering() -> Breaker:
    opened = failing(3)
    assert opened.until is not None
    return opened.asked("a", opened.until, RULES)[0].succeeded("a", RULES)


def test_it_comes_back_a_few_at_a_time_and_one_more_with_every_success() -> None:
    breaker = recovering()
    assert (breaker.state, breaker.allowance) == (State.CLOSED, RULES.first)
    assert breaker.crowded(RULES.first - 1, NOW, RULES) is None
    refusal = breaker.crowded(RULES.first, NOW, RULES)
    assert refusal is not None
    assert refusal.why is Shut.RECOVERING
    grown = breaker.succeeded("a", RULES)
    assert grown.crowded(RULES.first, NOW, RULES) is None
    assert breaker.succeeded("a", RULES, counted=False) == breaker, (
        "who was let in makes room once, and nobody else does"
    )
    while grown.allowance is not None:
        assert grown.allowance < RULES.many
        grown = grown.succeeded("a", RULES)
    assert grown.well
    assert grown.trips == 0


def test_one_failure_while_it_recovers_opens_it_again_and_for_longer() -> None:
    relapsed = recovering().failed("b", Failure.OUTAGE, NOW, RULES)
    assert (relapsed.state, relapsed.until) == (State.OPEN, NOW + 2 * PAUSE)


def test_nobody_asks_again_at_the_same_moment() -> None:
    import random

    rules = Rules(spread=random.Random(7).random)  # noqa: S311 - a seed, so that it is the same every time
    assert len({rules.later(NOW) for _ in range(50)}) == 50
    opened = {Breaker(failures=2, failed_at=NOW).failed("a", Failure.OUTAGE, NOW, rules).until for _ in range(50)}
    assert len(opened) == 50
