"""An order's way from commitment to cash: placed by what the hub knows, resumed, given up."""

from __future__ import annotations

from typing import Any

import pytest

from accord import processes
from accord.categories import Category
from accord.errors import Stop, Unavailable
from accord.flows import FLOWS, Flow
from accord.hub.processes import LEAD_TO_CUSTOMER, PROCESSES, Process
from accord.objects import CUSTOMER, OBJECTS
from accord.objects.order import ORDER
from accord.objects.order_status import ORDER_STATUS
from accord.objects.order_sync import ORDER_SYNC
from tests.world import World

pytestmark = pytest.mark.usefixtures("open_gates", "flows")

ORDERS = Flow(
    name="order__salesforce_to_erp", object="order", source="salesforce", targets=("tryton",), schedule="* * * * *",
    status="order_sync",
)  # fmt: skip
STATUSES = Flow(
    name="order_status__tryton_to_salesforce", object="order_status", source="tryton", targets=("salesforce",),
    schedule="* * * * *",
)  # fmt: skip


@pytest.fixture
def flows(monkeypatch: pytest.MonkeyPatch) -> None:
    for definition in (ORDER, ORDER_SYNC, ORDER_STATUS):
        monkeypatch.setitem(OBJECTS, definition.name, definition)
    for name in [name for name, flow in FLOWS.items() if flow.object.startswith("order")]:
        monkeypatch.delitem(FLOWS, name)
    for flow in (ORDERS, STATUSES):
        monkeypatch.setitem(FLOWS, flow.name, flow)


def order(world: World, native: str, *, customer: str, **values: Any) -> str:
    usual = {"number": native, "customer": customer, "legal_entity": "NL01", "currency": "EUR", "status": "Activated",
             "total": "10.00"}  # fmt: skip
    return world.source.put(ORDER, native, at=world.tick(), **usual | values)


def erp_says(world: World, key: str, state: str) -> None:
    """The ERP has the order in this state; its record's key is the order's own."""
    source = world.systems["tryton"].source
    native = key.split(":", 1)[1]
    source.keys[native] = key
    source.put(
        ORDER_STATUS, native, at=world.tick(), number="S1", status=state, currency="EUR", total="12.10", tax="2.10"
    )


def places(world: World) -> dict[str, tuple[str, str]]:
    processes.place(world.accord().hub)
    return {
        row["key"]: (row["step"], row["status"])
        for row in world.rows("SELECT * FROM process WHERE name = 'quote_to_cash'")
    }


def test_an_order_goes_all_the_way(world: World) -> None:
    key = order(world, "O1", customer=world.customer("1"))
    world.run(ORDERS)
    assert places(world) == {key: ("committed", "held")}

    world.run()
    advanced = processes.advance(world.accord())
    assert advanced.asked >= 1
    assert places(world) == {key: ("created", "open")}
    assert world.salesforce.held(ORDER_SYNC, key)[0]["status"] == "Synced"

    for state, step in (
        ("Accepted", "acknowledged"),
        ("In Fulfilment", "in fulfilment"),
        ("Shipped", "shipped"),
        ("Invoiced", "invoiced"),
        ("Paid", "paid"),
    ):
        erp_says(world, key, state)
        world.run(STATUSES)
        assert places(world)[key] == (step, "done" if step == "paid" else "open")
    steps = [event["step"] for event in processes.inspect(world.accord(), key)["events"]]
    assert steps == ["committed", "created", "acknowledged", "in fulfilment", "shipped", "invoiced", "paid"]
    assert processes.place(world.accord().hub) == 0, "placing again changes nothing"


def test_resuming_asks_for_what_it_waits_for(world: World) -> None:
    key = order(world, "O1", customer=world.customer("1"))
    world.run(ORDERS)
    places(world)
    found = processes.resume(world.accord(), key, who="somebody")
    assert (found["step"], found["status"], found["waits"]) == ("created", "open", [])
    assert ("somebody", "resumed") in {(event["who"], event["why"]) for event in found["events"]}


def test_given_up_it_is_cancelled_and_sales_is_told(world: World) -> None:
    customer = world.customer("1")
    world.run()
    key = order(world, "O1", customer=customer)
    world.run(ORDERS)
    places(world)
    world.tick()
    found = processes.abandon(world.accord(), key, who="somebody", why="the customer went elsewhere")
    assert (found["step"], found["status"]) == ("created", "abandoned")
    assert world.tryton.held(ORDER, key)[0]["gone"]
    told = world.salesforce.held(ORDER_SYNC, key)[0]
    assert (told["status"], told["error"]) == ("Rejected", "Given up: the customer went elsewhere")


def created_order(world: World) -> str:
    customer = world.customer("1")
    world.run()
    key = order(world, "O1", customer=customer)
    world.run(ORDERS)
    return key


def half_a_customer(world: World) -> str:
    """One ERP of two has it."""
    key = world.customer("1", entities=("NL01", "US01"))
    world.legacy.rejects[key] = Category.REFUSED
    world.run()
    return key


# a process → a record of it that an ERP has; a new process needs a line here
TO_BE_COMPENSATED = {"quote_to_cash": created_order, "lead_to_customer": half_a_customer}


@pytest.mark.parametrize("process", PROCESSES.values(), ids=list(PROCESSES))
def test_every_compensation_is_claimed_dispatched_ledgered_and_done_once(world: World, process: Process) -> None:
    key = TO_BE_COMPENSATED[process.name](world)
    processes.place(world.accord().hub, process)
    world.tick()
    claims: list[dict[str, Any]] = []
    world.tryton.on_request = lambda: claims.extend(
        world.rows(
            "SELECT d.id FROM link l JOIN dispatch d ON d.id = l.dispatch AND d.closed IS NULL WHERE l.key = %s", key
        )
    )
    processes.abandon(world.accord(), key, who="somebody", why="it came to nothing")
    assert world.tryton.held(OBJECTS[process.object], key)[0]["gone"]
    ledger = world.rows(
        """SELECT d.id, y.outcome, y.gone, c.after ->> 'gone' AS changed, d.closed IS NOT NULL AS closed
           FROM delivery y JOIN dispatch d ON d.id = y.dispatch JOIN stream s ON s.id = y.stream
           JOIN change c ON c.dispatch = d.id AND c.key = y.key AND NOT c.personal
           WHERE y.key = %s AND s.object = %s AND s.target = 'tryton' AND d.run = (SELECT max(id) FROM run)""",
        key, process.object,
    )  # fmt: skip
    assert claims == [{"id": ledger[0]["id"]}], "the one request was claimed by its dispatch"
    assert [tuple(row.values())[1:] for row in ledger] == [("applied", True, "true", True)]
    written = world.writes()
    processes.abandon(world.accord(), key, who="somebody", why="it came to nothing")
    processes.advance(world.accord(), process)
    assert world.writes() == written


def test_what_the_erp_does_not_let_go_stays_visible(world: World) -> None:
    customer = world.customer("1")
    world.run()
    key = order(world, "O1", customer=customer)
    world.run(ORDERS)
    places(world)
    world.tryton.rejects[key] = Category.REFUSED
    world.tick()
    found = processes.abandon(world.accord(), key, who="somebody", why="no longer needed")
    assert found["status"] == "abandoning"
    assert [matter["category"] for matter in found["waits"]] == [Category.REFUSED]
    assert places(world) == {key: ("created", "abandoning")}
    world.tryton.rejects.clear()  # finance has credited it
    world.tick()
    processes.resume(world.accord(), key, who="somebody")
    assert places(world) == {key: ("created", "abandoned")}
    told = world.salesforce.held(ORDER_SYNC, key)[0]
    assert told["error"] == "Given up: no longer needed", "asking again does not change why"


def test_one_that_is_cancelled_in_salesforce(world: World) -> None:
    customer = world.customer("1")
    world.run()
    key = order(world, "O1", customer=customer)
    never = order(world, "O2", customer=customer, status="Draft")
    world.run(ORDERS)
    world.source.touch(ORDER, "O1", at=world.tick(), status="Cancelled")
    world.run(ORDERS)
    assert places(world) == {key: ("created", "abandoned")}
    assert not world.tryton.held(ORDER, never), "a draft never travels"


def test_an_unknown_order_is_named(world: World) -> None:
    with pytest.raises(Stop, match="no process of salesforce:O9"):
        processes.inspect(world.accord(), "salesforce:O9")


def leads(world: World) -> dict[str, tuple[str, str]]:
    processes.place(world.accord().hub, LEAD_TO_CUSTOMER)
    rows = world.rows("SELECT * FROM process WHERE name = 'lead_to_customer'")
    return {row["key"]: (row["step"], row["status"]) for row in rows}


def test_a_prospect_becomes_a_customer_of_every_erp(world: World) -> None:
    """An order for a customer not yet created waits for it, and goes when the customer is there."""
    prospect = world.customer("1", entities=())
    world.run()
    assert leads(world) == {}, "nobody sells to it yet"
    world.change("1", legal_entities=["NL01", "US01"])
    world.legacy.rejects[prospect] = Category.REFUSED
    waiting = order(world, "O1", customer=prospect)
    world.run(ORDERS)
    assert places(world)[waiting] == ("committed", "held")
    world.run()
    assert leads(world) == {prospect: ("validated", "held")}, "one ERP of two has it"
    world.legacy.rejects.clear()
    found = processes.resume(world.accord(), prospect, who="somebody")
    assert (found["name"], found["step"], found["status"]) == ("lead_to_customer", "acknowledged", "done")
    steps = [event["step"] for event in found["events"] if event["who"] == "scheduler"]
    assert steps == ["validated"]
    processes.advance(world.accord())
    assert places(world)[waiting] == ("created", "open")
    world.tryton.rejects[prospect] = Category.REFUSED
    world.change("1", name="Another name")
    world.run()
    assert leads(world) == {prospect: ("acknowledged", "done")}, "it is a customer: what comes later is another matter"


def test_a_failed_acknowledgement_is_made_up_for(world: World) -> None:
    """Sales was never told: the process asks for the record again until it is."""
    prospect = world.customer("1")
    world.salesforce.down = True
    with pytest.raises(Unavailable):
        world.run()
    assert leads(world) == {prospect: ("created", "open")}
    world.salesforce.down = False
    processes.advance(world.accord(), LEAD_TO_CUSTOMER)
    assert leads(world) == {prospect: ("acknowledged", "done")}
    assert world.status(prospect) == ("Synced", None)


def test_a_prospect_that_is_given_up(world: World) -> None:
    prospect = world.customer("1", entities=("NL01", "US01"))
    world.legacy.rejects[prospect] = Category.REFUSED
    world.run()
    assert leads(world) == {prospect: ("validated", "held")}
    world.tick()
    found = processes.abandon(world.accord(), prospect, who="somebody", why="they went bankrupt")
    assert found["status"] == "abandoned"
    assert world.tryton.held(CUSTOMER, prospect)[0]["gone"]
    assert world.status(prospect) == ("Rejected", "Given up: they went bankrupt")
    customer = world.customer("2")
    world.run()
    leads(world)
    with pytest.raises(Stop, match="is done"):
        processes.abandon(world.accord(), customer, who="somebody", why="too late")
