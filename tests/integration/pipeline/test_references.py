"""A record waits for what it refers to, in its fields and in its parts; what it can do without, it goes without until it is known."""

from __future__ import annotations

from typing import Any

import pytest

from accord.flows import FLOWS, Flow
from accord.objects import CUSTOMER, OBJECTS
from accord.objects.invoice import INVOICE
from accord.objects.order import ORDER
from accord.objects.payment import PAYMENT
from accord.objects.product import PRODUCT
from tests.world import World, counts

pytestmark = pytest.mark.usefixtures("open_gates", "flows")

BACK = {
    definition.name: Flow(
        name=f"{definition.name}__tryton_to_salesforce",
        object=definition.name,
        source="tryton",
        targets=("salesforce",),
        schedule="* * * * *",
    )
    for definition in (PRODUCT, INVOICE, PAYMENT)
}
ORDERS = Flow(
    name="order__salesforce_to_erp", object="order", source="salesforce", targets=("tryton",), schedule="* * * * *"
)


@pytest.fixture
def flows(monkeypatch: pytest.MonkeyPatch) -> None:
    for definition in (PRODUCT, INVOICE, PAYMENT, ORDER):
        monkeypatch.setitem(OBJECTS, definition.name, definition)
    for flow in (*BACK.values(), ORDERS):
        monkeypatch.setitem(FLOWS, flow.name, flow)


def product(world: World, native: str) -> str:
    values = {"code": native, "name": native, "unit": "Each", "kind": "Goods", "status": "Active", "active": True,
              "system": "tryton", "legal_entities": ["NL01"]}  # fmt: skip
    return world.systems["tryton"].source.put(PRODUCT, native, at=world.tick(), **values)


def invoice(world: World, native: str, *, customer: str, products: tuple[str, ...] = (), **values: Any) -> str:
    lines = [
        {"id": str(n), "product": name, "quantity": "1", "unit_price": "5", "net": "5", "tax": "1"}
        for n, name in enumerate(products)
    ]
    usual = {"number": native, "customer": customer, "legal_entity": "NL01", "system": "tryton", "status": "Posted",
             "currency": "EUR", "net": "10.00", "tax": "2.10", "total": "12.10", "open_balance": "12.10",
             "overdue": False, "lines": lines}  # fmt: skip
    return world.systems["tryton"].source.put(INVOICE, native, at=world.tick(), **usual | values)


def customer(world: World, native: str) -> str:
    """A customer both sides know; its id in Tryton."""
    key = world.customer(native)
    world.run()
    (held,) = world.rows(
        "SELECT l.native FROM link l JOIN stream s ON s.id = l.stream WHERE l.key = %s AND s.target = 'tryton'", key
    )
    return f"tryton:{held['native']}"


def test_parts_wait_for_what_they_refer_to(world: World) -> None:
    key = invoice(world, "I1", customer=customer(world, "1"), products=("tryton:P1", "tryton:P2", "tryton:P1"))
    assert counts(world.run(BACK["invoice"]), "salesforce") == {"parked": 1}
    (held,) = world.exceptions()
    assert (held["category"], held["awaits"], held["awaits_object"]) == ("waits for its parent", "tryton:P1", "product")
    assert world.run(BACK["invoice"], interval=(world.clock, world.clock))["released"] == 0

    product(world, "P1")
    product(world, "P2")
    assert counts(world.run(BACK["product"]), "salesforce") == {"applied": 2}
    assert counts(world.run(BACK["invoice"], interval=(world.clock, world.clock)), "salesforce")["applied"] == 1
    assert world.exceptions() == []
    (write,) = world.written(world.salesforce, key)
    sent = {line["product"]: line["product__native"] for line in write.fields["lines"]}
    assert sent == {f"tryton:{p}": world.salesforce.native(PRODUCT, f"tryton:{p}") for p in ("P1", "P2")}

    assert counts(world.run(BACK["invoice"]), "salesforce") == {"unchanged": 1}


def test_what_is_not_missed_comes_later(world: World) -> None:
    """The order is known to the ERP and not to any link: the invoice goes without it, and again when it is."""
    party = customer(world, "1")
    key = invoice(world, "I1", customer=party, order="tryton:F-2")
    assert counts(world.run(BACK["invoice"]), "salesforce") == {"applied": 1}
    assert world.exceptions() == []
    assert world.run(BACK["invoice"], interval=(world.clock, world.clock))["released"] == 0

    order = world.source.put(
        ORDER, "O1", at=world.tick(), number="O1", customer="salesforce:1", legal_entity="NL01", currency="EUR",
        status="Activated", total="10.00",
    )  # fmt: skip
    assert counts(world.run(ORDERS), "tryton") == {"applied": 1}
    assert world.tryton.native(ORDER, order) == "F-2"
    assert counts(world.run(BACK["invoice"], interval=(world.clock, world.clock)), "salesforce")["applied"] == 1
    (record,) = world.salesforce.held(INVOICE, key)
    assert record["order"] == order
    assert world.run(BACK["invoice"], interval=(world.clock, world.clock))["released"] == 0


def test_a_payment_waits_for_its_invoice(world: World) -> None:
    party = customer(world, "1")
    world.systems["tryton"].source.put(
        PAYMENT, "M1", at=world.tick(), number="M1", customer=party, legal_entity="NL01", system="tryton",
        status="Applied", currency="EUR", amount="12.10", unapplied="0.00",
        applications=[{"id": "1", "invoice": "tryton:I1", "amount": "12.10"}],
    )  # fmt: skip
    assert counts(world.run(BACK["payment"]), "salesforce") == {"parked": 1}
    (held,) = world.exceptions()
    assert (held["currency"], str(held["at_risk"])) == ("EUR", "12.100000")
    invoice(world, "I1", customer=party)
    world.run(BACK["invoice"])
    assert counts(world.run(BACK["payment"], interval=(world.clock, world.clock)), "salesforce")["applied"] == 1
    assert world.exceptions() == []


def test_another_object_of_the_same_id_is_another(world: World) -> None:
    """A product and a customer have the same id in Tryton: what waits for the one is not let go by the other."""
    party = customer(world, "1")
    number = party.split(":", 1)[1]
    invoice(world, "I1", customer="tryton:unknown", products=())
    invoice(world, "I2", customer=party, products=(f"tryton:{number}",))
    assert counts(world.run(BACK["invoice"]), "salesforce") == {"excluded": 1, "parked": 1}
    assert world.run(BACK["invoice"], interval=(world.clock, world.clock))["released"] == 0
    assert len(world.salesforce.held(CUSTOMER, party)) == 0
