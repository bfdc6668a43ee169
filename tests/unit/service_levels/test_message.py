"""What an alert reads like, to people and to machines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accord.service_levels.breach import Breach, breach, span
from accord.service_levels.message import Event, Message, message
from accord.service_levels.settings import Alerting
from accord.service_levels.targets import Measure, level_of

SINCE = datetime(2026, 6, 3, 12, tzinfo=UTC)
ALERTING = Alerting(environment="prod", site="https://airflow.example", runbooks="https://docs.example/runbooks")


@pytest.fixture
def late() -> Breach:
    level = level_of("order__salesforce_to_erp", Measure.FRESHNESS)
    assert level is not None
    return breach(
        level, "prod", summary="orders: the data is 40 min old", actual="40 min", late=timedelta(minutes=25),
        due="2026-06-03 12:15:00Z", watermark="2026-06-03 12:00:00Z", records=1200, amounts={"EUR": "12010.000000", "USD": "1.50"},
        step="load_tryton", category="run failed", run="order__salesforce_to_erp/scheduled__2026-06-03T12:00:00+00:00",
        where="accord exceptions list", places={"Exceptions": "/exceptions/?flow=order__salesforce_to_erp"}, correlation="run 7",
    )  # fmt: skip


def told(late: Breach, event: Event = Event.OPENED, **more: object) -> Message:
    return message(event, late.as_dict(), ALERTING, alert=7, opened=SINCE, **more)  # type: ignore[arg-type]


def test_it_says_all_that_somebody_needs_who_was_just_woken(late: Breach) -> None:
    opened = told(late)
    facts = dict(opened.facts)
    assert facts["Deadline"] == "2026-06-03 12:15:00Z"
    assert (facts["Allowed"], facts["Actual"], facts["Late by"]) == ("15 min", "40 min", "25 min")
    assert facts["Last good watermark"] == "2026-06-03 12:00:00Z"
    assert facts["Affected"] == "1,200 record(s) wait as exceptions, 12,010.00 EUR, 1.50 USD"
    assert (facts["First failing step"], facts["Category"], facts["Owner"]) == (
        "load_tryton",
        "run failed",
        "integration",
    )
    assert facts["Escalated"] == "unless acknowledged within 15 min"
    assert facts["Acknowledge"] == "accord alerts acknowledge 7"
    assert facts["Correlation"] == "run 7"
    assert len(opened.actions) == 3
    links = dict(opened.links)
    assert links["Run"] == (
        "https://airflow.example/dags/order__salesforce_to_erp/runs/scheduled__2026-06-03T12%3A00%3A00%2B00%3A00"
    )
    assert links["Exceptions"] == "https://airflow.example/accord/exceptions/?flow=order__salesforce_to_erp"
    assert links["Alert"] == "https://airflow.example/accord/alerts/7/"
    assert links["Runbook"] == "https://docs.example/runbooks/data-freshness.md"
    for word in (*facts.values(), *opened.actions, *links.values()):
        assert word in opened.text


def test_where_airflow_is_reached_is_not_known_only_the_runbook_is_linked(late: Breach) -> None:
    assert [text for text, _ in message(Event.OPENED, late.as_dict(), Alerting(), alert=7).links] == ["Runbook"]


def test_what_was_kept_before_links_to_exceptions_is_told_as_well(late: Breach) -> None:
    body = {name: value for name, value in late.as_dict().items() if name != "places"}
    assert "Exceptions" not in dict(message(Event.RECOVERED, body, ALERTING).links)


def test_a_recovery_says_how_long_it_lasted_and_asks_for_nothing(late: Breach) -> None:
    over = told(late, Event.RECOVERED, until=SINCE + timedelta(hours=1, minutes=5))
    assert over.title == "[prod] RECOVERED after 1 h 5 min, was: orders: the data is 40 min old"
    assert over.actions == ()
    assert not {"Acknowledge", "Escalated", "Means"} & dict(over.facts).keys()


def test_each_change_has_its_word(late: Breach) -> None:
    assert told(late).title.startswith("[prod] CRITICAL ")
    assert told(late, Event.ESCALATED, step=2).title.startswith("[prod] ESCALATED (2) CRITICAL ")
    assert told(late, Event.ACKNOWLEDGED).title.startswith("[prod] ACKNOWLEDGED ")


def test_html_is_escaped_and_loads_nothing(late: Breach) -> None:
    html = message(Event.OPENED, late.as_dict() | {"category": "<script>"}, ALERTING).html
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "src=" not in html


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0, "less than a minute"),
        (1, "1 min"),
        (59, "59 min"),
        (60, "1 h"),
        (190, "3 h 10 min"),
        (1440, "1 d"),
        (1560, "1 d 2 h"),
    ],
)
def test_lengths_of_time_as_people_say_them(minutes: int, text: str) -> None:
    assert span(timedelta(minutes=minutes)) == text
