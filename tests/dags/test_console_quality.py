"""The console's data quality: from the list of gates to a report, a review and what is done about it."""

from __future__ import annotations

import pytest

from accord.flows import flow
from accord_airflow.runtime import opened
from tests.dags.console import CUSTOMERS, Browsers, browser, console, parsed
from tests.dags.world import World
from tests.judging import judged

__all__ = ["browser", "console", "parsed"]

KEYS = [f"salesforce:{n:03}" for n in range(250)]
EUR = ("100.00", "EUR")


@pytest.fixture
def judged_twice(world: World) -> None:
    """Two runs: one that holds a record, one that holds 250 with the first among them."""
    with opened() as accord:
        judged(accord, flow(CUSTOMERS), "one", {KEYS[0]: EUR})
        judged(accord, flow(CUSTOMERS), "two", dict.fromkeys(KEYS, EUR), warned=2)


@pytest.mark.usefixtures("judged_twice")
def test_from_the_gates_to_a_report_and_its_records(browser: Browsers) -> None:
    page = browser("user").get("quality/").text
    assert f'/accord/quality/runs/2/canonical/">{CUSTOMERS}: canonical</a>' in page
    for said in (
        "pass with quarantine",
        "25,000.00 EUR",
        "the oldest first: 1, 250",
        "The customer would be invoiced another amount.",
    ):
        assert said in page, said
    report = browser("user").get("quality/runs/2/canonical/").text
    for said in ("249 new, 1 recurring, 0 fixed", "What became of the 250 that fail", "250 still held", 'href="/accord/quality/reviews/1/"',
                 'href="/accord/exceptions/1/"', "Money at risk: 25,000.00 EUR", "quality/report.css"):  # fmt: skip
        assert said in report, said
    assert "style=" not in report, "the policy forbids inline styles"
    assert (KEYS[199] in report, KEYS[200] in report) == (True, False)
    more = browser("user").get("quality/runs/2/canonical/", params={"after": KEYS[199]}).text
    held = more[more.index("What became of") :]
    assert (KEYS[199] + "<" in held, KEYS[200] in held, KEYS[249] in held) == (False, True, True)
    assert browser("user").get("quality/runs/9/canonical/").status_code == 409
    assert browser("user").get("quality/runs/2/other/").status_code == 422
    assert ".report" in browser("user").get("quality/report.css").text


@pytest.mark.usefixtures("judged_twice")
def test_a_review_is_worked(browser: Browsers, world: World) -> None:
    user = browser("user")

    def do(**form: str) -> str:
        answer = user.post("quality/reviews/1/act", data=form)
        assert answer.status_code == 303, answer.text
        return user.get(answer.headers["location"].removeprefix("/accord/")).text

    assert "Review 1: acknowledged, by user, assigned to user" in do(action="acknowledge")
    assert "assigned to bob" in do(action="assign", to="bob")
    assert "<strong>user</strong>: the list &lt;is&gt; new" in do(action="comment", text="the list <is> new")
    page = do(action="accept", days="3", why="known")
    assert "Review 1: accepted, until" in page
    assert "when 250 failed: known" in page
    listed = user.get("quality/", params={"state": "accepted", "assignee": "bob"}).text
    assert 'reviews/1/">1</a>' in listed
    assert 'reviews/2/">2</a>' not in listed
    assert "Review 1: open" in do(action="reopen")
    assert {row["what"] for row in world.hub("SELECT what FROM audit WHERE who = 'user' AND subject = 'review:1'")} == {
        f"review {what}" for what in ("acknowledged", "assigned", "commented", "accepted", "reopened")
    }
    for wrong in (
        {"action": "accept", "days": "91", "why": "x"},
        {"action": "comment", "text": " "},
        {"action": "delete"},
    ):
        answer = user.post("quality/reviews/1/act", data=wrong)
        assert answer.status_code == 409, wrong
    viewer = browser("viewer")
    assert '<form method="post"' not in viewer.get("quality/reviews/1/").text
    assert viewer.post("quality/reviews/1/act", data={"action": "acknowledge"}).status_code == 403


def test_no_gate_yet_is_said(browser: Browsers, world: World) -> None:
    assert "No gate has judged anything yet." in browser("viewer").get("quality/").text
