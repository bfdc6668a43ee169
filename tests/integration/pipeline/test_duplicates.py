"""What may be the same customer twice waits for a person; it goes when the matter is mended in the source."""

from __future__ import annotations

import pytest

from accord.objects import CUSTOMER
from tests.oracle import complaints
from tests.world import World, counts

pytestmark = pytest.mark.usefixtures("open_gates")


def test_two_of_a_batch(world: World) -> None:
    first, second = world.customer("1", name="Acme B.V."), world.customer("2", name="ACME bv")
    assert counts(world.run(), "tryton") == {"applied": 1, "parked": 1}
    assert len(world.tryton.held(CUSTOMER, first)) == 1
    (held,) = world.exceptions()
    assert (held["kind"], held["key"], held["queue"]) == ("duplicate", second, "master data")
    assert held["rule"] == "name+country"
    assert first in held["answer"]
    assert "ACME" not in str(held)

    world.change("2", name="Something else")
    assert world.run(interval=(world.clock, world.clock))["released"] == 1
    assert world.exceptions() == []
    assert complaints(world) == []


def test_one_that_is_in_the_target_already(world: World) -> None:
    native = world.tryton.adopt(CUSTOMER, name="Old", country="NL", tax_registration="NL 123")
    key = world.customer("1", tax_registration="nl123")
    assert counts(world.run(), "tryton") == {"parked": 1}
    (held,) = world.exceptions()
    assert (held["kind"], held["rule"]) == ("duplicate", "tax_registration")
    assert native in held["answer"]
    assert world.run()["released"] == 1
    (again,) = world.exceptions()
    assert again["id"] == held["id"]

    world.tryton.edit(CUSTOMER, native, tax_registration="NL 999")  # master data mended it in the target
    world.run()
    assert len(world.tryton.held(CUSTOMER, key)) == 1
    assert world.exceptions() == []


def test_merged_away_while_held(world: World) -> None:
    first = world.customer("1", name="Acme B.V.")
    world.customer("2", name="ACME bv")
    world.run()
    world.change("2", gone=True, merged_into=first)
    world.run()
    assert world.exceptions() == []
    assert len(world.tryton.writes) == 1
