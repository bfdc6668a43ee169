"""Salesforce is told how its records fared, when that changed and not otherwise."""

from __future__ import annotations

import pytest

from accord.categories import Category
from accord.objects import CUSTOMER_STATUS
from tests.world import World

pytestmark = pytest.mark.usefixtures("open_gates")


def test_told_when_it_changed(world: World) -> None:
    key = world.customer("1", entities=("NL01", "US01"))
    world.legacy.rejects = {key: Category.REFUSED}
    world.run()
    status, error = world.status(key) or (None, None)
    assert status == "Rejected"
    assert error
    assert error.startswith("Refused by the system")
    assert len(error) <= CUSTOMER_STATUS.field("error").type.limit  # type: ignore[union-attr]  # a text field

    told = len(world.salesforce.writes)
    world.run()
    world.change("1", phone="+31 20 1")
    world.run()
    assert len(world.salesforce.writes) == told

    world.legacy.rejects = {}
    world.change("1", phone="+31 20 2")
    world.run()
    assert world.status(key) == ("Synced", None)
    assert len(world.salesforce.writes) == told + 1


def test_a_record_that_is_deleted_before_it_is_told(world: World) -> None:
    key = world.customer("1")
    world.salesforce.rejects = {key: Category.REFERENCE_UNKNOWN}
    world.run()
    (waits,) = world.exceptions()
    assert (waits["object"], waits["key"]) == (CUSTOMER_STATUS.name, key)
    world.change("1", gone=True)
    world.run()
    assert world.exceptions() == []
    world.salesforce.rejects = {}
    world.change("1", gone=False)
    world.run()
    assert world.status(key) == ("Synced", None)
