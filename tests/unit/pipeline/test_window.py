"""Which window each kind of run reads."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from accord.errors import Stop
from accord.pipeline.runs import Params, RunKind, Window, window
from tests.world import CUSTOMERS

OVERLAP = CUSTOMERS.overlap


def at(hour: int) -> datetime:
    return datetime(2026, 1, 1, hour, tzinfo=UTC)


NOW = at(20)
NONE = Params()


@pytest.mark.parametrize(
    ("kind", "interval", "params", "watermark", "expected"),
    [
        # the first run reads everything
        (RunKind.SCHEDULED, (at(9), at(10)), NONE, None, (None, at(10))),
        # in time
        (RunKind.SCHEDULED, (at(9), at(10)), NONE, at(9), (at(9) - OVERLAP, at(10))),
        # after a pause or failure the watermark reaches back
        (RunKind.SCHEDULED, (at(9), at(10)), NONE, at(3), (at(3) - OVERLAP, at(10))),
        # late: another run has moved the watermark past this interval
        (RunKind.SCHEDULED, (at(9), at(10)), NONE, at(12), (at(9) - OVERLAP, at(10))),
        (RunKind.SCHEDULED, (None, at(10)), NONE, at(3), (None, at(10))),
        (RunKind.SCHEDULED, None, NONE, at(3), (at(3) - OVERLAP, NOW)),
        (RunKind.EVENT, None, NONE, at(3), (at(3) - OVERLAP, NOW)),
        (RunKind.EVENT, None, NONE, None, (None, NOW)),
        (RunKind.BACKFILL, (at(1), at(2)), NONE, at(12), (at(1), at(2))),
        (RunKind.MANUAL, (at(9), at(10)), NONE, at(3), (at(3) - OVERLAP, NOW)),
        (RunKind.MANUAL, None, Params(since=at(1)), at(3), (at(1), NOW)),
        (RunKind.MANUAL, None, Params(since=at(1), until=at(2)), at(3), (at(1), at(2))),
        (RunKind.MANUAL, None, Params(until=at(2)), at(3), (None, at(2))),
        (RunKind.REPLAY, None, NONE, at(3), (at(3) - OVERLAP, NOW)),
        (RunKind.MANUAL, None, Params(full_refresh=True), at(3), (None, NOW)),
        (RunKind.SCHEDULED, (at(9), at(10)), Params(full_refresh=True), at(9), (None, at(10))),
    ],
)
def test_window(
    kind: RunKind, interval: Window | None, params: Params, watermark: datetime | None, expected: Window
) -> None:
    assert window(CUSTOMERS, kind, interval, params, watermark, NOW) == expected


@pytest.mark.parametrize("watermark", [None, at(3), at(12)])
@pytest.mark.parametrize("kind", list(RunKind))
def test_nothing_between_watermark_and_end_is_left_out(kind: RunKind, watermark: datetime | None) -> None:
    """Whatever moves the watermark to its end has read everything from the old watermark on, and a bit before."""
    if kind in (RunKind.SCHEDULED, RunKind.EVENT):
        since, until = window(CUSTOMERS, kind, (at(13), at(14)), NONE, watermark, NOW)
        assert until is not None
        assert since is None or (watermark is not None and since <= watermark - OVERLAP)


@pytest.mark.parametrize(("since", "until"), [(at(2), at(2)), (at(3), at(2))])
def test_a_window_that_is_empty_or_turned_round(since: datetime, until: datetime) -> None:
    with pytest.raises(Stop, match=r"is empty.*`since` before `until`"):
        window(CUSTOMERS, RunKind.MANUAL, None, Params(since=since, until=until), None, NOW)


def test_a_backfill_without_an_interval() -> None:
    with pytest.raises(Stop, match="needs an interval"):
        window(CUSTOMERS, RunKind.BACKFILL, None, NONE, None, NOW)


def test_the_overlap_is_more_than_nothing() -> None:
    assert CUSTOMERS.overlap.total_seconds() > 0
