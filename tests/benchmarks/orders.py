"""Orders into Tryton: orders of three lines through the flow, against the same made by hand with batched JSON-RPC.

By hand: create, quote and confirm in the batches Accord uses, everything looked up before; no gate, no comparison, nobody knows
afterwards what was sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import count as counting
from typing import Any

from accord.flows import flow
from accord.hub import Hub
from accord.runtime import LEASE
from accord.systems.tryton.order.sending import OrderSender
from sandbox.erp.legacy.install import install
from sandbox.erp.lookups import only, rows
from sandbox.stack.home import default_home
from tests.benchmarks.place import ingest, own_home
from tests.benchmarks.report import Report, Watch
from tests.erp_orders import WAREHOUSES, taxes_of
from tests.integration.real import watching
from tests.integration.real.selling import SHIP_TO, TODAY, Sales
from tests.integration.real.world import CUSTOMERS, RealWorld, counts
from tests.salesforce_org import start_org
from tests.stack import TestStack

PART = "orders"
ORDERS = flow("order__salesforce_to_erp")
LINES = (("MI-1001", 2, 649), ("MI-1002", 3, 389), ("MI-1001", 1, 649))
CUSTOMERS_OF = 10  # that the orders are spread over
MOST = 1000


def measure(report: Report, records: int) -> None:
    """Measure with one order for a thousand records asked for: a thousand for a million."""
    many = min(MOST, max(50, records // 1000))
    with _world() as world:
        sales = Sales(world)
        accounts = [world.account(f"Birch {n}") for n in range(CUSTOMERS_OF)]
        world.run(CUSTOMERS)
        _by_bulk(world, sales, accounts, many)
        parties = [row["id"] for row in rows(_client(world), "party.party", [("code", "in", accounts)], [])]
        watch = Watch()
        _by_hand(world, parties, many)
        raw = report.add(PART, "by hand, batched JSON-RPC", watch.seconds, many, "orders", cpu=watch.cpu)
        watch = Watch()
        summary = world.run(ORDERS, lease=LEASE)
        ours = report.add(PART, "the flow, gates and all", watch.seconds, many, "orders", cpu=watch.cpu)
        if counts(summary, "tryton").get("applied") != many:
            raise RuntimeError(f"{many} orders should have been applied: {summary['targets']}")
        report.least(PART, "rate against by hand", ours.rate / raw.rate, 0.8)


@contextmanager
def _world() -> Iterator[RealWorld]:
    """A Tryton, an org and the rest, of this measurement's own."""
    with own_home() as home:
        stack = TestStack(home, default_home())
        erp, server = stack.erp(), stack.postgres()
        for name in ("hub", "legacy"):
            server.create_database(name)
        Hub(server.dsn("hub")).upgrade()
        install(server.dsn("legacy"))
        # a world's tests count writes by triggers: both ways of making orders have them
        watching.watch(server.dsn(erp.database), watching.TRYTON)
        watching.watch(server.dsn("legacy"), watching.LEGACY)
        org = start_org(home / "org")
        try:
            world = RealWorld(
                org=org, erp=erp, server=server, number=1, hub="hub", legacy="legacy", folder=home / "accord",
                people=org.session(admin=True),
            )  # fmt: skip
            world.be_patient()
            for patience in ("request_timeout_s", "longest_request_s"):
                del world.bodies["accord_tryton"]["extra"][patience]
            yield world
            world.rest()
        finally:
            org.stop()


def _by_bulk(world: RealWorld, sales: Sales, accounts: list[str], many: int) -> None:
    """Sales places `many` orders of LINES."""
    entries = {code: sales.entry(code, price) for code, _, price in LINES}
    usual = {
        "EffectiveDate": TODAY.isoformat(), "Status": "Draft", "Pricebook2Id": sales.book, "CurrencyIsoCode": "EUR",
        "Legal_Entity__c": "NL01", "Payment_Terms__c": "NET30", **SHIP_TO,
    }  # fmt: skip
    head = ["AccountId", "PoNumber", *usual]
    drafts = [[accounts[n % len(accounts)], f"PO {n}", *usual.values()] for n in range(many)]
    ingest(world.people, "Order", "insert", _csv(head, drafts), many)
    orders = [row["Id"] for row in world.people.soql("SELECT Id FROM Order")]
    lines = [[order, entries[code], quantity, price] for order in orders for code, quantity, price in LINES]
    names = ["OrderId", "PricebookEntryId", "Quantity", "UnitPrice"]
    ingest(world.people, "OrderItem", "insert", _csv(names, lines), len(lines))
    ingest(world.people, "Order", "update", _csv(["Id", "Status"], [[order, "Activated"] for order in orders]), many)


def _csv(names: list[str], values: list[list[Any]]) -> bytes:
    return "\n".join(",".join(map(str, line)) for line in [names, *values, []]).encode()


def _by_hand(world: RealWorld, parties: list[int], many: int) -> None:
    client = _client(world)
    company = int(only(client, "company.company", [("party.code", "=", "NL01")], [])["id"])
    context = {"company": company}
    codes = [code for code, _, _ in LINES]
    fields = ["code", "sale_uom", "template.account_category.customer_taxes.company"]
    products = {r["code"]: r for r in rows(client, "product.product", [("code", "in", codes)], fields, company)}
    addresses = {
        r["id"]: r["addresses"][0] for r in rows(client, "party.party", [("id", "in", parties)], ["addresses"])
    }
    term = only(client, "account.invoice.payment_term", [("name", "=", "NET30")], [])["id"]
    currency = only(client, "company.company", [("id", "=", company)], ["currency"])["currency"]
    warehouse = only(client, "stock.location", [("code", "=", WAREHOUSES["NL01"])], [])["id"]
    lines = [
        {"type": "line", "product": products[code]["id"], "quantity": float(quantity), "unit": products[code]["sale_uom"],
         "unit_price": Decimal(price), "taxes": [("add", taxes_of(products[code], company))]}
        for code, quantity, price in LINES
    ]  # fmt: skip
    numbers = counting()
    for first in range(0, many, OrderSender.batch):
        made = []
        for _ in range(first, min(many, first + OrderSender.batch)):
            n = next(numbers)
            party = parties[n % len(parties)]
            made.append(
                {"company": company, "party": party, "reference": f"by-hand-{n}", "invoice_address": addresses[party],
                 "shipment_address": addresses[party], "currency": currency, "payment_term": term, "warehouse": warehouse,
                 "lines": [("create", lines)]}
            )  # fmt: skip
        sales = client.call("model.sale.sale.create", made, context=context)
        for step in ("quote", "confirm"):
            client.call(f"model.sale.sale.{step}", sales, context=context)


def _client(world: RealWorld) -> Any:
    return world.erp.client("accord")
