"""An order read from an Opportunity, and an Order that carries one on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from accord.objects.order import ORDER
from accord.systems.salesforce.mapping import all_parts
from accord.systems.salesforce.mappings import readings_of
from accord.systems.salesforce.requests import requests

STAMP = datetime(2026, 3, 2, 10, tzinfo=UTC)
READINGS = readings_of(ORDER)
PARTS = all_parts(READINGS, ORDER)


def row(id_: str, **values: Any) -> dict[str, Any]:
    return {"Id": id_, "IsDeleted": False, "SystemModstamp": STAMP} | values


def canonical(**staged: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Canonical id → row."""
    tables = {}
    for sobject, columns in PARTS.items():
        rows = [{column: found.get(column) for column in columns} for found in staged.get(sobject, [])]
        tables[sobject] = pa.Table.from_pylist(rows, schema=pa.schema(list(columns.items())))
    return {found["key"]: found for found in requests("salesforce", ORDER, READINGS, tables, STAMP).to_pylist()}


def line(id_: str, of: str, product: str, quantity: int, **values: Any) -> dict[str, Any]:
    usual = {"OpportunityId": of, "Product2Id": product, "Quantity": Decimal(quantity), "UnitPrice": Decimal(80)}
    return row(id_, **usual, **values)


def item(id_: str, of: str, product: str, quantity: int) -> dict[str, Any]:
    return row(
        id_, OrderId=of, Product2Id=product, Quantity=Decimal(quantity), UnitPrice=Decimal(80), Cancelled__c=False
    )


@pytest.mark.parametrize(
    ("stage", "status"),
    [
        ("Committed", "Activated"),
        ("Closed Won", "Activated"),
        ("Closed Lost", "Cancelled"),
        ("Proposal", "Draft"),
        (None, None),
    ],
)
def test_the_stage_says_what_sales_asks_for(stage: str | None, status: str | None) -> None:
    assert canonical(Opportunity=[row("006A", StageName=stage)])["salesforce:006A"]["status"] == status


def test_lines_come_with_their_discount_taken_off() -> None:
    found = canonical(
        Opportunity=[row("006A", Amount=Decimal(210))],
        OpportunityLineItem=[
            line("00k1", "006A", "01t1", 3, Discount=Decimal("12.5"), ListPrice=Decimal(90)),
            line("00k2", "006A", "01t2", 1),
        ],
    )["salesforce:006A"]
    one, two = found["lines"]
    assert (one["unit_price"], one["discount"], one["list_price"]) == (Decimal(70), Decimal("12.5"), Decimal(90))
    assert (two["unit_price"], two["discount"], two["cancelled"]) == (Decimal(80), None, False)
    assert found["number"] == "006A"
    assert found["problems"] == []


def test_a_deal_ships_where_its_account_says() -> None:
    found = canonical(
        Opportunity=[row("006A", **{"Account.ShippingCity": "Delft", "Account.ShippingCountryCode": "NL"})]
    )
    (place,) = found["salesforce:006A"]["addresses"]
    assert (place["role"], place["city"], place["country"]) == ("ship_to", "Delft", "NL")


def test_an_order_tells_what_it_carries_on_and_its_parts_which() -> None:
    later = STAMP + timedelta(minutes=1)
    found = canonical(
        Opportunity=[row("006A"), row("006B")],
        OpportunityLineItem=[
            line("00k1", "006A", "01t1", 3),
            line("00k2", "006A", "01t1", 5),
            line("00k3", "006A", "01t2", 1),
        ],
        Order=[row("801A", OpportunityId="006A", SystemModstamp=later), row("801B")],
        OrderItem=[item("8021", "801A", "01t1", 5), item("8022", "801A", "01t1", 4), item("8023", "801A", "01t3", 1)],
    )
    order, deal = found["salesforce:801A"], found["salesforce:006A"]
    assert (order["carries_on"], found["salesforce:801B"]["carries_on"]) == ("salesforce:006A", None)
    pairs = {pair["part"]: pair["as"] for pair in order["carried_parts"]}
    assert pairs == {"salesforce:8021": "salesforce:00k2", "salesforce:8022": "salesforce:00k1"}
    assert (deal["carried_on"], found["salesforce:006B"]["carried_on"], order["carried_on"]) == (True, False, None)
    assert deal["version"] == later, "what becomes of its order is a change of the deal"


def test_an_order_that_was_thrown_away_carries_nothing_on() -> None:
    found = canonical(Opportunity=[row("006A")], Order=[row("801A", OpportunityId="006A", IsDeleted=True)])
    assert found["salesforce:006A"]["carried_on"] is False
    assert found["salesforce:801A"]["gone"] is True
