"""Maintenance windows, as connections declare them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from accord.errors import Stop
from accord.maintenance import open_until, upcoming, windows_of
from accord.settings import Connection

SUNDAYS = {"cron": "0 2 * * SUN", "minutes": 120, "zone": "Europe/Amsterdam"}
CHRISTMAS = {"from": "2026-12-24T22:00", "to": "2026-12-25T06:00", "zone": "Europe/Amsterdam"}


def declared(*windows: Any) -> Connection:
    return Connection(id="accord_tryton", extra={"maintenance": list(windows)})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def end(now: str, *windows: Any) -> datetime | None:
    return open_until(windows_of(declared(*windows)), at(now))


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-22T00:59:59", None),
        ("2026-11-22T01:00:00", "2026-11-22T03:00"),  # two o'clock in Amsterdam, winter
        ("2026-11-22T02:59:59", "2026-11-22T03:00"),
        ("2026-11-22T03:00:00", None),
        ("2026-07-19T00:00:00", "2026-07-19T02:00"),  # summer
        ("2026-07-19T02:00:00", None),
        ("2026-11-23T01:30:00", None),  # a Monday
    ],
)
def test_a_window_that_comes_again(now: str, until: str | None) -> None:
    assert end(now, SUNDAYS) == (at(until) if until else None)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-12-24T20:59:59", None),
        ("2026-12-24T21:00:00", "2026-12-25T05:00"),
        ("2026-12-25T05:00:00", None),
    ],
)
def test_one_window(now: str, until: str | None) -> None:
    assert end(now, CHRISTMAS) == (at(until) if until else None)


def test_an_instant_with_an_offset_needs_no_zone() -> None:
    window = {"from": "2026-12-24T22:00Z", "to": "2026-12-25T06:00+01:00"}
    assert end("2026-12-25T04:59:00", window) == at("2026-12-25T05:00")


def test_windows_that_follow_without_a_gap_are_one() -> None:
    first = {"from": "2026-12-24T22:00Z", "to": "2026-12-24T23:00Z"}
    second = {"from": "2026-12-24T23:00Z", "to": "2026-12-25T01:00Z"}
    assert end("2026-12-24T22:30:00", second, first) == at("2026-12-25T01:00")


def test_a_window_without_end_is_given_up_on() -> None:
    always = {"cron": "0 * * * *", "minutes": 60, "zone": "UTC"}
    found = end("2026-12-24T22:30:00", always)
    assert found is not None
    assert found > at("2026-12-31T00:00")


def test_when_the_next_one_begins() -> None:
    windows = windows_of(declared(SUNDAYS, CHRISTMAS))
    assert upcoming(windows, at("2026-12-21T00:00")) == at("2026-12-24T21:00")
    assert upcoming(windows, at("2026-12-25T00:00")) == at("2026-12-27T01:00")
    assert upcoming((), at("2026-12-25T00:00")) is None


def test_none_is_declared() -> None:
    assert windows_of(Connection(id="accord_tryton")) == ()


@pytest.mark.parametrize(
    ("window", "what"),
    [
        ("sunday", "number 1 has neither cron and minutes nor from and to"),
        ({"cron": "0 2 * * SUN"}, "number 1 has neither"),
        (SUNDAYS | {"cron": "at two"}, "number 1 has no valid cron expression"),
        (SUNDAYS | {"minutes": "long"}, "number 1 lasts no time"),
        (SUNDAYS | {"minutes": 0}, "number 1 lasts no time"),
        (SUNDAYS | {"minutes": 99999}, "number 1 lasts no time, or longer than a week"),
        (SUNDAYS | {"zone": "Amsterdam/Zuid"}, "number 1 names no time zone"),
        ({k: v for k, v in SUNDAYS.items() if k != "zone"}, "number 1 has no zone"),
        (SUNDAYS | {"duration": 4}, "number 1 has duration, which means nothing"),
        (CHRISTMAS | {"from": "Christmas Eve"}, "number 1 has no instant where one belongs"),
        (CHRISTMAS | {"to": "2026-12-24T21:00"}, "number 1 ends before it begins"),
        ({"from": "2026-12-24T22:00", "to": "2026-12-25T06:00"}, "number 1 has no zone"),
    ],
)
def test_what_can_t_be_understood_is_named_with_the_right_form(window: Any, what: str) -> None:
    with pytest.raises(Stop) as raised:
        windows_of(declared(window))
    assert f"maintenance of the connection accord_tryton: {what}" in str(raised.value)
    assert '{"cron": "0 2 * * SUN"' in raised.value.cure


def test_it_is_a_list() -> None:
    with pytest.raises(Stop, match="is no list"):
        windows_of(Connection(id="accord_tryton", extra={"maintenance": SUNDAYS}))
