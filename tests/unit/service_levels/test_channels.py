"""Channels as connections declare them: what is understood, and what is refused without naming an address or a secret."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from accord.errors import Stop
from accord.service_levels.channels import channel
from accord.service_levels.targets import Severity
from accord.settings import Connection

NIGHT = datetime(2026, 6, 3, 2, tzinfo=UTC)
NOON = datetime(2026, 6, 3, 12, tzinfo=UTC)


def declared(kind: str = "http", **extra: Any) -> Connection:
    return Connection(id="accord_alert_one", kind=kind, host="https://hidden.example", password="hidden", extra=extra)


def test_what_a_channel_is_told_when_nothing_is_said() -> None:
    one = channel("one", declared())
    assert one.wants(owner="finance", severity="warning", step=0)
    assert one.silent_until("warning", NIGHT) is None
    assert one.connection == "accord_alert_one"
    assert "hidden" not in repr(one)


def test_owners_severity_and_escalation_narrow_it_down() -> None:
    one = channel("one", declared(owners=["finance"], severity="error", escalation=1))
    assert one.wants(owner="finance", severity="critical", step=1)
    assert not one.wants(owner="integration", severity="critical", step=1)
    assert not one.wants(owner="finance", severity="warning", step=1)
    assert not one.wants(owner="finance", severity="critical", step=0)


def test_quiet_hours_hold_back_all_but_what_is_critical() -> None:
    one = channel("one", declared(quiet=[{"cron": "0 20 * * *", "minutes": 660, "zone": "UTC"}]))
    assert one.silent_until(Severity.ERROR, NIGHT) == datetime(2026, 6, 3, 7, tzinfo=UTC)
    assert one.silent_until(Severity.CRITICAL, NIGHT) is None
    assert one.silent_until(Severity.ERROR, NOON) is None


@pytest.mark.parametrize(
    ("connection", "what"),
    [
        (declared("ftp"), "has no usable type"),
        (declared("smtp"), "names no address"),
        (declared("smtp", to="a@example.com"), "has no usable `to`"),
        (declared(owners=["marketing"]), "knows owners there are not"),
        (declared(severity="grave"), "has no usable `severity`"),
        (declared(escalation="later"), "has no usable `escalation`"),
        (declared(quiet=[{"cron": "0 20 * * *"}]), "has no usable `quiet`"),
    ],
)
def test_what_can_t_be_meant_is_refused_with_its_cure(connection: Connection, what: str) -> None:
    with pytest.raises(Stop, match=what) as refused:
        channel("one", connection)
    assert refused.value.cure
    assert "accord_alert_one" in str(refused.value)
    assert "hidden" not in str(refused.value)
