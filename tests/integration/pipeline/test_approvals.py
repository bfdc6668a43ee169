"""What a rule wants approved waits alone; a decision holds for the version it was made about."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from accord.approvals import decide, pending
from accord.categories import Category
from accord.errors import Stop
from accord.objects import CUSTOMER
from accord.quality.rule import CANONICAL, Rule, Threshold
from accord.quality.rules import customer as rules
from tests.world import World, counts


def is_small(table: pa.Table) -> pa.Array:
    return pc.not_equal(table["website"], "big.example")


@pytest.fixture(autouse=True)
def a_rule_to_approve(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Rule(
        name="website.small",
        title="big ones are approved",
        finding="a big one",
        consequence="Somebody has to look at it.",
        category=Category.REFUSED,
        needs=("website",),
        holds=is_small,
        threshold=Threshold(share=1.0),
        approvable=True,
    )
    declared: Sequence[Rule] = rules.CANONICAL_RULES
    monkeypatch.setattr(rules, f"{CANONICAL.upper()}_RULES", (*declared, rule))


def customers(world: World) -> tuple[str, str]:
    """A big one and a small one."""
    address = [{"role": "bill_to", "country": "NL", "city": "Delft"}]
    usual = {"currency": "EUR", "addresses": address}
    return (
        world.customer("1", website="big.example", **usual),
        world.customer("2", website="small.example", **usual),
    )


def test_approved_it_goes_and_nothing_else_waited(world: World) -> None:
    big, small = customers(world)
    assert counts(world.run(), "tryton") == {"applied": 1, "quarantined": 1}
    assert len(world.tryton.held(CUSTOMER, small)) == 1
    (matter,) = pending(world.accord().hub)
    assert (matter["key"], matter["rule"], matter["message"]) == (big, "website.small", "a big one")
    assert world.status(big) == ("Held", "Refused by the system: a big one")

    world.tick()
    assert decide(world.accord(), big, approved=True, who="somebody", why="known customer") == 1
    assert len(world.tryton.held(CUSTOMER, big)) == 1
    assert pending(world.accord().hub) == world.exceptions() == []
    assert world.status(big) == ("Synced", None)
    assert counts(world.run(), "tryton")["unchanged"] == 2, "the decision holds as long as the version"


def test_refused_it_stays_and_says_why(world: World) -> None:
    big, _ = customers(world)
    world.run()
    world.tick()
    decide(world.accord(), big, approved=False, who="somebody", why="too big")
    assert pending(world.accord().hub) == []
    (held,) = world.exceptions()
    assert (held["kind"], held["message"]) == ("quarantined", "a big one; approval was refused: too big")
    assert not world.tryton.held(CUSTOMER, big)
    with pytest.raises(Stop, match="waits for an approval"):
        decide(world.accord(), big, approved=True, who="somebody", why="")


def test_a_decision_about_an_older_version_decides_nothing(world: World) -> None:
    big, _ = customers(world)
    world.run()
    (asked,) = pending(world.accord().hub)
    world.change("1", phone="+31 20 1")
    world.run()
    (again,) = pending(world.accord().hub)
    assert again["version"] > asked["version"]
    with pytest.raises(Stop):
        decide(world.accord(), big, approved=True, who="somebody", why="", version=asked["version"])
    world.tick()
    decide(world.accord(), big, approved=True, who="somebody", why="", version=again["version"])
    world.change("1", phone="+31 20 2")
    world.run()
    assert [row["key"] for row in pending(world.accord().hub)] == [big], "a new version is asked about again"
