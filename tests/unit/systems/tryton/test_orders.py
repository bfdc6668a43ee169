"""Orders as sales, without a server: which sale is the order, who wins a race, what a state means."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from accord.objects.order import ORDER
from accord.objects.vocabulary import ORDER_STATES
from accord.systems.tryton.client import Refused
from accord.systems.tryton.draft_then_commit import kept
from accord.systems.tryton.order.handler import Orders
from accord.systems.tryton.order.sale import PLACES, comment_of, exact, from_comment, sale_of
from accord.systems.tryton.order.sending import OrderSender
from accord.systems.tryton.order_status import REASONS, STATES, status_of
from tests.fakes import FakeSending
from tests.tables import canonical

KEY = "salesforce:801"
ROW = {"key": KEY, "native": None}
SHIPPING = ("none", "waiting", "partially shipped", "sent", "exception")
INVOICING = ("none", "pending", "awaiting payment", "partially paid", "paid", "exception")
STATES_OF_A_SALE = ("draft", "quotation", "confirmed", "processing", "done", "cancelled")


def sale(
    native: int,
    state: str,
    *,
    shipping: str = "none",
    invoicing: str = "none",
    quantity: float = 1.0,
    invoiced: float = 0.0,
) -> Any:
    """A sale with one line of a service."""
    line = {
        "id": native * 10, "type": "line", "note": "salesforce:802\nseen by the warehouse", "quantity": quantity,
        "moves.": [], "components.": [], "shipping_date": None,
        "invoice_lines.": [{"quantity": invoiced, "invoice_state": "posted"}],
    }  # fmt: skip
    row = {"id": native, "reference": KEY, "state": state, "shipment_state": shipping, "invoice_state": invoicing}
    return sale_of(row | {"lines.": [line], "shipments.": []})


def test_which_sale_is_the_order() -> None:
    order = [sale(7, "cancelled"), sale(9, "draft"), sale(8, "quotation"), sale(6, "cancelled"), sale(12, "processing")]
    assert [one.native for one in (kept(order[:n]) for n in range(1, 6)) if one] == [7, 9, 8, 8, 12]
    assert kept(()) is None


class Tryton:
    """Sales of one order, some of them in transactions that have not ended (`late`). `before` acts before a call: other
    senders at work."""

    def __init__(self, **states: str) -> None:
        self.states = {int(name[1:]): state for name, state in states.items()}
        self.late: set[int] = set()
        self.before: dict[tuple[str, int], Callable[[], None]] = {}

    def of(self, asked: Any, *, whole: bool = True) -> dict[str, list[Any]]:
        return {key: [sale(n, s) for n, s in sorted(self.states.items()) if n not in self.late] for key, _ in asked}

    def call(self, method: str, ids: list[int], **_: Any) -> None:
        name = method.rpartition(".")[2]
        for native in ids:
            if act := self.before.pop((name, native), None):
                act()
        allowed = {"quote": ("draft",), "confirm": ("quotation",), "cancel": ("draft", "quotation")}[name]
        if any(self.states[native] not in allowed for native in ids):
            raise Refused("UserError", f'You can not call "{name}" on "it" of "Sale".')
        after = {"quote": "quotation", "confirm": "processing", "cancel": "cancelled"}[name]
        self.states |= dict.fromkeys(ids, after)

    def settle(self) -> int | None:
        """What a sender does once its draft is there; the sale it ends with."""
        context: Any = SimpleNamespace(client=self, name="tryton")
        sender = OrderSender(context, self, FakeSending())  # type: ignore[arg-type]  # it asks for no more of it
        accepted = sender._settle([ROW])
        return accepted[KEY][1].native if KEY in accepted else None

    @property
    def confirmed(self) -> list[int]:
        return [native for native, state in self.states.items() if state == "processing"]


def test_the_oldest_is_confirmed_after_the_others_are_cancelled() -> None:
    tryton = Tryton(s10="draft", s11="draft", s12="quotation")
    confirming: dict[int, str] = {}
    tryton.before["confirm", 10] = lambda: confirming.update(tryton.states)
    assert tryton.settle() == 10
    assert confirming == {10: "quotation", 11: "cancelled", 12: "cancelled"}


def test_an_older_sale_that_appears_late_does_not_become_a_second_order() -> None:
    """Ours is confirmed while the other's transaction has not ended; whoever made that one finds ours."""
    tryton = Tryton(s10="draft", s11="draft")
    tryton.late = {10}
    assert tryton.settle() == 11
    tryton.late = set()
    assert tryton.settle() == 11  # the sender of 10
    assert (tryton.confirmed, tryton.states[10]) == ([11], "cancelled")


def test_the_sender_of_an_older_sale_may_cancel_ours_before_we_confirm_it() -> None:
    tryton = Tryton(s10="draft", s11="draft")
    tryton.late = {10}

    def other() -> None:
        tryton.late = set()
        assert tryton.settle() == 10

    tryton.before["confirm", 11] = other
    assert tryton.settle() == 10
    assert (tryton.confirmed, tryton.states[11]) == ([10], "cancelled")


def test_ours_may_be_confirmed_just_before_it_is_cancelled() -> None:
    tryton = Tryton(s10="draft", s11="quotation")
    tryton.before["cancel", 11] = lambda: tryton.states.update({11: "processing"})
    assert tryton.settle() == 11
    assert (tryton.confirmed, tryton.states[10]) == ([11], "cancelled")


@pytest.mark.parametrize("late", [10, 11, 12])
@pytest.mark.parametrize("moment", list(product(("quote", "confirm", "cancel"), (10, 11, 12))))
def test_three_senders_at_any_moment_confirm_one(late: int, moment: tuple[str, int]) -> None:
    """A third sender does all of its work at some moment of the first's; the second comes last."""
    tryton = Tryton(s10="draft", s11="draft", s12="draft")
    tryton.late = {late}

    def third() -> None:
        tryton.late = set()
        tryton.settle()

    tryton.before[moment] = third
    tryton.settle()
    tryton.late = set()
    last = tryton.settle()
    assert tryton.confirmed == [last]
    assert sorted(tryton.states.values()) == ["cancelled", "cancelled", "processing"]


def test_every_state_of_a_sale_is_a_status_of_the_order() -> None:
    found = set()
    for state, shipping, invoicing, invoiced in product(STATES_OF_A_SALE, SHIPPING, INVOICING, (0.0, 1.0)):
        status = status_of(sale(1, state, shipping=shipping, invoicing=invoicing, invoiced=invoiced))
        found.add(status)
        assert status != "On Hold" or state in REASONS
    assert found == set(ORDER_STATES) - {"Pending Approval", "Rejected"}  # which Tryton does not have
    assert {status for *_, status in STATES} == found
    assert status_of(sale(1, "done", quantity=0.0)) == "Cancelled"


def test_the_comment_keeps_what_cannot_be_changed_elsewhere() -> None:
    for number, reference in (("00000101", "PO: 1"), ("00000101", None), (None, "PO 1"), (None, None)):
        comment = comment_of(number, reference)
        assert from_comment(comment) == (number, reference)
        assert from_comment(f"{comment}\nCall: before delivery") == (number, reference)
    assert from_comment(None) == (None, None)


def test_quantities_are_what_was_typed() -> None:
    assert [exact(number) for number in (0.1, 2.0, 20.0, None)] == [Decimal("0.1"), Decimal(2), Decimal(20), Decimal(0)]
    assert str(exact(20.0)) == "20"


def test_what_tryton_can_not_tell_apart() -> None:
    import datetime as dt

    early, late = dt.date(2026, 3, 1), dt.date(2026, 4, 1)
    line = {"id": "salesforce:1", "quantity": Decimal(1), "discount": Decimal(5), "family": "Services"}
    rows = [
        {"key": "salesforce:1", "lines": [{**line, "requested_date": late, "cancelled": True}, {**line, "requested_date": early}]},
        {"key": "salesforce:2", "requested_date": late, "lines": [{**line, "requested_date": early}]},
        {"key": "salesforce:3", "lines": [{**line, "cancelled": True}], "customer_reference": " PO\n1 "},
        {"key": "salesforce:4", "lines": None},
    ]  # fmt: skip
    handler = Orders(SimpleNamespace(client=None, name="tryton", places=None))  # type: ignore[arg-type]  # asks nothing
    table = handler.collapse(ORDER, canonical(ORDER, rows)).to_pylist()
    assert [row["requested_date"] for row in table] == [early, late, None, None]
    assert [None if row["lines"] is None else len(row["lines"]) for row in table] == [1, 1, None, None]
    assert {name: table[0]["lines"][0][name] for name in ("discount", "family", "requested_date")} == dict.fromkeys(
        ("discount", "family", "requested_date")
    )
    assert table[2]["customer_reference"] == "PO 1"


@pytest.mark.parametrize(("kits", "parts", "gone", "shipped"), [(6, 1, 1, "6"), (7, 3, 1, "2.3333"), (2, 4, 0, "0")])
def test_kits_are_counted_by_their_parts(kits: float, parts: float, gone: float, shipped: str) -> None:
    moves = [{"state": "done", "quantity": gone, "shipment": None}] if gone else []
    part = {"quantity": parts, "moves.": moves}
    row = sale(1, "processing").row
    line = {**row["lines."][0], "quantity": kits, "components.": [part, part]}
    (counted,) = sale_of({**row, "lines.": [line]}).lines
    assert counted.progress.shipped == Decimal(shipped)
    assert -counted.progress.shipped.as_tuple().exponent <= PLACES
