"""Where order matters, what comes later waits behind a refusal until a person has settled that."""

from __future__ import annotations

import pytest

from accord.categories import Category
from accord.exceptions import discard
from accord.hub.queue import Filter
from accord.objects.order import ORDER
from accord.objects.payment import PAYMENT
from accord.pipeline.replay import replay
from tests.integration.pipeline.test_references import BACK, ORDERS, customer
from tests.integration.pipeline.test_references import flows as flows
from tests.world import World, counts

pytestmark = pytest.mark.usefixtures("open_gates", "flows")


def order(world: World, **values: str) -> str:
    usual = {"number": "O1", "customer": "salesforce:1", "legal_entity": "NL01", "currency": "EUR", "status": "Activated",
             "total": "10.00"}  # fmt: skip
    return world.source.put(ORDER, "O1", at=world.tick(), **usual | values)


@pytest.fixture
def refused(world: World) -> str:
    """An order the ERP refused, and that would pass now."""
    world.customer("1")
    world.run()
    world.tryton.rejects = {"salesforce:O1": Category.REFUSED}
    key = order(world)
    world.run(ORDERS)
    world.tryton.rejects = {}
    return key


def test_a_later_version_waits_and_goes_with_the_replay(world: World, refused: str) -> None:
    order(world, customer_reference="PO 2")
    assert counts(world.run(ORDERS), "tryton") == {"parked": 1}
    assert not world.tryton.held(ORDER, refused)
    (held,) = world.exceptions()
    assert (held["kind"], held["attempts"]) == ("rejected", 1), "the refusal is the one matter there is"
    assert held["behind"] > held["version"]

    replay(world.accord(), Filter(ids=(held["id"],)), who="ann")
    assert world.exceptions() == []
    assert [record["customer_reference"] for record in world.tryton.held(ORDER, refused)] == ["PO 2"]
    assert counts(world.run(ORDERS), "tryton") == {"unchanged": 1}


def test_discarded_the_later_version_goes(world: World, refused: str) -> None:
    order(world, customer_reference="PO 2")
    world.run(ORDERS)
    (held,) = world.exceptions()
    discard(world.accord(), Filter(ids=(held["id"],)), who="ann", why="superseded")
    assert counts(world.run(ORDERS), "tryton") == {"applied": 1}


def test_a_cancellation_waits_for_nobody(world: World) -> None:
    """The ERP has the order and refused a change of it: what is cancelled is cancelled there all the same."""
    world.customer("1")
    world.run()
    key = order(world)
    world.run(ORDERS)
    world.tryton.rejects = {key: Category.REFUSED}
    order(world, customer_reference="PO 2")
    assert counts(world.run(ORDERS), "tryton") == {"rejected": 1}
    world.tryton.rejects = {}
    order(world, customer_reference="PO 3")
    assert counts(world.run(ORDERS), "tryton") == {"parked": 1}
    order(world, customer_reference="PO 3", status="Cancelled")
    assert counts(world.run(ORDERS), "tryton") == {"applied": 1}
    assert [record["gone"] for record in world.tryton.held(ORDER, key)] == [True]
    assert world.exceptions() == []


def test_while_it_is_replayed_the_schedule_waits_too(world: World, refused: str) -> None:
    order(world, customer_reference="PO 2")
    accord = world.accord()
    with accord.hub.alive(1):
        world.rows("UPDATE exception SET state = 'replaying', replay = 1 RETURNING id")
        assert counts(world.run(ORDERS), "tryton") == {"parked": 1}
        assert [row["state"] for row in world.exceptions()] == ["replaying"]


def test_a_payment_waits_behind_its_refusal(world: World) -> None:
    party = customer(world, "1")

    def payment(**values: str) -> str:
        usual = {"number": "M1", "customer": party, "legal_entity": "NL01", "system": "tryton", "status": "Received",
                 "currency": "EUR", "amount": "12.10", "unapplied": "12.10"}  # fmt: skip
        return world.systems["tryton"].source.put(PAYMENT, "M1", at=world.tick(), **usual | values)

    key = payment()
    world.salesforce.rejects = {key: Category.REFUSED}
    world.run(BACK["payment"])
    world.salesforce.rejects = {}
    payment(status="Applied", unapplied="0.00")
    assert counts(world.run(BACK["payment"]), "salesforce") == {"parked": 1}
    (done,) = replay(world.accord(), Filter(object="payment"), who="ann").flows
    assert done.settled == 1
    assert [record["status"] for record in world.salesforce.held(PAYMENT, key)] == ["Applied"]
