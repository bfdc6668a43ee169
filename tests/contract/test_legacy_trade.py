"""The legacy ERP's trade: which orders it takes and why not, amendments, and the way from an order to its payment."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.contract.legacy import ask
from tests.contract.legacy import legacy_dsn as legacy_dsn

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
_HEAD = (
    "INSERT INTO inbound.sales_order (batch, external_ref, action, version, read_at, order_number, company, customer_number, currency, "
    "price_list, order_date, po_number, payment_terms) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'NET30')"
)
_LINE = (
    "INSERT INTO inbound.sales_order_line (batch, external_ref, line_ref, line_number, product_number, quantity, unit_price, "
    "discount_percent, cancelled) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
METER = ("a", "MI-1002", 5, Decimal("436"))
BUFFER = ("b", "MI-3001", 10, Decimal("19.684"))
HOUR = ("c", "MI-4001", 3, Decimal("162"))


@pytest.fixture
def customer(legacy_dsn: str) -> str:
    """A customer that finance has not limited."""
    ((number,),) = ask(
        legacy_dsn,
        "WITH c AS (INSERT INTO erp.customer (name, country, currency) VALUES ('Trade', 'US', 'USD') RETURNING customer_number) "
        "INSERT INTO erp.account (customer_number, company) SELECT customer_number, 'US01' FROM c RETURNING customer_number",
    )
    return str(number)


def put(dsn: str, customer: str, *lines: tuple[Any, ...], **values: Any) -> str:
    """An order in a batch of its own, not posted; the batch."""
    order = {
        "ref": uuid.uuid4().hex, "action": "place", "version": NOW, "number": None, "company": "US01", "currency": "USD",
        "list": "US-STANDARD", "day": "2026-11-20", "po": None,
    } | values  # fmt: skip
    batch = uuid.uuid4().hex
    head = [batch, order["ref"], order["action"], order["version"], NOW, order["number"], order["company"], customer]
    ask(dsn, _HEAD, *head, order["currency"], order["list"], order["day"], order["po"])
    for place, (ref, product, quantity, price, *rest) in enumerate(lines, start=1):
        discount, cancelled = rest or (None, False)
        ask(dsn, _LINE, batch, order["ref"], ref, place, product, quantity, price, discount, cancelled)
    return batch


def place(
    dsn: str, customer: str, *lines: tuple[Any, ...], **values: Any
) -> tuple[str, str | None, str | None, str | None]:
    """Send one order: status, code, the line it is about, number."""
    batch = put(dsn, customer, *lines, **values)
    ask(dsn, "CALL inbound.post_orders(%s)", batch)
    ((status, code, line, number),) = ask(
        dsn, "SELECT status, code, line_ref, answered_number FROM inbound.sales_order WHERE batch = %s", batch
    )
    return status, code, line, number


def booked(dsn: str, customer: str, *lines: tuple[Any, ...], **values: Any) -> str:
    status, code, line, number = place(dsn, customer, *lines, **values)
    assert status == "accepted", (code, line)
    return str(number)


def seen(dsn: str, number: str, columns: str) -> Any:
    (row,) = ask(dsn, f"SELECT {columns} FROM outbound.sales_order WHERE order_number = %s", number)  # noqa: S608 - our words
    return row


@pytest.mark.parametrize(
    ("lines", "values", "code", "line"),
    [
        ((METER,), {"action": "ship"}, "ACTION_UNKNOWN", None),
        ((METER,), {"number": "SO-1"}, "ORDER_UNKNOWN", None),
        ((METER,), {"action": "cancel"}, "ORDER_UNKNOWN", None),
        ((METER,), {"currency": None}, "FIELD_MISSING", None),
        ((METER,), {"po": "P" * 81}, "FIELD_TOO_LONG", None),
        ((METER,), {"company": "XX01"}, "COMPANY_UNKNOWN", None),
        ((METER,), {"list": "EU"}, "PRICE_LIST_UNKNOWN", None),
        ((METER,), {"currency": "CAD"}, "CURRENCY_MISMATCH", None),
        ((METER,), {"day": "2025-02-03"}, "PERIOD_CLOSED", None),
        ((), {}, "LINES_MISSING", None),
        ((METER, ("z", "MI-0000", 1, 1)), {}, "PRODUCT_UNKNOWN", "z"),
        ((METER, ("z", "MI-0901", 1, 330)), {}, "PRODUCT_NOT_SOLD", "z"),
        ((METER, ("z", "MI-1001", 0, 727)), {}, "QUANTITY_INVALID", "z"),
        ((METER, ("z", "MI-1001", 1, 700)), {}, "PRICE_NOT_ON_LIST", "z"),
        ((METER, ("z", "MI-1001", 1, Decimal("690.65"), 4, False)), {}, "PRICE_NOT_ON_LIST", "z"),
        ((METER,), {"day": "2019-12-31"}, "PRICE_NOT_ON_LIST", "a"),
    ],
)
def test_each_fault_has_its_code_and_books_nothing(
    legacy_dsn: str, customer: str, lines: tuple[Any, ...], values: dict[str, Any], code: str, line: str | None
) -> None:
    assert place(legacy_dsn, customer, *lines, **values) == ("rejected", code, line, None)
    assert ask(legacy_dsn, "SELECT count(*) FROM erp.sales_order WHERE customer_number = %s", customer) == [(0,)]


def test_one_bad_order_fails_no_other(legacy_dsn: str, customer: str) -> None:
    good, bad = put(legacy_dsn, customer, METER), put(legacy_dsn, customer, ("z", "MI-0000", 1, 1))
    for table in ("sales_order", "sales_order_line"):
        ask(legacy_dsn, f"UPDATE inbound.{table} SET batch = %s WHERE batch = %s", good, bad)  # noqa: S608 - our words
    ask(legacy_dsn, "CALL inbound.post_orders(%s)", good)
    answers = ask(legacy_dsn, "SELECT status FROM inbound.sales_order WHERE batch = %s ORDER BY status", good)
    assert answers == [("accepted",), ("rejected",)]


def test_an_order_is_booked_with_its_list_prices_and_tax(legacy_dsn: str, customer: str) -> None:
    discounted = ("d", "MI-1001", 1, Decimal("690.65"), 5, False)
    number = booked(legacy_dsn, customer, METER, BUFFER, HOUR, discounted)
    net = 5 * 436 + Decimal("196.84") + 3 * 162 + Decimal("690.65")
    tax = Decimal("179.85") + Decimal("16.24") + 0 + Decimal("56.98")  # 8.25 % of the goods, nothing of services
    assert seen(legacy_dsn, number, "status, net, tax, total") == ("Accepted", net, tax, net + tax)


def test_finance_keeps_orders_out(legacy_dsn: str, customer: str) -> None:
    ask(legacy_dsn, "SELECT erp.hold(%s, 'US01')", customer)
    assert place(legacy_dsn, customer, METER)[1] == "CREDIT_HOLD"
    ask(legacy_dsn, "UPDATE erp.account SET on_hold = false, credit_limit = 2200 WHERE customer_number = %s", customer)
    number = booked(legacy_dsn, customer, METER)
    ask(legacy_dsn, "SELECT erp.ship(%s)", number)
    ask(legacy_dsn, "SELECT erp.invoice(%s)", number)  # owed now
    assert place(legacy_dsn, customer, ("a", "MI-3010", 1, Decimal("16.576")))[1] == "CREDIT_LIMIT"
    ask(legacy_dsn, "UPDATE erp.customer SET closed = true WHERE customer_number = %s", customer)
    assert place(legacy_dsn, customer, METER)[1] == "CUSTOMER_CLOSED"
    assert place(legacy_dsn, "L-0", METER)[1] == "CUSTOMER_UNKNOWN"


def test_the_same_order_again_is_answered_with_the_same_number(legacy_dsn: str, customer: str) -> None:
    ref = uuid.uuid4().hex
    number = booked(legacy_dsn, customer, METER, ref=ref)
    changed = seen(legacy_dsn, number, "changed_at")
    ask(legacy_dsn, "SELECT erp.hold(%s, 'US01')", customer)  # what is booked stays booked
    assert booked(legacy_dsn, customer, METER, ref=ref) == number
    assert ask(legacy_dsn, "SELECT amendment, changed_at FROM erp.sales_order WHERE order_number = %s", number) == [
        (0, *changed)
    ]
    assert place(legacy_dsn, customer, METER, ref=ref, version=NOW - timedelta(seconds=1))[1] == "STALE"


def test_two_senders_at_once_book_one_order(legacy_dsn: str, customer: str) -> None:
    ref = uuid.uuid4().hex
    batches = [put(legacy_dsn, customer, METER, ref=ref) for _ in range(4)]
    threads = [threading.Thread(target=ask, args=(legacy_dsn, "CALL inbound.post_orders(%s)", b)) for b in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers = ask(
        legacy_dsn, "SELECT DISTINCT status, answered_number FROM inbound.sales_order WHERE external_ref = %s", ref
    )
    assert len(answers) == 1
    assert answers[0][0] == "accepted"
    assert ask(legacy_dsn, "SELECT count(*) FROM erp.sales_order WHERE external_ref = %s", ref) == [(1,)]


def test_an_amendment_changes_what_is_not_sent_yet(legacy_dsn: str, customer: str) -> None:
    ref = uuid.uuid4().hex
    number = booked(legacy_dsn, customer, METER, BUFFER, ref=ref)
    ask(legacy_dsn, "SELECT erp.ship(%s, %s)", number, '{"a": 3}')
    later: dict[str, Any] = {"ref": ref, "version": NOW + timedelta(hours=1)}
    assert place(legacy_dsn, customer, ("a", "MI-1002", 2, Decimal("436")), **later)[1:3] == ("QUANTITY_SHIPPED", "a")
    assert place(legacy_dsn, customer, HOUR, **later)[1:3] == ("QUANTITY_SHIPPED", "a")
    assert place(legacy_dsn, customer, **(later | {"action": "cancel"}))[1] == "ORDER_SHIPPED"
    assert booked(legacy_dsn, customer, ("a", "MI-1002", 4, Decimal("436")), HOUR, **later) == number
    lines = ask(
        legacy_dsn,
        "SELECT line_ref, quantity, shipped_quantity, back_ordered_quantity, cancelled FROM outbound.sales_order_line "
        "WHERE order_number = %s ORDER BY 1",
        number,
    )
    assert lines == [("a", 4, 3, 1, False), ("b", 10, 0, 0, True), ("c", 3, 0, 0, False)]
    assert seen(legacy_dsn, number, "amendment, net, status") == (1, 4 * 436 + 3 * 162, "In Fulfilment")
    ask(legacy_dsn, "SELECT erp.invoice(%s)", number)  # the hours too
    later["version"] = NOW + timedelta(hours=2)
    few = ("c", "MI-4001", 1, Decimal("162"))
    for lines in ((METER, few), (METER,)):
        assert place(legacy_dsn, customer, *lines, **later)[1:3] == ("QUANTITY_SHIPPED", "c")


def test_a_cancelled_order_stays_cancelled(legacy_dsn: str, customer: str) -> None:
    ref = uuid.uuid4().hex
    number = booked(legacy_dsn, customer, METER, ref=ref)
    later = {"ref": ref, "version": NOW + timedelta(hours=1)}
    for _ in range(2):
        assert booked(legacy_dsn, customer, action="cancel", **later) == number
    assert seen(legacy_dsn, number, "status, total") == ("Cancelled", 0)
    assert place(legacy_dsn, customer, METER, ref=ref, version=NOW + timedelta(hours=2))[1] == "ORDER_CANCELLED"
    with pytest.raises(psycopg.errors.RaiseException):
        ask(legacy_dsn, "SELECT erp.ship(%s)", number)


def test_from_order_to_payment_with_a_back_order_and_a_credit(legacy_dsn: str, customer: str) -> None:
    number = booked(legacy_dsn, customer, METER, HOUR)
    states = [seen(legacy_dsn, number, "status")[0]]

    def do(call: str, *parameters: Any) -> Any:
        before = seen(legacy_dsn, number, "changed_at")
        ((made,),) = ask(legacy_dsn, f"SELECT erp.{call}", *parameters)
        assert seen(legacy_dsn, number, "changed_at") > before
        states.append(seen(legacy_dsn, number, "status")[0])
        return made

    first = do("ship(%s, %s, %s)", number, '{"a": 3}', "1Z")
    ask(legacy_dsn, "SELECT erp.deliver(%s)", first)
    early = do("invoice(%s)", number)
    do("ship(%s)", number)
    rest = do("invoice(%s)", number)
    assert ask(legacy_dsn, "SELECT erp.invoice(%s)", number) == [(None,)]
    with pytest.raises(psycopg.errors.RaiseException, match="nothing"):
        ask(legacy_dsn, "SELECT erp.ship(%s)", number)
    totals = dict(ask(legacy_dsn, "SELECT invoice_number, total FROM outbound.invoice WHERE order_number = %s", number))
    assert totals == {early: Decimal("1901.91"), rest: Decimal("943.94")}  # 3 meters with tax and 3 hours; 2 meters
    bank = uuid.uuid4().hex
    for _ in range(2):  # the bank says it twice
        paid = ask(
            legacy_dsn, "SELECT erp.receive(%s, 'US01', %s, 2000, %s)", bank, customer, f'{{"{early}": 1901.91}}'
        )
        assert paid == [(Decimal("98.09"),)]
    memo = do("credit(%s, %s, 'broken')", rest, '{"a": 1}')
    with pytest.raises(psycopg.errors.RaiseException, match="that much"):
        ask(legacy_dsn, "SELECT erp.credit(%s, %s, 'again')", rest, '{"a": 2}')
    do("apply(%s, %s)", bank, f'{{"{rest}": 98.09}}')
    do("receive(%s, 'US01', %s, %s, %s)", uuid.uuid4().hex, customer, Decimal("373.88"), f'{{"{rest}": 373.88}}')
    assert states == ["Accepted", *["In Fulfilment"] * 2, "Shipped", *["Invoiced"] * 3, "Paid"]
    assert ask(legacy_dsn, "SELECT status, unapplied FROM outbound.payment WHERE payment_number = %s", bank) == [
        ("Applied", 0)
    ]
    looked = (
        "SELECT invoice_number, total, open_balance, reason FROM outbound.credit_memo WHERE credit_memo_number = %s"
    )
    assert ask(legacy_dsn, looked, memo) == [(rest, Decimal("471.97"), 0, "broken")]
    lines = "SELECT sum(net), sum(tax) FROM outbound.invoice_line WHERE invoice_number = %s"
    assert ask(legacy_dsn, lines, early) == [(Decimal("1794.00"), Decimal("107.91"))]
    sent = "SELECT kind, sum(quantity) FROM outbound.shipment_line JOIN outbound.shipment USING (shipment_number) "
    sent += "WHERE order_number = %s GROUP BY 1 ORDER BY 1"
    assert ask(legacy_dsn, sent, number) == [("Return", 1), ("Shipment", 5)]
    balance = "SELECT balance FROM outbound.customer_account WHERE customer_number = %s"
    assert ask(legacy_dsn, balance, customer) == [(0,)]
    with pytest.raises(psycopg.errors.RaiseException, match="can not be applied"):
        ask(legacy_dsn, "SELECT erp.apply(%s, %s)", bank, f'{{"{rest}": 1}}')


def test_a_bundle_takes_its_parts_from_stock(legacy_dsn: str, customer: str) -> None:
    stock = "SELECT sum(on_hand) FROM erp.stock WHERE product_number = 'MI-2001'"
    ((before,),) = ask(legacy_dsn, stock)
    number = booked(legacy_dsn, customer, ("a", "MI-9002", 2, Decimal("997")))
    available = "SELECT available FROM outbound.product_availability WHERE product_number = 'MI-9002'"
    assert ask(legacy_dsn, available) == []
    ask(legacy_dsn, "SELECT erp.ship(%s)", number)
    assert ask(legacy_dsn, stock) == [(before - 4,)]


@pytest.mark.parametrize(
    "view",
    ["price_list", "price", "price_tier", "sales_order", "sales_order_line", "shipment",
     "shipment_line", "invoice", "invoice_line", "credit_memo", "credit_memo_line", "payment", "payment_application"],
)  # fmt: skip
def test_every_view_says_whose_it_is_and_when_it_changed(legacy_dsn: str, view: str) -> None:
    rows = ask(legacy_dsn, f"SELECT company, changed_at FROM outbound.{view} LIMIT 5")  # noqa: S608 - our words
    assert all(company == "US01" and changed for company, changed in rows)
