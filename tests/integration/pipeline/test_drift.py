"""A field that vanishes: one exception, the other fields go on, nothing is cleared, and what was missed comes once it is back."""

from __future__ import annotations

from typing import Any

import pytest

from accord.categories import Category
from accord.errors import SchemaDrift
from accord.exceptions import show
from accord.hub.queue import Filter, page
from accord.objects import CUSTOMER, CUSTOMER_ACCOUNT, OBJECTS
from accord.pipeline.drift import essential
from accord.pipeline.replay import replay
from tests.world import MINUTE, TRYTON_ACCOUNTS, World

pytestmark = pytest.mark.usefixtures("open_gates")

PHONE = frozenset({"phone"})


def drifts(world: World) -> list[tuple[str, str]]:
    """(key, state) of the exceptions about drift."""
    return [(row["key"], row["state"]) for row in world.exceptions(category=Category.DRIFT)]


def held(world: World, target: Any, key: str) -> tuple[str | None, str | None]:
    (record,) = target.held(CUSTOMER, key)
    return record["phone"], record["website"]


def test_a_field_the_source_no_longer_shows(world: World) -> None:
    both = ("NL01", "US01")
    old = world.customer("1", entities=both, phone="+31 1", website="one.example")
    left = world.customer("2", entities=both, phone="+31 2")
    world.run()

    world.source.missing = PHONE
    world.change("1", website="1.example", phone="+31 111")
    new = world.customer("3", entities=both, phone="+31 3")
    assert world.run()["error"] is None
    for target in (world.tryton, world.legacy):
        assert held(world, target, old) == ("+31 1", "1.example"), "neither the new phone number nor none"
        assert held(world, target, new) == (None, None)
    (drift,) = world.exceptions()
    assert (drift["key"], drift["category"], drift["queue"], drift["rule"]) == (
        "salesforce.customer.phone", Category.DRIFT, "integration", "phone",
    )  # fmt: skip
    assert "customer goes without phone" in drift["message"]
    assert world.status(old) == world.status(new) == ("Synced", None)

    world.tick(60 * MINUTE)
    world.change("2", phone="+31 222")
    assert world.run()["error"] is None
    assert len(drifts(world)) == 1
    written = world.writes()
    world.run()
    assert world.writes() == written, "and that is that"
    assert held(world, world.tryton, left) == ("+31 2", None)

    world.source.missing = frozenset()
    world.tick(60 * MINUTE)
    assert world.run()["error"] is None
    assert drifts(world) == []
    for key, phone in ((old, "+31 111"), (left, "+31 222"), (new, "+31 3")):
        assert held(world, world.tryton, key)[0] == held(world, world.legacy, key)[0] == phone
    written = world.writes()
    world.run()
    assert world.writes() == written


def test_a_constituent_the_source_no_longer_shows(world: World) -> None:
    key = world.customer("1", contacts=[{"id": "salesforce:c1", "last_name": "Vries"}], phone="+31 1")
    world.run()
    world.source.missing = frozenset({"contacts"})
    world.change("1", phone="+31 2")
    assert world.run()["error"] is None
    (record,) = world.tryton.held(CUSTOMER, key)
    assert record["phone"] == "+31 2"
    assert [contact["last_name"] for contact in record["contacts"]] == ["Vries"]


@pytest.mark.parametrize("name", ["legal_entities", "name", "parent", "tax_registration", "addresses"])
def test_a_field_something_is_decided_by_stops_the_flow(world: World, name: str) -> None:
    world.customer("1")
    world.source.missing = frozenset({name, "phone"})
    with pytest.raises(SchemaDrift, match=name):
        world.run()
    assert (world.writes(), world.watermark()) == (0, None)


@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_what_is_essential_of_every_object(name: str) -> None:
    definition = OBJECTS[name]
    names = essential(definition)
    assert {field.name for field in definition.fields if field.required} <= names
    assert {*definition.amounts, definition.routed_by} - {None} <= names


def test_most_of_a_customer_s_contact_data_is_not() -> None:
    names = {*(field.name for field in CUSTOMER.fields), *(c.name for c in CUSTOMER.constituents)}
    assert names - essential(CUSTOMER) == {"legal_name", "phone", "website", "contacts"}


def party(world: World, number: str) -> str:
    """A customer that Tryton has."""
    key = world.customer(number)
    world.run()
    native = world.tryton.native(CUSTOMER, key)
    assert native
    return native


def test_a_field_the_target_no_longer_takes(world: World) -> None:
    first, other = world.account("1", party(world, "1"), payment_terms="30 days"), party(world, "2")
    world.salesforce.missing = frozenset({"payment_terms"})
    assert "payment_terms" not in essential(CUSTOMER_ACCOUNT)
    assert world.run(TRYTON_ACCOUNTS)["error"] is None
    assert drifts(world) == [("salesforce.customer_account.payment_terms", "open")]
    (record,) = world.salesforce.held(CUSTOMER_ACCOUNT, first)
    assert "payment_terms" not in record
    assert record["customer_number"] == "1"

    world.tick(60 * MINUTE)
    world.salesforce.missing = frozenset()
    second = world.account("2", other, payment_terms="60 days")
    world.run(TRYTON_ACCOUNTS)
    assert world.salesforce.held(CUSTOMER_ACCOUNT, second)[0]["payment_terms"] == "60 days"
    assert drifts(world) == [("salesforce.customer_account.payment_terms", "replaying")]
    page(world.accord().hub, Filter())
    assert [state for _, state in drifts(world)] == ["replaying"], "no replay died: this is read again by a run"
    world.run(TRYTON_ACCOUNTS)
    assert drifts(world) == []
    assert world.salesforce.held(CUSTOMER_ACCOUNT, first)[0]["payment_terms"] == "30 days"
    told = world.rows(
        "SELECT before ->> 'payment_terms' AS before, after ->> 'payment_terms' AS after FROM change "
        "WHERE key = %s AND NOT personal ORDER BY at",
        first,
    )
    assert [(row["before"], row["after"]) for row in told] == [(None, None), (None, "30 days")], (
        "nothing was told of it at first"
    )


def test_a_field_of_the_target_that_is_needed_stops_it(world: World) -> None:
    world.account("1", party(world, "1"))
    written = len(world.salesforce.writes)
    world.salesforce.missing = frozenset({"currency"})
    for _ in range(2):
        with pytest.raises(SchemaDrift, match="currency"):
            world.run(TRYTON_ACCOUNTS)
    assert len(world.salesforce.writes) == written
    assert drifts(world) == [("salesforce.customer_account", "open")], "one, however often the flow stops"
    world.salesforce.missing = frozenset()
    assert world.run(TRYTON_ACCOUNTS)["error"] is None
    assert drifts(world) == []


def test_who_is_asked_for_by_key_mends_nothing(world: World) -> None:
    from accord.pipeline.runs import Params, RunKind

    world.customer("1", phone="+31 1")
    world.source.missing = PHONE
    world.run()
    world.source.missing = frozenset()
    world.run(kind=RunKind.MANUAL, params=Params(keys=("1",)))
    assert len(drifts(world)) == 1, "the others were not read again"


def test_people_find_it_in_the_queue_where_it_is_no_record(world: World) -> None:
    held = world.customer("1", entities=("NL01",), phone="+31 1", currency=None)
    world.source.missing = PHONE
    world.run()
    (drift,) = world.exceptions(category=Category.DRIFT)
    assert show(world.accord(), drift["id"], who="ann")["sides"] == {}
    done = replay(world.accord(), Filter(category=Category.DRIFT), who="ann")
    assert (done.flows, done.left) == ((), {"no single record: its flow's next run settles it": 1})
    assert drifts(world) == [("salesforce.customer.phone", "open")]
    assert replay(world.accord(), Filter(key=held), who="ann").left == {}
