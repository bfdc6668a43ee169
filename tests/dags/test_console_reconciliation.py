"""Approving proposed corrections in the console: those that were ticked, or everything the filter lets through."""

from __future__ import annotations

from typing import Any

import pytest

from accord_airflow.console import reconciliation
from tests.dags.console import CUSTOMERS, Browsers, runs
from tests.dags.world import World

EVERYTHING = {"answer": "approve", "every": "1", "why": "looked into"}
APPROVED = "SELECT key, approved, who, why FROM approval ORDER BY key"


@pytest.fixture
def differing(filled: World) -> World:
    """Six differences more, each second one missing: four of them wait, one was settled since, one was corrected."""
    filled.hub(
        f"""WITH found AS (
              INSERT INTO difference (reconciliation, key, class, category, rule, cause, fields, natives, version, currency, at_risk,
                correction, outcome)
              SELECT 1, 'salesforce:d' || n, CASE n % 2 WHEN 1 THEN 'field differs' ELSE 'missing in target' END, 'x', 'fields', 'unknown',
                '{{}}', '{{}}', '2026-05-01Z', 'EUR', n, 'send again', CASE n WHEN 6 THEN 'corrected' ELSE 'proposed' END
              FROM generate_series(1, 6) n RETURNING key)
            INSERT INTO exception (kind, flow, object, target, key, category, queue, severity, rule, version, message, state)
            SELECT 'difference', '{CUSTOMERS}', 'customer', 'tryton', key, 'x', 'master data', 2, 'fields', '2026-05-01Z', 'm',
              CASE key WHEN 'salesforce:d5' THEN 'closed' ELSE 'open' END FROM found RETURNING id"""  # noqa: S608 - a name of ours
    )
    return filled


def told(number: int) -> list[dict[str, Any]]:
    return [conf for _, _, conf in runs("reconciliation")[number:]]


def test_everything_proposed_is_shown_then_approved_and_goes_on_in_runs(
    differing: World, browser: Browsers, parsed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, before = browser("user"), len(runs("reconciliation"))
    assert 'name="every"' in user.get("reconciliation/1/").text
    sure = user.post("reconciliation/1/decide", data=EVERYTHING).text
    assert "approves the corrections of <strong>5</strong> difference(s)" in sure
    assert "14.00 EUR" in sure, "10, 1 and 3; what was corrected or settled is no part of it"
    assert "6.00 EUR" in sure, "2 and 4"
    assert differing.hub(APPROVED) == []
    assert told(before) == []

    monkeypatch.setattr(reconciliation, "AT_ONCE", 2)
    done = user.post("reconciliation/1/decide", data=EVERYTHING | {"sure": "1"})
    assert done.status_code == 303
    keys = ["salesforce:1", *(f"salesforce:d{n}" for n in range(1, 5))]
    assert differing.hub(APPROVED) == [
        {"key": key, "approved": True, "who": "user", "why": "looked into"} for key in keys
    ]
    of = {"flow": CUSTOMERS, "object": "customer", "target": "tryton", "apply": "all"}
    assert told(before) == [of | {"keys": some} for some in (keys[:2], keys[2:4], keys[4:])]
    assert "Decided about 5" in user.get(done.headers["location"].removeprefix("/accord/")).text


def test_the_filter_bounds_what_is_decided(differing: World, browser: Browsers, parsed: None) -> None:
    user, before = browser("user"), len(runs("reconciliation"))
    missing = {"class": "missing in target", "outcome": "proposed"}
    page = user.get("reconciliation/1/?class=missing+in+target&outcome=proposed").text
    assert ("salesforce:d2" in page, "salesforce:d3" in page, "salesforce:d6" in page) == (True, False, False)
    assert '<input type="hidden" name="class" value="missing in target">' in page
    sure = user.post("reconciliation/1/decide", data=EVERYTHING | missing).text
    assert '<input type="hidden" name="class" value="missing in target">' in sure, "it bounds the second form as well"
    refused = EVERYTHING | missing | {"answer": "refuse", "sure": "1"}
    assert "Nobody would know why" in user.post("reconciliation/1/decide", data=refused | {"why": ""}).text
    assert user.post("reconciliation/1/decide", data=refused).status_code == 303
    assert [(row["key"], row["approved"]) for row in differing.hub(APPROVED)] == [
        ("salesforce:d2", False),
        ("salesforce:d4", False),
    ]
    assert [(conf["keys"], conf["apply"]) for conf in told(before)] == [(["salesforce:d2", "salesforce:d4"], "auto")]
    nothing = user.post("reconciliation/1/decide", data=EVERYTHING | {"sure": "1", "outcome": "stands"})
    assert "Nothing of that waits any more" in nothing.text


def test_only_who_may_start_the_flow_decides_and_only_so_much(
    differing: World, browser: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = EVERYTHING | {"sure": "1"}
    assert browser("viewer").post("reconciliation/1/decide", data=asked).status_code == 403
    assert (
        browser("admin", origin="https://elsewhere.example").post("reconciliation/1/decide", data=asked).status_code
        == 403
    )
    monkeypatch.setattr(reconciliation, "MOST", 4)
    assert "More than 4 are meant" in browser("user").post("reconciliation/1/decide", data=asked).text
    assert differing.hub(APPROVED) == []
