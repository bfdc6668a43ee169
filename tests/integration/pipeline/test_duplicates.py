"""What may be the same customer twice waits for a person; it goes when the matter is mended in the source."""

from __future__ import annotations

import pytest

from accord.categories import Category
from accord.errors import Stop
from accord.exceptions import tell_apart
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


def test_two_they_are_by_decision(world: World) -> None:
    first, second = world.customer("1", name="Acme B.V."), world.customer("2", name="ACME bv")
    world.run()
    (held,) = world.exceptions()
    assert held["other"] == first
    world.tick()
    tell_apart(world.accord(), held["id"], same=False, who="ann", why="two branches")
    assert world.exceptions() == []
    assert len(world.tryton.held(CUSTOMER, second)) == 1
    assert complaints(world) == []
    third = world.customer("3", name="Acme")
    world.run()
    assert [row["key"] for row in world.exceptions()] == [third], "the decision is about that pair"


def test_the_decision_holds_once_the_other_is_there(world: World) -> None:
    """Decided within a batch, met again as a record of the target: the second one was refused for something else first."""
    first, second = world.customer("1", name="Acme B.V."), world.customer("2", name="ACME bv")
    world.run()
    (held,) = world.exceptions()
    world.tryton.rejects = {second: Category.REFUSED}
    tell_apart(world.accord(), held["id"], same=False, who="ann", why="two branches")
    assert [(row["key"], row["kind"]) for row in world.exceptions()] == [(second, "rejected")]
    assert len(world.tryton.held(CUSTOMER, first)) == 1


def test_the_same_it_is_by_decision(world: World) -> None:
    """The record the target had becomes the customer's own: followed, not doubled, its legal name left to finance."""
    native = world.tryton.adopt(CUSTOMER, name="Old", legal_name="Old N.V.", country="NL", tax_registration="NL 123")
    key = world.customer("1", tax_registration="nl123", legal_name="New N.V.", phone="+31 20 1")
    world.run()
    (held,) = world.exceptions()
    assert held["other"] == f"tryton:{native}"
    tell_apart(world.accord(), held["id"], same=True, who="ann", why="known to finance")
    assert world.exceptions() == []
    assert list(world.tryton.records["customer"]) == [native]
    (record,) = world.tryton.held(CUSTOMER, key)
    assert (record["phone"], record["legal_name"]) == ("+31 20 1", "Old N.V.")
    assert [write.created for write in world.written(world.tryton, key)] == [False]
    assert counts(world.run(), "tryton") == {"unchanged": 1}
    assert complaints(world) == []
    (told,) = world.rows(
        "SELECT who, detail FROM audit WHERE what = 'duplicate decided' AND subject LIKE 'exception:%%'"
    )
    assert (told["who"], told["detail"]["same"]) == ("ann", True)


def test_two_records_of_the_source_are_merged_there(world: World) -> None:
    world.customer("1", name="Acme B.V.")
    world.customer("2", name="ACME bv")
    world.run()
    (held,) = world.exceptions()
    with pytest.raises(Stop, match="Both are records of salesforce"):
        tell_apart(world.accord(), held["id"], same=True, who="ann", why="one")
    assert len(world.exceptions()) == 1


def test_a_record_of_the_target_is_only_one_records_own(world: World) -> None:
    native = world.tryton.adopt(CUSTOMER, name="Old", country="NL", tax_registration="NL 123")
    world.customer("1", tax_registration="nl123")
    world.customer("2", tax_registration="nl123")
    world.run()
    first, second = world.exceptions()
    assert {first["other"], second["other"]} == {f"tryton:{native}"}
    tell_apart(world.accord(), first["id"], same=True, who="ann", why="known")
    with pytest.raises(Stop, match="belongs to another record"):
        tell_apart(world.accord(), second["id"], same=True, who="ann", why="known")
