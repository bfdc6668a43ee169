"""The exception desk in the console: filters, pages, one exception with request and answer, and what is done about them."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient

from accord.categories import Category
from accord_airflow.console import exceptions
from tests.dags.console import CUSTOMERS, RUN, Browsers, runs
from tests.dags.world import World


@pytest.fixture
def user(browser: Browsers, parsed: None) -> TestClient:
    """Somebody who may start runs."""
    return browser("user")


def listed(page: str) -> list[int]:
    """The numbers of the exceptions on a page of the list."""
    return [int(number) for number in re.findall(r'href="/accord/exceptions/(\d+)/"', page)]


def many(world: World, number: int) -> None:
    """So many exceptions more, of severities 1 to 3."""
    world.hub(
        f"""INSERT INTO exception (kind, flow, object, target, key, category, queue, severity, message, correlation)
            SELECT 'rejected', '{CUSTOMERS}', 'customer', 'tryton', 'salesforce:m' || n, 'refused by the system', 'master data', 1 + n % 3,
              '<script>alert(1)</script>', gen_random_uuid() FROM generate_series(1, {number}) n RETURNING id"""  # noqa: S608 - a number
    )


def test_from_the_list_to_the_replay(filled: World, user: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    many(filled, 7)
    monkeypatch.setattr(exceptions, "SIZE", 4)
    first = user.get("exceptions/").text
    assert "<script>alert" not in first
    following = re.search(r'href="/accord/(exceptions/\?after=[^"]+)" rel="next"', first)
    assert following
    second = user.get(following[1]).text
    assert len(listed(first)) == 4
    shown = [*listed(first), *listed(second)]
    assert len(set(shown)) == len(shown)
    assert listed(user.get("exceptions/?queue=master+data&kind=difference").text) == [2]
    assert listed(user.get("exceptions/?key=salesforce:2").text) == [1]
    assert listed(user.get("exceptions/?hours=24").text) == []
    assert "no amount" in user.get("exceptions/?above=much&currency=EUR").text
    assert "<strong>10</strong> open" in first

    one = user.get("exceptions/1/").text
    for said in (
        "Read the system&#39;s answer", "Sent to tryton", '<th scope="row" class="code">currency</th><td>EUR</td>',
        '<th scope="row" class="code">phone</th><td>(personal)</td>', f'href="/dags/{CUSTOMERS}/runs/', unquote(RUN),
    ):  # fmt: skip
        assert said in one, said

    both = user.post("exceptions/1/compare").text
    assert "Both sides now" in both
    assert "555 0198" not in both
    assert "+31 20 555 0198" in user.post("exceptions/1/compare", data={"values": "1"}).text
    assert "values looked at" in user.get("exceptions/1/").text

    edited = user.post("exceptions/1/edit", data={"field": "website", "value": "two.example", "why": "agreed"})
    assert edited.headers["location"] == "/accord/exceptions/1/?done=edited&n=1"
    assert "1 field(s) are edited now" in user.get("exceptions/1/?done=edited&n=1").text
    user.post("exceptions/act", data={"action": "assigned", "ids": "1", "to": "ann"})
    history = user.get("exceptions/1/").text
    assert "record edited: website (agreed)" in history
    assert "exception assigned" in history
    assert user.post("exceptions/1/edit", data={"field": "credit_limit", "value": "1", "why": "x"}).status_code == 409

    replayed = user.post("exceptions/act", data={"action": "replay", "ids": "1", "why": "mended"})
    assert replayed.status_code == 303
    (run, who, conf) = runs("replay")[-1]
    assert (who, conf) == ("user", {"ids": ["1"], "most": 1, "why": "mended"})
    told = user.get(replayed.headers["location"].removeprefix("/accord/")).text
    assert "A replay of 1 was started." in told
    assert run in told
    assert "Its DAG is paused" in told


def test_what_a_filter_lets_through_is_shown_before_it_is_done(filled: World, user: TestClient) -> None:
    many(filled, 9)
    among = "queue=master+data&category=refused+by+the+system&list=1"
    asked = {"action": "assigned", "every": "1", "filter": among, "to": "ann"}
    sure = user.post("exceptions/act", data=asked)
    assert "This assigns <strong>10</strong> exception(s) to ann" in sure.text
    assert filled.hub("SELECT FROM exception WHERE assignee IS NOT NULL") == []
    done = user.post("exceptions/act", data=asked | {"sure": "1"})
    assert done.headers["location"].endswith("&done=assigned&n=10")
    assert len(filled.hub("SELECT FROM exception WHERE assignee = 'ann'")) == 10
    discarded = {"action": "discarded", "ids": ["1", "3"], "filter": among}
    assert "Nobody would know why" in user.post("exceptions/act", data=discarded).text
    assert user.post("exceptions/act", data=discarded | {"why": "a test"}).status_code == 303
    rows = filled.hub(
        "SELECT id FROM exception WHERE state = 'closed' AND resolution = 'discarded: a test' ORDER BY id"
    )
    assert [row["id"] for row in rows] == [1, 3]
    assert listed(user.get("exceptions/?closed=1").text) == [3, 1] or listed(user.get("exceptions/?closed=1").text) == [
        1,
        3,
    ]
    assert user.post("exceptions/act", data={"action": "discarded", "why": "x"}).status_code == 409
    assert user.post("exceptions/act", data={"action": "drop", "ids": "4"}).status_code == 409
    everything = user.post("exceptions/act", data={"action": "discarded", "every": "1", "sure": "1", "why": "x"})
    assert "That would be every exception" in everything.text


def test_a_decision_is_kept_and_a_run_goes_on_with_it(filled: World, user: TestClient) -> None:
    before = len(runs("reconciliation"))
    assert user.post("exceptions/2/decide", data={"answer": "same", "why": "x"}).status_code == 409
    assert "Say why" in user.post("exceptions/2/decide", data={"answer": "refuse"}).text
    assert len(runs("reconciliation")) == before
    assert user.post("exceptions/2/decide", data={"answer": "approve"}).status_code == 303
    told = {"flow": CUSTOMERS, "object": "customer", "target": "tryton", "keys": ["salesforce:1"], "apply": "all"}
    assert runs("reconciliation")[-1][1:] == ("user", told)
    assert filled.hub("SELECT key, rule, approved, who FROM approval") == [
        {"key": "salesforce:1", "rule": "fields", "approved": True, "who": "user"}
    ]

    filled.hub(
        """UPDATE exception SET kind = 'duplicate', category = 'possible duplicate', other = 'tryton:77' WHERE id = 1 RETURNING id"""
    )
    assert user.post("exceptions/1/decide", data={"answer": "two", "why": "two branches"}).status_code == 303
    assert runs("replay")[-1][1:] == ("user", {"ids": ["1"], "why": "two branches"})
    assert filled.hub("SELECT other, same, who FROM distinction") == [
        {"other": "tryton:77", "same": False, "who": "user"}
    ]

    filled.hub("UPDATE exception SET kind = 'approval', rule = 'big', other = NULL WHERE id = 1 RETURNING id")
    assert user.post("exceptions/1/decide", data={"answer": "approve"}).status_code == 303
    assert runs(CUSTOMERS)[-1][1:] == ("user", {"keys": ["salesforce:2"]})


def test_what_is_settled_and_what_is_no_flows(filled: World, user: TestClient) -> None:
    filled.hub("UPDATE exception SET state = 'closed', closed = now(), resolution = 'mended' RETURNING id")
    page = user.get("exceptions/1/").text
    assert "Settled" in page
    assert 'method="post"' not in page
    assert "is closed" in user.post("exceptions/2/decide", data={"answer": "approve"}).text
    (told,) = filled.hub(
        f"""INSERT INTO exception (kind, flow, object, key, category, queue, severity, message, correlation)
            VALUES ('parked', 'outbox', 'subscriber', 'billing', '{Category.SUBSCRIBER}', 'integration', 3, 'It answers 410.',
              gen_random_uuid()) RETURNING id"""  # noqa: S608 - ours
    )
    page = user.get(f"exceptions/{told['id']}/").text
    assert "Mend the receiver" in page
    assert "Nothing was sent" in page
