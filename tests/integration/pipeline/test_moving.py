"""A legal entity moves from one ERP to the other: a change of the routing plus a migration run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accord import processes
from accord.categories import Category
from accord.errors import Stop
from accord.flows import flow
from accord.hub.reconciliations import Apply, differing
from accord.migration import Migration, migrate
from accord.objects import CUSTOMER, CUSTOMER_ACCOUNT, ORDER, PRICE_LIST, PRODUCT
from accord.objects.order_status import ORDER_STATUS
from accord.objects.order_sync import ORDER_SYNC
from accord.pipeline.reconcile import reconcile
from accord.pipeline.runs import Params, RunKind
from tests.moving import move
from tests.oracle import complaints
from tests.world import World, counts

pytestmark = pytest.mark.usefixtures("open_gates")

ORDERS = flow("order__salesforce_to_erp")
STATUSES = {erp: flow(f"order_status__{erp}_to_salesforce") for erp in ("tryton", "legacy")}


def product(world: World, erp: str, native: str, code: str, *entities: str) -> str:
    """The ERP sells a product; its key. Salesforce knows it."""
    values = {
        "code": code,
        "name": code,
        "unit": "Each",
        "kind": "Goods",
        "status": "Active",
        "active": True,
        "system": erp,
    }
    key = world.systems[erp].source.put(PRODUCT, native, at=world.tick(), legal_entities=entities, **values)
    world.run(flow(f"product__{erp}_to_salesforce"))
    return key


def price_list(world: World, erp: str, native: str, name: str, entity: str) -> str:
    values = {"name": name, "legal_entity": entity, "currency": "GBP", "active": True}
    return world.systems[erp].source.put(PRICE_LIST, native, at=world.tick(), **values)


def order(world: World, native: str, customer: str, **values: Any) -> str:
    usual = {"number": native, "customer": customer, "legal_entity": "GB01", "currency": "GBP", "status": "Activated",
             "total": "10.00"}  # fmt: skip
    return world.source.put(ORDER, native, at=world.tick(), **usual | values)


def says(world: World, erp: str, key: str, state: str) -> None:
    """The ERP has the order in this state, and sales is told."""
    source, native = world.systems[erp].source, key.split(":", 1)[1]
    source.keys[native] = key
    values = {"number": f"{erp} {native}", "status": state, "currency": "GBP", "total": "12.00", "tax": "2.00"}
    source.put(ORDER_STATUS, native, at=world.tick(), **values)


def told(world: World, key: str) -> tuple[str, str]:
    """(number, state) of an order as Salesforce shows them."""
    (record,) = world.salesforce.held(ORDER_STATUS, key)
    return record["number"], record["status"]


def where(world: World, key: str) -> dict[str, bool]:
    """ERP → whether the order lives there, of the ERPs that have it at all."""
    held = {"tryton": world.tryton.held(ORDER, key), "legacy": world.legacy.held(ORDER, key)}
    assert all(len(records) <= 1 for records in held.values()), "nothing is there twice"
    return {erp: not record["gone"] for erp, records in held.items() for record in records}


def place(world: World, key: str) -> str:
    """The status of the order's process."""
    processes.place(world.accord().hub, key=key)
    return str(world.rows("SELECT status FROM process WHERE key = %s", key)[0]["status"])


def carry_out(world: World, **more: Any) -> Migration:
    world.tick()
    return migrate(world.accord(), "GB01", **more)


@pytest.fixture
def trading(world: World) -> dict[str, str]:
    """GB01 at work in Tryton: an order nobody has begun, one of which a part has left, one paid; a customer of two entities."""
    names = {"british": world.customer("1", entities=("GB01",)), "both": world.customer("2", entities=("GB01", "NL01"))}
    world.run()
    names["open"] = order(world, "O1", names["british"])
    names["begun"] = order(world, "O2", names["both"])
    names["paid"] = order(world, "O3", names["british"])
    names["dutch"] = order(world, "O4", names["both"], legal_entity="NL01", currency="EUR")
    world.run(ORDERS)
    for name, state in (("open", "Accepted"), ("begun", "In Fulfilment"), ("paid", "Paid"), ("dutch", "Accepted")):
        says(world, "tryton", names[name], state)
    world.run(STATUSES["tryton"])
    assert all(where(world, names[name]) == {"tryton": True} for name in ("open", "begun", "paid", "dutch"))
    return names


def all_is_well(world: World, names: dict[str, str]) -> None:
    assert complaints(world) == []
    assert world.legacy.held(CUSTOMER, names["british"])[0]["gone"] is False
    assert world.tryton.held(CUSTOMER, names["british"])[0]["gone"] is True, "nobody there buys from it any more"
    assert world.tryton.held(CUSTOMER, names["both"])[0]["gone"] is False, "its other legal entity stays"
    assert world.legacy.held(CUSTOMER, names["both"])[0]["gone"] is False
    assert where(world, names["open"]) == {"tryton": False, "legacy": True}
    assert (
        where(world, names["begun"]) == where(world, names["paid"]) == where(world, names["dutch"]) == {"tryton": True}
    )
    assert world.exceptions() == []


def test_what_a_move_does(world: World, trading: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    move(monkeypatch, "GB01", "legacy")
    before = world.writes()
    dry = carry_out(world, dry_run=True)
    assert world.writes() == before
    customers, orders, contracts = dry.runs
    assert contracts["extracted"] == 0, "nobody has subscribed to anything"
    assert counts(customers, "legacy") == {"changed": 2}
    assert counts(orders, "tryton") == {"changed": 1, "unchanged": 3}
    assert counts(orders, "legacy") == {"parked": 1, "excluded": 3}

    done = carry_out(world)
    all_is_well(world, trading)
    assert [(row["system"], row["state"], row["orders"]) for row in done.left] == [
        ("tryton", "In Fulfilment", 1),
        ("tryton", "Paid", 1),
    ]
    assert done.waiting == []
    assert place(world, trading["open"]) == "open", "it goes on, elsewhere"

    before = world.writes()
    carry_out(world)
    for which in (ORDERS, flow("customer__salesforce_to_erp")):
        world.run(which)
    assert world.writes() == before, "a second migration writes nothing"


def test_both_erps_go_on_with_what_they_have(
    world: World, trading: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is told of an order comes from the ERP that has it; what the old one says of what it let go is history."""
    move(monkeypatch, "GB01", "legacy")
    carry_out(world)
    says(world, "tryton", trading["open"], "Cancelled")  # that it let it go
    assert counts(world.run(STATUSES["tryton"]), "salesforce")["excluded"] == 1
    assert told(world, trading["open"]) == ("tryton O1", "Accepted")
    says(world, "legacy", trading["open"], "Accepted")
    world.run(STATUSES["legacy"])
    assert told(world, trading["open"]) == ("legacy O1", "Accepted")
    says(world, "tryton", trading["open"], "Cancelled")  # somebody touches it there
    world.run(STATUSES["tryton"])
    assert told(world, trading["open"]) == ("legacy O1", "Accepted")

    world.source.touch(ORDER, "O2", at=world.tick(), customer_reference="PO 2")
    assert counts(world.run(ORDERS), "tryton")["applied"] == 1, "what it has begun is changed there"
    says(world, "tryton", trading["begun"], "Paid")
    world.run(STATUSES["tryton"])
    assert told(world, trading["begun"]) == ("tryton O2", "Paid")

    new = order(world, "O9", trading["british"])
    world.run(ORDERS)
    assert where(world, new) == {"legacy": True}
    world.source.touch(ORDER, "O1", at=world.tick(), status="Cancelled")
    world.source.touch(ORDER, "O3", at=world.tick(), status="Cancelled")
    world.run(ORDERS)
    assert where(world, trading["open"]) == {"tryton": False, "legacy": False}
    assert where(world, trading["paid"]) == {"tryton": False}
    assert (place(world, new), place(world, trading["open"])) == ("open", "abandoned")


def test_an_order_that_moved_and_is_cancelled_then(
    world: World, trading: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old ERP let it go long before: what it says of it stays history, to runs and to reconciliations."""
    key = trading["open"]
    move(monkeypatch, "GB01", "legacy")
    carry_out(world)
    says(world, "tryton", key, "Cancelled")
    says(world, "legacy", key, "Accepted")
    world.run(STATUSES["legacy"])
    world.source.touch(ORDER, "O1", at=world.tick(), status="Cancelled")
    world.run(ORDERS)
    says(world, "legacy", key, "Cancelled")
    world.run(STATUSES["legacy"])
    assert told(world, key) == ("legacy O1", "Cancelled")
    world.tick(timedelta(days=1))
    for which in STATUSES.values():
        summary = reconcile(world.accord(), which, target="salesforce", apply=Apply.NONE, who="somebody")
        assert differing(summary) == {}
    says(world, "tryton", key, "Cancelled")  # somebody touches it there
    assert counts(world.run(STATUSES["tryton"]), "salesforce")["excluded"] == 1
    assert told(world, key) == ("legacy O1", "Cancelled")


def test_what_the_old_erp_does_not_let_go_is_not_created_again(
    world: World, trading: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was shipped meanwhile, which nobody has been told yet."""
    key = trading["open"]
    world.tryton.rejects[key] = Category.ALREADY_FULFILLED
    move(monkeypatch, "GB01", "legacy")
    done = carry_out(world)
    assert where(world, key) == {"tryton": True}
    assert {(row["category"], row["target"]) for row in world.exceptions()} == {
        (Category.ALREADY_FULFILLED, "tryton"),
        (Category.ELSEWHERE, "legacy"),
    }
    assert {row["category"] for row in done.waiting} == {Category.ALREADY_FULFILLED, Category.ELSEWHERE}
    assert place(world, key) == "held"

    world.tryton.rejects.clear()
    says(world, "tryton", key, "Shipped")
    world.run(STATUSES["tryton"])
    world.run(ORDERS)
    assert where(world, key) == {"tryton": True}, "it finishes what it has begun"
    assert world.exceptions() == []


def test_it_waits_until_it_is_let_go(world: World, trading: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    key = trading["open"]
    world.tryton.locks.add(key)
    move(monkeypatch, "GB01", "legacy")
    carry_out(world)
    assert where(world, key) == {"tryton": True}
    assert world.salesforce.held(ORDER_SYNC, key)[0]["status"] == "Pending"
    world.tryton.locks.clear()
    world.run(ORDERS)
    world.run(ORDERS)
    all_is_well(world, trading)
    assert world.salesforce.held(ORDER_SYNC, key)[0]["status"] == "Synced"


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize(
    ("erp", "nth"),
    [("legacy", 1), ("tryton", 2), ("legacy", 2)],
    ids=["creating customers", "letting the order go", "creating the order"],
)
def test_killed_in_the_middle_and_run_again(
    world: World, trading: dict[str, str], monkeypatch: pytest.MonkeyPatch, erp: str, nth: int
) -> None:
    """The process dies at a request to an ERP; the migration is run again."""
    move(monkeypatch, "GB01", "legacy")
    target, passed = world.systems[erp].target, 0

    def die() -> None:
        nonlocal passed
        passed += 1
        if passed == nth:
            raise Killed

    target.on_request = die
    with pytest.raises(Killed):
        carry_out(world)
    target.on_request = None
    world.rows("UPDATE dispatch SET send_before = now() - interval '1 hour' WHERE closed IS NULL RETURNING 1")
    carry_out(world)
    carry_out(world)  # what the first one found in doubt
    all_is_well(world, trading)


def test_and_back_again(world: World, trading: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes back finds its own record there."""
    move(monkeypatch, "GB01", "legacy")
    carry_out(world)
    move(monkeypatch, "GB01", "tryton")
    world.tick()
    carry_out(world)
    assert complaints(world) == []
    assert where(world, trading["open"]) == {"tryton": True, "legacy": False}
    assert world.exceptions() == []


def test_orders_find_the_new_erps_products(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An order quoted from the old ERP's catalogue: its product by its code, its list by its name."""
    known, lacking = product(world, "tryton", "11", "MI-1", "GB01"), product(world, "tryton", "12", "MI-2", "GB01")
    product(world, "legacy", "MI-1", "MI-1", "GB01", "US01")
    prices = price_list(world, "tryton", "3", "Standard GBP", "GB01")
    world.run(flow("price_list__tryton_to_salesforce"))
    price_list(world, "legacy", "GB01/STD", "Standard GBP", "GB01")
    customer = world.customer("1", entities=("GB01",))
    world.run()
    keys = []
    for n, sold in enumerate((known, lacking)):
        line = {"id": f"L{n}", "product": sold, "quantity": "1", "unit_price": "10", "cancelled": False}
        keys.append(order(world, f"O{n}", customer, lines=[line], price_list=prices))
    world.run(ORDERS)
    move(monkeypatch, "GB01", "legacy")
    done = carry_out(world)
    assert {(one.object, one.matched, one.missing) for one in done.matched} == {
        ("product", 1, (lacking,)),
        ("price_list", 1, ()),
    }
    assert [where(world, key) for key in keys] == [{"tryton": False, "legacy": True}, {"tryton": False}]
    (write,) = world.written(world.legacy, keys[0])
    assert write.fields["lines"][0]["product__native"] == "MI-1"
    (waits,) = world.exceptions()
    assert (waits["key"], waits["category"], waits["awaits"]) == (keys[1], Category.PARENT_MISSING, lacking)

    product(world, "legacy", "MI-2", "MI-2", "GB01", "US01")  # master data adds it
    carry_out(world)
    assert where(world, keys[1]) == {"tryton": False, "legacy": True}
    assert world.exceptions() == []


def test_the_old_books_are_read_on(world: World, trading: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody still owes there is told; nothing in Salesforce is doubled or taken away."""
    party = str(world.tryton.native(CUSTOMER, trading["british"]))
    account = world.account("001", party, legal_entity="GB01", currency="GBP")
    world.run(flow("customer_account__tryton_to_salesforce"))
    held = {name: len(records) for name, records in world.salesforce.records.items()}
    move(monkeypatch, "GB01", "legacy")
    carry_out(world)
    assert {name: len(records) for name, records in world.salesforce.records.items()} == held
    world.account("001", party, legal_entity="GB01", currency="GBP", balance="0.00", active=False)
    assert counts(world.run(flow("customer_account__tryton_to_salesforce")), "salesforce") == {"applied": 1}
    (record,) = world.salesforce.held(CUSTOMER_ACCOUNT, account)
    assert (str(record["balance"]), record["active"]) == ("0.00", False)


def test_an_order_given_to_another_legal_entity_is_in_one_erp_at_a_time(world: World, trading: dict[str, str]) -> None:
    """No entity moves: sales changes who sells, and the ERP that has the order does not let it go."""
    world.source.touch(CUSTOMER, "1", at=world.tick(), legal_entities=["GB01", "US01"])
    world.run()
    key = trading["open"]
    world.tryton.rejects[key] = Category.ALREADY_FULFILLED
    world.source.touch(ORDER, "O1", at=world.tick(), legal_entity="US01", currency="USD")
    world.run(ORDERS)
    assert where(world, key) == {"tryton": True}
    world.tryton.rejects.clear()
    for _ in range(2):  # somebody asks for it again
        world.run(ORDERS, kind=RunKind.MANUAL, params=Params(keys=(key,)))
    assert where(world, key) == {"tryton": False, "legacy": True}
    assert world.exceptions() == []


def test_an_entity_that_does_not_move_is_named(world: World) -> None:
    with pytest.raises(Stop, match="NL01"):
        migrate(world.accord(), "NL01")
    with pytest.raises(Stop, match="XX99"):
        migrate(world.accord(), "XX99")
