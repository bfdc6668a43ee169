"""Each side writes only what it owns; a seed is used once."""

from __future__ import annotations

import pytest

from accord.objects import CUSTOMER
from tests.world import World, counts

pytestmark = pytest.mark.usefixtures("open_gates")


def test_a_seed_is_written_on_create_and_never_after(world: World) -> None:
    key = world.customer("1", legal_name="As sales typed it")
    world.run()
    (record,) = world.tryton.held(CUSTOMER, key)
    assert record["legal_name"] == "As sales typed it"

    world.tryton.edit(CUSTOMER, str(world.tryton.native(CUSTOMER, key)), legal_name="As registered")
    world.change("1", legal_name="Typed again", phone="+31 20 1")
    world.run()
    (record,) = world.tryton.held(CUSTOMER, key)
    assert (record["legal_name"], record["phone"]) == ("As registered", "+31 20 1")


def test_a_changed_seed_alone_is_no_change(world: World) -> None:
    world.customer("1", legal_name="As sales typed it")
    world.run()
    world.change("1", legal_name="Typed again")
    assert counts(world.run(), "tryton") == {"unchanged": 1}


def test_what_the_target_cannot_tell_apart_is_no_change(world: World) -> None:
    world.customer("1", phone=None, website=" https://example.com ")
    world.run()
    world.change("1", phone="", website="https://example.com", currency="EUR")  # this ERP keeps no currency
    assert counts(world.run(), "tryton") == {"unchanged": 1}


def test_an_edit_in_the_target_holds_until_the_source_changes(world: World) -> None:
    key = world.customer("1", phone="+31 20 1")
    world.run()
    world.tryton.edit(CUSTOMER, str(world.tryton.native(CUSTOMER, key)), phone="edited")
    assert counts(world.run(), "tryton") == {"unchanged": 1}
    assert world.tryton.held(CUSTOMER, key)[0]["phone"] == "edited"
    world.change("1", website="https://example.com")
    world.run()
    assert world.tryton.held(CUSTOMER, key)[0]["phone"] == "+31 20 1"
