"""An exception is opened once, kept up to date, and closed by what mends it."""

from __future__ import annotations

import pytest

from accord.categories import Category
from accord.pipeline.runs import Params, RunKind
from tests.oracle import complaints
from tests.world import MINUTE, World, counts


@pytest.mark.usefixtures("open_gates")
def test_a_refused_version_is_not_sent_again(world: World) -> None:
    key = world.customer("1")
    world.tryton.rejects = {key: Category.REFUSED}
    assert counts(world.run(), "tryton") == {"rejected": 1}
    (opened,) = world.exceptions()
    requests = world.tryton.requests
    assert counts(world.run(), "tryton") == {"rejected": 1}
    assert world.tryton.requests == requests

    world.change("1", phone="+31 20 1")
    assert counts(world.run(), "tryton") == {"rejected": 1}
    (updated,) = world.exceptions()
    assert updated["id"] == opened["id"]
    assert updated["attempts"] == 2
    assert updated["version"] > opened["version"]

    world.tryton.rejects = {}
    world.change("1", phone="+31 20 2")
    assert counts(world.run(), "tryton") == {"applied": 1}
    assert world.exceptions() == []
    (closed,) = world.rows("SELECT * FROM exception")
    assert (closed["state"], closed["resolution"]) == ("closed", "a later delivery succeeded")


@pytest.mark.usefixtures("open_gates")
def test_a_change_that_was_undone_needs_nothing_any_more(world: World) -> None:
    key = world.customer("1", phone="+31 20 1")
    world.run()
    world.tryton.rejects = {key: Category.INVALID_VALUE}
    world.change("1", phone="wrong")
    world.run()
    assert len(world.exceptions()) == 1
    world.change("1", phone="+31 20 1")
    assert counts(world.run(), "tryton") == {"unchanged": 1}
    assert world.exceptions() == []
    assert world.status(key) == ("Synced", None)


@pytest.mark.usefixtures("open_gates")
def test_who_asks_for_a_record_has_it_sent_again(world: World) -> None:
    """The target was mended; the schedule can't know."""
    key = world.customer("1")
    world.tryton.rejects = {key: Category.REFUSED}
    world.run()
    world.tryton.rejects = {}
    assert counts(world.run(), "tryton") == {"rejected": 1}
    asked = world.run(kind=RunKind.MANUAL, params=Params(keys=(key,)))
    assert counts(asked, "tryton") == {"applied": 1}
    assert world.exceptions() == []
    assert complaints(world) == []


@pytest.mark.usefixtures("open_gates")
@pytest.mark.parametrize("category", [Category.NOT_PERMITTED, Category.REFERENCE_UNKNOWN])
def test_what_is_mended_in_the_target_goes_by_itself(world: World, category: Category) -> None:
    key = world.customer("1")
    world.tryton.rejects = {key: category}
    assert counts(world.run(), "tryton") == {"parked": 1}
    (held,) = world.exceptions()
    assert (held["key"], held["kind"], held["category"]) == (key, "parked", category)
    assert (world.status(key) or ())[0] == "Held"
    world.tick(60 * MINUTE)
    assert counts(world.run(), "tryton")["parked"] == 1  # asked again, refused again
    (same,) = world.exceptions()
    assert same["id"] == held["id"]

    world.tryton.rejects = {}
    world.tick(60 * MINUTE)  # the record is beyond every window now
    assert world.run()["released"] == 1
    assert world.exceptions() == []
    assert world.status(key) == ("Synced", None)
    assert complaints(world) == []


def test_quarantined_once_and_released_by_its_correction(world: World) -> None:
    key = world.customer("bad", country="Atlantis")
    for n in range(9):
        world.customer(str(n))
    assert counts(world.run(), "tryton") == {"applied": 9, "quarantined": 1}
    assert counts(world.run(), "tryton") == {"unchanged": 9, "quarantined": 1}
    (held,) = world.exceptions()
    assert (held["key"], held["kind"], held["queue"]) == (key, "quarantined", "sales operations")
    assert held["attempts"] == 2
    assert "Atlantis" not in str(held)
    world.change("bad", country="NL")
    world.run()
    assert world.exceptions() == []


@pytest.mark.usefixtures("open_gates")
def test_what_was_sent_of_a_refused_record_is_kept_masked(world: World) -> None:
    key = world.customer("1", phone="+31 20 1", website="one.example")
    world.tryton.rejects = {key: Category.REFUSED}
    world.run()
    (row,) = world.exceptions()
    assert row["request"]["website"] == "one.example"
    assert row["request"]["phone"] == "(personal)"
    assert "currency" not in row["request"], "Tryton keeps none: it was not sent"
