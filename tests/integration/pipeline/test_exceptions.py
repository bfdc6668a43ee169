"""An exception is opened once, kept up to date, and closed by what mends it."""

from __future__ import annotations

import pytest

from accord.categories import Category
from tests.world import World, counts


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
