"""Parents before children, whatever the order they come in."""

from __future__ import annotations

import itertools

import pytest

from accord.categories import Category
from accord.objects import CUSTOMER
from tests.oracle import complaints
from tests.world import World, counts

FAMILY = ("a", "b", "c", "d")  # a above b above c above d


@pytest.mark.usefixtures("open_gates")
@pytest.mark.parametrize("order", [*itertools.permutations(FAMILY)][::5], ids="".join)
def test_any_order_of_arrival(world: World, order: tuple[str, ...]) -> None:
    # the source's ids sort in the order of arrival, so do keys
    ids = {member: f"{place}{member}" for place, member in enumerate(order)}
    for member in order:
        above = FAMILY.index(member) - 1
        world.customer(ids[member], parent=f"salesforce:{ids[FAMILY[above]]}" if above >= 0 else None)
    world.tryton.request_size = 1
    summary = world.run(accord=world.accord(chunk_rows=2))
    assert counts(summary, "tryton") == {"applied": len(FAMILY)}
    assert [write.key[-1] for write in world.tryton.writes] == list(FAMILY)
    assert complaints(world) == []


@pytest.mark.usefixtures("open_gates")
def test_a_child_that_comes_first_waits_and_goes_by_itself(world: World) -> None:
    world.customer("parent")
    child = world.customer("child", parent="salesforce:parent")
    # the parent is read with the children that wait for it, so it must not be there yet
    parent = world.source.records["customer"].pop("parent")
    assert counts(world.run(), "tryton") == {"parked": 1}
    (held,) = world.exceptions(target="tryton")
    assert (held["key"], held["category"], held["awaits"]) == (child, "waits for its parent", "salesforce:parent")

    world.source.records["customer"]["parent"] = parent | {"modified": world.tick()}
    summary = world.run(interval=(world.clock, world.clock))
    assert counts(summary, "tryton")["applied"] == 2
    assert world.exceptions() == []
    assert complaints(world) == []


def test_a_child_of_a_quarantined_parent_waits(world: World) -> None:
    parent = world.customer("1", country="Atlantis")
    child = world.customer("2", parent=parent)
    for n in range(3, 12):
        world.customer(str(n))
    summary = world.run()
    assert counts(summary, "tryton") == {"applied": 9, "quarantined": 1, "parked": 1}
    assert world.tryton.held(CUSTOMER, child) == []
    assert {e["key"]: e["kind"] for e in world.exceptions(target="tryton")} == {child: "parked"}

    world.change("1", country="NL")
    summary = world.run(interval=(world.clock, world.clock))
    assert summary["released"] >= 1
    assert world.exceptions() == []
    assert complaints(world) == []


@pytest.mark.usefixtures("open_gates")
def test_a_child_of_a_refused_parent_waits(world: World) -> None:
    parent = world.customer("1")
    world.customer("2", parent=parent)
    world.tryton.rejects = {parent: Category.REFUSED}
    assert counts(world.run(), "tryton") == {"rejected": 1, "parked": 1}
    world.tryton.rejects = {}
    world.change("1", phone="+31 20 1")
    world.run(interval=(world.clock, world.clock))
    assert world.exceptions() == []
    assert complaints(world) == []
