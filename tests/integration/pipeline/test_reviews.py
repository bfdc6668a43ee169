"""Reviews: a failing rule is somebody's matter until nothing fails it; accepting one is about attention, never about data."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from accord.cli import _parser
from accord.errors import Stop
from accord.flows import flow
from accord.hub import reviews
from accord.hub.gate_reports import gate_report, standings
from accord.hub.reviews import Wanted
from accord.quality.gate import Verdict
from accord.service_levels.evaluation import evaluate
from accord.service_levels.targets import levels
from tests.judging import RULE, WARNING, judged
from tests.world import World

ORDERS = flow("order__salesforce_to_erp")
A, B = "salesforce:a", "salesforce:b"
EUR = ("100.00", "EUR")
WHY = "MARKER: the customer of Jan Jansen knows"


def standing(world: World, **wanted: Any) -> list[tuple[str, str, int]]:
    """(rule, state, records held) of the reviews."""
    return [(row["rule"], row["state"], row["held"]) for row in reviews.reviews(world.accord().hub, Wanted(**wanted))]


def settle(world: World, *keys: str) -> None:
    world.rows("UPDATE exception SET state = 'closed', closed = now() WHERE key = ANY(%s) RETURNING id", list(keys))


def later(world: World, days: int) -> None:
    """So many days pass for reviews and exceptions."""
    world.rows("UPDATE review SET accepted_until = accepted_until - make_interval(days => %s) RETURNING id", days)
    world.rows("UPDATE exception SET opened = opened - make_interval(days => %s) RETURNING id", days)


def test_a_review_lasts_until_nothing_fails_the_rule_and_nothing_is_held(world: World) -> None:
    accord = world.accord()
    judged(accord, ORDERS, "1", {A: EUR, B: EUR}, warned=3)
    assert standing(world) == [(RULE.rule, "open", 2), (WARNING.rule, "open", 0)]
    judged(accord, ORDERS, "2", {A: EUR})
    (first, *_) = reviews.reviews(accord.hub)
    assert (first["id"], first["failed"], first["held"], first["at_risk"]) == (1, 1, 2, {"EUR": "200.00"})
    assert standing(world, settled=True) == [(WARNING.rule, "settled", 0)]
    judged(accord, ORDERS, "3")
    assert standing(world) == [(RULE.rule, "open", 2)], "both are held still: another window was read"
    settle(world, A, B)
    judged(accord, ORDERS, "4", keys=("salesforce:x",))
    assert standing(world) == [(RULE.rule, "open", 0)], "a run of chosen records says nothing of the others"
    judged(accord, ORDERS, "5")
    assert standing(world) == []
    judged(accord, ORDERS, "6", {A: EUR})
    assert [row["id"] for row in reviews.reviews(accord.hub)] != [1], "what comes back is a new matter"


def test_what_opens_none(world: World) -> None:
    accord = world.accord()
    judged(accord, ORDERS, "1", {A: EUR}, dry=True)
    assert standing(world) == []
    judged(accord, ORDERS, "2", {A: EUR}, verdict=Verdict.STOP)
    assert standing(world) == [(RULE.rule, "open", 0)], "a refused batch does, though no record is held by itself"


def test_acknowledged_assigned_commented_and_who_did_it(world: World) -> None:
    accord = world.accord()
    judged(accord, ORDERS, "1", {A: EUR})
    reviews.acknowledge(accord.hub, 1, who="ann")
    reviews.assign(accord.hub, 1, to="bob", who="ann")
    reviews.comment(accord.hub, 1, text=" the price list is new ", who="bob")
    told = reviews.show(accord.hub, 1)
    assert (told["state"], told["assignee"], told["acknowledged_by"]) == ("acknowledged", "bob", "ann")
    assert [(one["who"], one["text"]) for one in told["comments"]] == [("bob", "the price list is new")]
    assert [(one["what"], one["who"]) for one in told["history"]] == [
        ("review acknowledged", "ann"), ("review assigned", "ann"), ("review commented", "bob"),
    ]  # fmt: skip
    assert standing(world, assignee="bob") == [(RULE.rule, "acknowledged", 1)]
    assert standing(world, assignee="") == []
    assert standing(world, owner="master data") == []
    reviews.reopen(accord.hub, 1, who="ann")
    assert standing(world, state="open") == [(RULE.rule, "open", 1)]


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        (lambda hub: reviews.acknowledge(hub, 9, who="x"), "There is no review 9"),
        (lambda hub: reviews.comment(hub, 9, text="x", who="x"), "There is no review 9"),
        (lambda hub: reviews.comment(hub, 1, text=" ", who="x"), "comment is empty"),
        (lambda hub: reviews.comment(hub, 1, text="x" * 2001, who="x"), "longer than 2,000"),
        (lambda hub: reviews.accept(hub, 1, days=0, why="x", who="x"), "1 to 90 days"),
        (lambda hub: reviews.accept(hub, 1, days=91, why="x", who="x"), "1 to 90 days"),
        (lambda hub: reviews.accept(hub, 1, days=1, why="", who="x"), "reason is empty"),
        (lambda hub: reviews.accept(hub, 1, days=1, why="x", who="x"), "Review 1 is settled"),
    ],
)
def test_what_is_refused(world: World, act: Callable[[Any], None], problem: str) -> None:
    accord = world.accord()
    judged(accord, ORDERS, "1", warned=1)
    judged(accord, ORDERS, "2")
    with pytest.raises(Stop, match=problem):
        act(accord.hub)
    assert world.rows("SELECT FROM audit") == []


def test_an_accepted_rule_raises_no_alert_and_lets_nothing_pass(world: World) -> None:
    accord = world.accord()

    def ageing() -> int:
        return sum(one.records for one in evaluate(world.accord(), levels(["finance"])).breached)

    judged(accord, ORDERS, "1", {A: EUR})
    later(world, 30)
    assert ageing() == 1
    reviews.accept(accord.hub, 1, days=7, why=WHY, who="ann")
    assert ageing() == 0, "somebody decided to live with it"
    judged(accord, ORDERS, "2", {A: EUR, B: EUR})
    assert standing(world) == [(RULE.rule, "accepted", 2)]
    assert {row["key"] for row in world.exceptions()} == {A, B}, "they are held as before"
    with world.kept[0].session() as session:
        told = gate_report(session, 2, "canonical")
        assert [one.open for one in standings(session)] == [0]
    assert (told.verdict, told.quarantined) == ("pass with quarantine", 2)
    assert told.failing[0].review
    assert told.failing[0].review["state"] == "accepted", "it is shown"
    settle(world, A, B)
    judged(accord, ORDERS, "3")
    assert standing(world) == [(RULE.rule, "accepted", 0)], "it holds for its days, whatever comes and goes"
    judged(accord, ORDERS, "4", {A: EUR})

    later(world, 30)
    assert standing(world) == [(RULE.rule, "open", 1)], "it expires by itself"
    assert ageing() == 1
    with world.kept[0].session() as session:
        assert [one.open for one in standings(session)] == [1]
    (note,) = world.rows("SELECT detail FROM audit WHERE what = 'review accepted'")
    assert note["detail"]["days"] == 7


def test_a_stop_stays_a_stop(world: World) -> None:
    accord = world.accord()
    judged(accord, ORDERS, "1", {A: EUR}, verdict=Verdict.STOP)
    reviews.accept(accord.hub, 1, days=7, why=WHY, who="ann")
    judged(accord, ORDERS, "2", {A: EUR}, verdict=Verdict.STOP)
    assert [row["key"] for row in world.exceptions()] == [f"{ORDERS.name}/canonical"]
    later(world, 30)
    world.rows("UPDATE review SET accepted_until = now() + interval '1 day' RETURNING id")
    found = evaluate(world.accord(), levels(["integration"]))
    assert sum(one.records for one in found.breached) == 1, "a refused batch is told whatever was accepted"


def test_the_command_from_the_gates_to_the_acceptance(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def do(*words: str) -> str:
        asked = _parser().parse_args(["reviews", *words])
        assert asked.command(world.accord(), asked) == 0
        return capsys.readouterr().out

    assert "No gate has judged anything yet." in do("gates")
    assert "No review." in do("list")
    judged(world.accord(), ORDERS, "1", {A: EUR}, warned=2)
    assert "order__salesforce_to_erp canonical: run 1, 100 records, 1 fail, 100.00 EUR at risk, 2 open review(s)" in do(
        "gates"
    )
    told = do("report", "1", "canonical")
    for said in ("PASS WITH QUARANTINE", "NEW  the total is the sum of the lines [critical, finance", "Means: The customer would be",
                 "1 new, 0 recurring", "1 still held: waits", "Review 1: open, nobody's"):  # fmt: skip
        assert said in told, said
    assert json.loads(do("report", "1", "canonical", "--json"))["rules"][0]["standing"] == "new"
    listed = do("list", "--owner", "finance", "--state", "open").splitlines()
    assert "1 of 100 failed in run 1, 1 held, 100.00 EUR, finance" in listed[0]
    assert "acknowledged" in do("acknowledge", "1")
    assert "finance, bob" in do("assign", "1", "--to", "bob")
    assert ": the list is new" in do("comment", "1", "the list is new")
    shown = do("accept", "1", "--days", "3", "--why", "known")
    assert "1 failing then: known" in shown
    assert "review accepted by" in shown
    assert "accepted" in do("list", "--of", "bob")
    assert json.loads(do("list", "--json"))[0]["rule"] == WARNING.rule, "what is accepted comes last"
    assert "open" in do("reopen", "1")
