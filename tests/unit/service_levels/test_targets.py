"""The declared levels: every flow has its own, and they can be kept."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from croniter import croniter

from accord.flows import FLOWS, Flow
from accord.service_levels.guidance import CONSEQUENCES
from accord.service_levels.measures import business_days_before, due_by
from accord.service_levels.targets import FRESHNESS, LEVELS, LONGEST_KEY, TERMS, Measure, Tier, levels, of_flow

NOON = datetime(2026, 6, 3, 12, tzinfo=UTC)  # a Wednesday


def period(schedule: str) -> timedelta:
    """The longest time between two runs of a schedule, in a day."""
    ticks = croniter(schedule, NOON)
    found = [ticks.get_next(datetime) for _ in range(100)]
    return max(later - earlier for earlier, later in itertools.pairwise(found))


def test_every_flow_has_a_deadline_a_freshness_and_a_watermark() -> None:
    flows = {level.subject: set[Measure]() for level in LEVELS if level.schedule}
    for level in LEVELS:
        if level.schedule:
            flows[level.subject].add(level.measure)
    assert flows.keys() == FLOWS.keys()
    assert all(found == {Measure.RUN, Measure.FRESHNESS, Measure.WATERMARK} for found in flows.values())
    assert {flow.object for flow in FLOWS.values()} <= FRESHNESS.keys() & CONSEQUENCES.keys()


@pytest.mark.parametrize("name", FLOWS)
def test_a_level_can_be_kept_by_the_schedule(name: str) -> None:
    fresh = next(level for level in of_flow(FLOWS[name]) if level.measure is Measure.FRESHNESS)
    assert fresh.limit is not None
    assert fresh.limit > 2 * period(FLOWS[name].schedule), "one run may be missed"


def test_orders_are_critical_and_the_terms_grow_with_the_tier() -> None:
    assert {level.tier for level in LEVELS if level.object in ("order", "order_status")} == {Tier.CRITICAL}
    for terms in ("run", "escalate"):
        values = [getattr(TERMS[tier], terms) for tier in Tier]
        assert values == sorted(values)


def test_a_key_is_one_per_level_and_environment_and_never_too_long() -> None:
    assert len({level.key("prod") for level in LEVELS}) == len(LEVELS)
    assert "prod:order__salesforce_to_erp:data freshness:order:15m" in {level.key("prod") for level in LEVELS}
    long = [
        of_flow(Flow(name="x" * 300 + end, object="o", source="s", targets=("t",), schedule="0 * * * *"))
        for end in "ab"
    ]
    keys = {level.key("prod") for found in long for level in found}
    assert len(keys) == 6
    assert max(map(len, keys)) == LONGEST_KEY


def test_levels_are_found_by_subject() -> None:
    assert {level.subject for level in levels(["finance", "order__salesforce_to_erp"])} == {
        "finance",
        "order__salesforce_to_erp",
    }
    with pytest.raises(KeyError, match="no service level of nothing"):
        levels(["nothing"])


@pytest.mark.parametrize(
    ("now", "days", "expected"),
    [
        (NOON, 1, datetime(2026, 6, 2, 12, tzinfo=UTC)),
        (NOON, 3, datetime(2026, 5, 29, 12, tzinfo=UTC)),  # over a weekend
        (datetime(2026, 6, 7, 9, tzinfo=UTC), 1, datetime(2026, 6, 5, tzinfo=UTC)),  # on a Sunday: Friday's begin
        (datetime(2026, 6, 7, 9, tzinfo=UTC), 0, datetime(2026, 6, 7, 9, tzinfo=UTC)),  # hours run on a Sunday too
    ],
)
def test_business_days(now: datetime, days: int, expected: datetime) -> None:
    assert business_days_before(now, days) == expected


def test_what_is_due_is_the_last_end_of_an_interval() -> None:
    assert due_by("*/5 * * * *", NOON + timedelta(minutes=4)) == NOON
    assert due_by("*/5 * * * *", NOON) == NOON
    assert due_by("", NOON) is None
