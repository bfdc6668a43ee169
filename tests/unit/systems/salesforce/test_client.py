"""When the org was asked, by its clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests

from accord.systems.salesforce import client
from accord.systems.salesforce.client import told_at

SECOND = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def answer(date: str | None, *, took: float = 0) -> requests.Response:
    response = requests.Response()
    response.elapsed = timedelta(seconds=took)
    if date is not None:
        response.headers["Date"] = date
    return response


@pytest.mark.parametrize(
    ("local", "told"),
    [
        (0.25, 0.25),  # within the second: where in it
        (0.75, 0.75),
        (-3.5, 0.0),  # a local clock that is slow, or fast, tells no more than the header
        (9.0, 0.999999),
    ],
)
def test_within_the_second_of_the_header_the_local_clock_tells(
    monkeypatch: pytest.MonkeyPatch, local: float, told: float
) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return SECOND + timedelta(seconds=local + 0.1)

    monkeypatch.setattr(client, "datetime", Clock)
    assert told_at(answer(format_datetime(SECOND, usegmt=True), took=0.1)) == SECOND + timedelta(seconds=told)


@pytest.mark.parametrize("date", [None, "soon"])
def test_without_a_date_the_local_clock_tells(date: str | None) -> None:
    before = datetime.now(UTC)
    assert before - timedelta(seconds=2) <= told_at(answer(date, took=2)) <= datetime.now(UTC) - timedelta(seconds=2)
