"""Expectation reports: what is new, what recurs, what is fixed; money at risk; what became of every record that was held."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg.types.json import Jsonb

from accord.errors import Stop
from accord.exceptions import discard
from accord.flows import flow
from accord.hub.gate_reports import GateReport, RuleReport, gate_report, standings
from accord.hub.queue import Filter
from accord.quality.gate import Verdict
from tests.judging import RULE, WARNING, judged
from tests.world import CUSTOMERS, World

ORDERS = flow("order__salesforce_to_erp")
EUR = ("100.00", "EUR")


def report(world: World, run: int, **page: object) -> GateReport:
    with world.kept[0].session() as session:
        return gate_report(session, run, "canonical", **page)  # type: ignore[arg-type]


def rule_of(told: GateReport, name: str = RULE.rule) -> RuleReport:
    (found,) = [rule for rule in told.rules if rule.rule == name]
    return found


def compared(told: GateReport) -> tuple[str, int, int, int]:
    rule = rule_of(told)
    return rule.standing, rule.fresh, rule.recurring, rule.fixed


def settled(world: World, *keys: str) -> None:
    """A later delivery of the records succeeded."""
    world.rows(
        "UPDATE exception SET state = 'closed', closed = clock_timestamp() WHERE key = ANY(%s) AND state <> 'closed' RETURNING id",
        list(keys),
    )


def test_a_story_of_three_runs_by_the_real_gates(world: World) -> None:
    bad, odd = world.customer("8", currency=None), world.customer("9", country="XX", phone="+31 PERSONAL")
    world.customer("1")
    world.run()
    world.change("9", country="NL")
    world.change("8", phone="+31")
    world.run()

    first, second = report(world, 1), report(world, 2)
    assert (first.verdict, first.records, first.quarantined, first.previous) == ("pass with quarantine", 3, 2, None)
    assert {rule.rule: (rule.standing, rule.fresh) for rule in first.failing} == {
        "currency.required": ("new", 1), "country.vocabulary": ("new", 1),
    }  # fmt: skip
    assert first.fates == {"still held": 1, "released": 1}
    assert {one.key: one.fate for one in first.held} == {bad: "still held", odd: "released"}
    assert second.previous
    assert second.previous["run"] == 1
    assert [(rule.rule, rule.standing, rule.recurring) for rule in second.failing] == [
        ("currency.required", "recurring", 1)
    ]
    assert [(rule.rule, rule.fixed) for rule in second.fixed] == [("country.vocabulary", 1)]
    (sample,) = second.failing[0].samples
    (matter,) = world.exceptions(key=bad)
    assert sample == {"key": bad, "correlation": str(matter["correlation"]), "fields": {"currency": "(empty)"}}
    assert second.held[0].correlation == str(matter["correlation"])

    pages = [path.read_text() for path in Path(world.folder, "reports", "runs").rglob("index.html")]
    assert len(pages) == 4, "two gates in two runs"
    (page,) = [text for text in pages if "country is a known code" in text and "Fixed since the run before" in text]
    for word in (
        "recurring",
        str(matter["correlation"]),
        "still held",
        "sales operations",
        "The last 2 runs",
        "currency: (empty)",
    ):
        assert word in page, word
    assert "PERSONAL" not in "".join(pages)


def test_new_recurring_and_fixed_are_told_apart(world: World) -> None:
    accord = world.accord()
    one = judged(accord, ORDERS, "1", {"salesforce:a": EUR, "salesforce:b": EUR, "salesforce:c": EUR})
    assert compared(report(world, one)) == ("new", 3, 0, 0)
    two = judged(accord, ORDERS, "2", {"salesforce:a": EUR, "salesforce:d": EUR}, met=["salesforce:b"])
    assert compared(report(world, two)) == ("recurring", 1, 1, 1), "c was not read: it is neither fixed nor recurring"
    settled(world, "salesforce:b", "salesforce:c")
    three = judged(accord, ORDERS, "3")
    assert compared(report(world, three)) == ("fixed", 0, 0, 2)
    settled(world, "salesforce:a", "salesforce:d")
    four = judged(accord, ORDERS, "4", {"salesforce:b": EUR})
    assert compared(report(world, four)) == ("new", 1, 0, 2), "what comes back after it was fixed is new"
    assert rule_of(report(world, four)).trend == [3, 2, 0, 1]
    assert [point.quarantined for point in report(world, four).trend] == [3, 2, 0, 1]


def test_a_task_that_is_tried_again_tells_the_same(world: World) -> None:
    accord = world.accord()
    for _ in range(2):
        run = judged(accord, ORDERS, "1", {"salesforce:a": EUR})
        assert compared(report(world, run)) == ("new", 1, 0, 0), "what its own first try raised is not from before"
    for _ in range(2):
        run = judged(accord, ORDERS, "2", {"salesforce:a": EUR})
        assert compared(report(world, run)) == ("recurring", 0, 1, 0)


def test_runs_nobody_compares_with(world: World) -> None:
    accord = world.accord()
    one = judged(accord, ORDERS, "1", {"salesforce:a": EUR})
    dry = judged(accord, ORDERS, "2", {"salesforce:b": EUR}, dry=True)
    chosen = judged(accord, ORDERS, "3", keys=("salesforce:c",))
    four = judged(accord, ORDERS, "4", {"salesforce:b": EUR})
    told = report(world, four)
    assert told.previous
    assert told.previous["run"] == one
    assert compared(told) == ("recurring", 1, 0, 0), "the rule fails again, the record for the first time"
    assert [point.run for point in told.trend] == [one, four]
    assert [point.run for point in report(world, chosen).trend] == [one, chosen]
    assert report(world, dry).fates == {"dry run": 1}


def test_money_is_counted_once_per_record_and_of_all_where_nothing_goes_on(world: World) -> None:
    accord = world.accord()
    held = judged(
        accord,
        ORDERS,
        "1",
        {"salesforce:a": EUR, "salesforce:b": ("0.50", "EUR"), "salesforce:c": ("7", "USD"), "salesforce:d": None},
    )
    told = report(world, held)
    assert told.at_risk == rule_of(told).at_risk == {"EUR": "100.50", "USD": "7.00"}
    assert [(one.key, one.currency, one.at_risk) for one in told.held][2:] == [
        ("salesforce:c", "USD", "7.00"),
        ("salesforce:d", None, None),
    ]
    amounts = Jsonb({"came": {"EUR": "5000.00", "USD": "1.00"}, "superseded": {"EUR": "1000.00", "USD": "1.00"}})
    stopped = judged(accord, ORDERS, "2", {"salesforce:a": EUR}, verdict=Verdict.STOP, amounts=amounts)
    told = report(world, stopped)
    assert told.at_risk == {"EUR": "4000.00"}
    assert (told.reasons, told.fates) == (["too many"], {"batch refused": 1})
    assert compared(report(world, judged(accord, ORDERS, "3"))) == ("fixed", 0, 0, 1), (
        "what the refused batch failed holds now"
    )


def test_what_became_of_each_is_told_as_it_stands(world: World) -> None:
    accord = world.accord()
    keys = [f"salesforce:{name}" for name in "abcde"]
    run = judged(accord, ORDERS, "1", dict.fromkeys(keys, EUR))
    settled(world, keys[0])
    settled(world, keys[1])
    world.rows("UPDATE exception SET replay = 1 WHERE key = %s RETURNING id", keys[1])
    (third,) = world.exceptions(key=keys[2])
    discard(accord, Filter(ids=(third["id"],)), who="ann", why="a test order of PERSONAL")
    world.rows("UPDATE exception SET state = 'replaying', replay = 2 WHERE key = %s RETURNING id", keys[3])
    told = report(world, run)
    assert {one.key: one.fate for one in told.held} == dict(
        zip(keys, ("released", "replayed", "discarded", "being replayed", "still held"), strict=True)
    )
    assert sorted(told.fates) == ["being replayed", "discarded", "released", "replayed", "still held"]
    assert all(one.settled for one in told.held[:3])
    assert "PERSONAL" not in str(told), "the reason is for those who may see the exception"
    first = report(world, run, size=2)
    assert ([one.key for one in first.held], first.after) == (keys[:2], keys[1])
    last = report(world, run, size=3, after=keys[1])
    assert ([one.key for one in last.held], last.after, sum(last.fates.values())) == (keys[2:], None, 5)


def test_the_last_run_of_every_gate_the_worst_first(world: World) -> None:
    accord = world.accord()
    judged(accord, CUSTOMERS, "1", warned=2)
    judged(accord, ORDERS, "1", {"salesforce:a": EUR})
    judged(accord, ORDERS, "2", {"salesforce:a": EUR, "salesforce:b": EUR})
    judged(accord, ORDERS, "3", dry=True)
    with world.kept[0].session() as session:
        found = [
            (one.flow, one.verdict, one.quarantined, one.open, [p.quarantined for p in one.trend])
            for one in standings(session)
        ]
    assert found == [(ORDERS.name, "pass with quarantine", 2, 1, [1, 2]), (CUSTOMERS.name, "pass", 0, 1, [0])]
    told = report(world, 1)
    assert (rule_of(told, WARNING.rule).standing, told.fates) == ("new", {}), "a warning holds nothing"
    with pytest.raises(Stop, match="Run 99 has no canonical gate"):
        report(world, 99)
