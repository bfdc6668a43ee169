"""Reconciliation beside what people decided: edits, discards, the queue, a legal entity that moved."""

from __future__ import annotations

import pytest

from accord import processes
from accord.categories import Category
from accord.exceptions import discard, edit
from accord.hub.processes import LEAD_TO_CUSTOMER
from accord.hub.queue import Filter
from accord.objects import CUSTOMER, ORDER
from accord.pipeline.replay import replay
from accord.pipeline.undo import undo
from tests.integration.pipeline.test_moving import ORDERS, STATUSES, carry_out, says, trading
from tests.integration.pipeline.test_reconcile import HOURS, found, loaded, native, reconciled
from tests.moving import move
from tests.world import CUSTOMERS, MINUTE, World

__all__ = ["trading"]

pytestmark = pytest.mark.usefixtures("open_gates")


def refused(world: World) -> str:
    """A customer Tryton refused hours ago, and would take now; its exception waits."""
    key = world.customer("1", phone="+31 20 1")
    world.tryton.rejects = {key: Category.REFUSED}
    world.run()
    world.tryton.rejects = {}
    world.tick(HOURS)
    return key


def the_one(world: World) -> Filter:
    (held,) = world.exceptions()
    return Filter(ids=(held["id"],))


def test_an_edit_in_force_is_what_the_target_is_to_hold(world: World) -> None:
    key = refused(world)
    wanted = the_one(world)
    (number,) = wanted.ids or ()
    edit(world.accord(), number, values={"phone": "+31 20 2"}, who="ann", why="as agreed")
    replay(world.accord(), wanted, who="ann")
    world.tick(HOURS)
    assert reconciled(world)["counts"] == {"agreed": 1}
    world.tryton.edit(CUSTOMER, native(world, key), phone="+31 6 666")
    summary = reconciled(world)
    assert found(world, summary)[key][0::2] == ("field differs", "corrected")
    assert world.tryton.held(CUSTOMER, key)[0]["phone"] == "+31 20 2"
    assert reconciled(world)["counts"] == {"agreed": 1}


def test_what_was_undone_holds_until_the_source_says_something_else(world: World) -> None:
    key = world.customer("1", phone="+31 20 1")
    world.run()
    world.change("1", phone="wrong")
    undo(world.accord(), world.run()["run"], who="ann")
    world.tick(HOURS)
    writes = world.writes()
    for keys in ((), (key,)):
        assert reconciled(world, *keys)["counts"] == {"excluded": 1}
    assert world.writes() == writes
    world.change("1", phone="+31 20 2")
    world.run()
    assert reconciled(world)["counts"] == {"agreed": 1}


def test_what_was_discarded_stays_behind(world: World) -> None:
    key = refused(world)
    discard(world.accord(), the_one(world), who="ann", why="a test account")
    writes = world.writes()
    for keys in ((), (key,)):
        assert reconciled(world, *keys)["counts"] == {"excluded": 1}
    assert world.writes() == writes
    assert world.exceptions() == []


def test_a_difference_in_the_queue_is_left_to_an_approval_or_discarded(world: World) -> None:
    one, *_ = loaded(world, 2)
    second = world.tryton.adopt(CUSTOMER, name="Entered again", country="NL")
    world.tryton.edit(CUSTOMER, second, key=one)
    assert reconciled(world)["outcomes"] == {"proposed": 1}
    wanted = the_one(world)
    done = replay(world.accord(), wanted, who="ann")
    assert (done.flows, done.left) == (
        (),
        {"a difference between systems: approve or refuse its correction": 1},
    )
    processes.advance(world.accord(), LEAD_TO_CUSTOMER)
    assert {row["step"] for row in world.rows("SELECT step FROM process WHERE name = 'lead_to_customer'")} <= {
        "created",
        "acknowledged",
    }, "it holds nobody back"
    discard(world.accord(), wanted, who="ann", why="they are two")
    for _ in range(2):
        world.tick(MINUTE)
        assert reconciled(world)["outcomes"] == {"accepted": 1}
    assert world.exceptions() == []


def test_what_moved_and_what_stays_are_no_differences(
    world: World, trading: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old ERP keeps what it has begun, and says what became of the rest; what is changed in either is put right there."""
    move(monkeypatch, "GB01", "legacy")
    carry_out(world)
    says(world, "tryton", trading["open"], "Cancelled")  # that it let it go
    world.tick(HOURS)
    writes = world.writes()
    for which, target in ((CUSTOMERS, "tryton"), (CUSTOMERS, "legacy"), (STATUSES["tryton"], "salesforce")):
        assert set(reconciled(world, which=which, target=target)["counts"]) <= {"agreed", "excluded"}
    for target in ("tryton", "legacy"):
        assert reconciled(world, which=ORDERS, target=target)["counts"] == {"agreed": 4}
    assert world.writes() == writes

    changed = {"tryton": trading["begun"], "legacy": trading["open"]}
    for erp, key in changed.items():
        held = world.systems[erp].target
        held.edit(ORDER, str(held.native(ORDER, key)), number="theirs")
        summary = reconciled(world, which=ORDERS, target=erp)
        assert found(world, summary) == {
            key: ("field differs", "it was changed in the target after it was written", "corrected")
        }
        assert held.held(ORDER, key)[0]["number"] != "theirs"
