"""Both sides held against each other: every class of difference by name, healed by the flow, and no alarm that is false."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accord.approvals import decide, pending
from accord.categories import Category
from accord.errors import Stop
from accord.flows import Flow
from accord.hub.reconciliations import Apply, differences_of, trend
from accord.objects import CUSTOMER, CUSTOMER_ACCOUNT
from accord.objects.definition import BusinessObject, Reconciling
from accord.pipeline.reconcile import reconcile
from tests.fakes import FakeSource, FakeTarget
from tests.oracle import complaints
from tests.world import CUSTOMERS, TRYTON_ACCOUNTS, World

pytestmark = pytest.mark.usefixtures("open_gates")

HOURS = timedelta(hours=3)


def reconciled(
    world: World, *keys: str, which: Flow = CUSTOMERS, target: str = "tryton", apply: Apply = Apply.AUTO
) -> dict[str, Any]:
    """Reconcile a minute after the last change; the counts."""
    world.tick(timedelta(minutes=1))
    return reconcile(world.accord(), which, target=target, keys=keys, apply=apply, who="somebody")


def found(world: World, summary: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    """key → (class, cause, outcome)."""
    rows = differences_of(world.accord().hub, summary["reconciliation"])
    return {row["key"]: (row["class"], row["cause"], row["outcome"]) for row in rows}


def native(world: World, key: str) -> str:
    return str(world.tryton.native(CUSTOMER, key))


def loaded(world: World, number: int) -> list[str]:
    """Customers that arrived in Tryton hours ago."""
    keys = [world.customer(str(n)) for n in range(number)]
    world.run()
    world.tick(HOURS)
    return keys


def wrong(world: World) -> list[str]:
    """What a target holds that the source does not say; that something was told twice is what a correction is."""
    return [text for text in complaints(world) if " was told " not in text]


def without_link(world: World, key: str) -> None:
    with world.kept[0].session() as session:
        session.execute("DELETE FROM link WHERE key = %s", (key,))


def test_what_agrees_is_left_alone_and_looking_writes_nothing(world: World) -> None:
    one, *_ = loaded(world, 3)
    writes = world.writes()
    summary = reconciled(world)
    assert summary["counts"] == {"agreed": 3}
    assert summary["keys"] is None
    world.tryton.edit(CUSTOMER, native(world, one), phone="+31 6 666")
    assert found(world, reconciled(world, apply=Apply.NONE))[one][2] == "found"
    assert world.writes() == writes
    assert world.exceptions() == []


def test_every_class_is_found_by_name_and_put_right(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def native_of(self: FakeSource, definition: BusinessObject, key: str) -> str:
        if key.endswith("nobody"):
            raise Stop("That is no id of this system.", cure="Correct it.")
        return key.partition(":")[2]

    monkeypatch.setattr(FakeSource, "native_of", native_of)
    keys = loaded(world, 12)
    changed, inactive, deleted, missed, formula, purged, nowhere, lost, *well = keys
    held, watermark = world.tryton.records[CUSTOMER.name], world.watermark()
    world.tryton.edit(CUSTOMER, native(world, changed), phone="+31 6 666", legal_name="Theirs B.V.")
    world.tryton.edit(CUSTOMER, native(world, inactive), gone=True)
    del held[native(world, deleted)]
    world.change("3", phone="+31 20 1")
    world.source.touch(
        CUSTOMER, "4", at=world.source.records[CUSTOMER.name]["4"]["modified"], website="formula.example"
    )
    world.source.purge(CUSTOMER, purged)  # hard deletes: nothing tells of them
    del held[native(world, nowhere)]
    world.source.purge(CUSTOMER, nowhere)
    without_link(world, lost)
    never = world.customer("never")
    stranger = world.tryton.adopt(CUSTOMER, name="By hand", country="NL")
    world.tryton.edit(CUSTOMER, stranger, key="salesforce:nobody")
    own = world.tryton.adopt(CUSTOMER, name="The ERP's own", country="NL")
    world.tick(HOURS)
    world.tryton.enforces_key = False  # a target that would let a second one in

    summary = reconciled(world)
    in_target = "it was changed in the target after it was written"
    assert found(world, summary) == {
        changed: ("field differs", in_target, "corrected"),
        inactive: ("field differs", in_target, "corrected"),
        deleted: ("missing", "it was deleted in the target", "corrected"),
        missed: ("field differs", "a change in the source did not arrive", "corrected"),
        formula: (
            "field differs",
            "it changed in the source without its modification instant (a formula, a record it refers to)",
            "corrected",
        ),
        purged: ("extra", "it was deleted in the source, or taken out of this target's scope", "corrected"),
        nowhere: ("orphan link", "both deleted it and the link stayed", "corrected"),
        lost: ("orphan link", "both have it and no link connects them", "corrected"),
        never: ("missing", "it never arrived", "corrected"),
        "salesforce:nobody": ("extra", "the source never had it, or lost it before it was linked", "corrected"),
    }
    assert summary["counts"]["agreed"] == len(well)
    assert sum(summary["counts"].values()) == 14, "everything that is anywhere, once"
    (record,) = world.tryton.held(CUSTOMER, changed)
    assert (record["phone"], record["legal_name"]) == (None, "Theirs B.V."), "what the ERP owns is the ERP's"
    assert held[stranger]["gone"]
    assert not held[own]["gone"], "without a key it is none of ours"
    del held[own]
    assert [one["gone"] for one in world.tryton.held(CUSTOMER, purged)] == [True]
    assert sorted(wrong(world)) == sorted(
        f"tryton has {key}, which Salesforce has not" for key in (purged, "salesforce:nobody")
    )  # deactivated, as far as it goes
    assert world.exceptions() == []
    assert world.watermark() == watermark
    assert reconciled(world)["counts"] == {"agreed": 11}, "all of it holds, and what is deactivated is nobody's"


def test_what_the_target_fills_in_by_itself_is_no_difference(world: World) -> None:
    world.tryton.supplies = frozenset({"phone", "addresses"})
    told = {"role": "ship_to", "country": "NL", "city": "Delft"}
    own = {"role": "bill_to", "country": "NL", "city": "Gouda"}
    keys = [world.customer("0"), world.customer("1", phone="+31 20 1", addresses=[told])]
    world.run()
    world.tick(HOURS)
    for key in keys:
        held = world.tryton.held(CUSTOMER, key)[0]
        addresses = [
            *(held["addresses"] or ()),
            dict.fromkeys(held["addresses"][0] if held["addresses"] else own) | own,
        ]
        world.tryton.edit(CUSTOMER, native(world, key), addresses=addresses)
    world.tryton.edit(CUSTOMER, native(world, keys[0]), phone="+31 20 9")
    assert reconciled(world)["counts"] == {"agreed": 2}
    world.tryton.edit(CUSTOMER, native(world, keys[1]), phone="+31 20 9")
    assert reconciled(world)["counts"] == {"agreed": 1, "field differs": 1}, "it was told a number here"


def test_a_duplicate_in_the_target_waits_for_a_person(world: World) -> None:
    one, *_ = loaded(world, 2)
    second = world.tryton.adopt(CUSTOMER, name="Entered again", country="NL")
    world.tryton.edit(CUSTOMER, second, key=one)
    for _ in range(2):  # again, nothing changes
        summary = reconciled(world)
        assert found(world, summary)[one][::2] == ("duplicate", "proposed")
        assert summary["counts"] == {"agreed": 1, "duplicate": 1}
        (matter,) = world.exceptions()
        assert (matter["kind"], matter["category"], matter["key"]) == ("difference", Category.DUPLICATE, one)
    del world.tryton.records[CUSTOMER.name][second]
    assert reconciled(world)["counts"] == {"agreed": 2}
    assert world.exceptions() == []


# ------------------------------------------------------------------------------------------------------------ amounts
def accounts(world: World) -> tuple[str, str]:
    """Two accounts that arrived in Salesforce hours ago."""
    world.customer("1")
    world.run()
    party = str(world.tryton.native(CUSTOMER, "salesforce:1"))
    keys = (world.account("001", party, balance="10.01"), world.account("002", party, balance="20.02", currency="USD"))
    world.run(TRYTON_ACCOUNTS)
    world.tick(HOURS)
    return keys


def test_amounts_of_both_sides_and_money_at_risk(world: World) -> None:
    one, _ = accounts(world)
    held = str(world.salesforce.native(CUSTOMER_ACCOUNT, one))
    world.salesforce.edit(CUSTOMER_ACCOUNT, held, balance=Decimal("7.00"))
    summary = reconciled(world, which=TRYTON_ACCOUNTS, target="salesforce", apply=Apply.NONE)
    assert summary["counts"] == {"agreed": 1, "amount differs": 1}
    balance = {cur: {k: Decimal(v) for k, v in sides.items()} for cur, sides in summary["amounts"]["balance"].items()}
    assert balance == {
        "EUR": {"source": Decimal("10.01"), "target": Decimal("7.00")},
        "USD": {"source": Decimal("20.02"), "target": Decimal("20.02")},
    }
    assert {cur: Decimal(sum_) for cur, sum_ in summary["at_risk"].items()} == {"EUR": Decimal("3.01")}
    (row,) = differences_of(world.accord().hub, summary["reconciliation"])
    assert row["fields"] == ["balance"]

    healed = reconciled(world, which=TRYTON_ACCOUNTS, target="salesforce")
    assert healed["outcomes"] == {"corrected": 1}
    assert world.salesforce.held(CUSTOMER_ACCOUNT, one)[0]["balance"] == Decimal("10.01")
    (last, first) = trend(world.accord().hub, "customer_account")
    assert (first["outcomes"], last["outcomes"]) == ({"found": 1}, {"corrected": 1})


# ------------------------------------------------------------------------------------------- beside what is going on
def test_what_is_on_its_way_is_no_difference(world: World) -> None:
    loaded(world, 2)
    world.change("0", phone="+31 20 1")  # a minute ago: its flow will bring it
    world.customer("new")
    summary = reconciled(world)
    assert summary["counts"] == {"agreed": 1, "in flight": 2}
    assert world.exceptions() == []


def test_what_an_exception_has_already_is_no_difference(world: World) -> None:
    loaded(world, 1)
    refused = world.customer("refused")
    world.tryton.rejects = {refused: Category.REFUSED}
    world.run()
    world.tick(HOURS)
    assert reconciled(world)["counts"] == {"agreed": 1, "waiting": 1}


def test_a_flow_that_runs_between_the_two_sides_makes_no_alarm(world: World) -> None:
    """The source is read, then the flow brings a newer version, then the target is read."""
    loaded(world, 3)
    before = world.source.on_extract

    def meanwhile() -> None:
        world.source.on_extract = before
        world.change("0", phone="+31 20 2")
        world.run()

    world.source.on_extract = meanwhile
    summary = reconciled(world)
    assert summary["counts"] == {"agreed": 3}
    assert world.exceptions() == []


def test_a_flow_that_runs_during_the_second_look_makes_no_alarm(world: World) -> None:
    one, *_ = loaded(world, 2)
    world.tryton.edit(CUSTOMER, native(world, one), phone="+31 6 666")
    reads = []

    def meanwhile() -> None:
        reads.append(1)
        if len(reads) == 2:  # the second look has read the link, and reads the source now
            world.change("0", phone="+31 20 3")
            world.run()

    world.source.on_extract = meanwhile
    assert reconciled(world)["counts"] == {"agreed": 1, "in flight": 1}
    assert wrong(world) == []


def test_a_claim_that_is_open_makes_no_alarm(world: World) -> None:
    one, *_ = loaded(world, 2)
    world.tryton.edit(CUSTOMER, native(world, one), phone="+31 6 666")
    with world.kept[0].session() as session:
        session.execute("UPDATE link SET dispatch = (SELECT max(id) FROM dispatch) WHERE key = %s", (one,))
    assert reconciled(world)["counts"] == {"agreed": 1, "in flight": 1}


# ------------------------------------------------------------------------------------------------------- how much at once
@pytest.fixture
def cautious(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most one correction without asking."""
    customer = replace(CUSTOMER, reconciling=Reconciling(records=1))
    for module in ("accord.objects", "accord.pipeline.reconcile.sides"):
        monkeypatch.setattr(f"{module}.business_object", lambda _: customer)


@pytest.mark.usefixtures("cautious")
def test_above_the_threshold_all_wait_and_are_approved_one_by_one(world: World) -> None:
    one, two, _ = loaded(world, 3)
    for key in (one, two):
        world.tryton.edit(CUSTOMER, native(world, key), phone="+31 6 666")
    writes = world.writes()
    summary = reconciled(world)
    assert summary["outcomes"] == {"proposed": 2}
    assert world.writes() == writes
    assert {(m["kind"], m["key"], m["rule"]) for m in pending(world.accord().hub)} == {
        ("difference", one, "field differs: phone"),
        ("difference", two, "field differs: phone"),
    }
    message = world.exceptions(key=one)[0]["message"]
    assert "field differs (phone) in tryton" in message.lower()
    assert "+31" not in message

    world.run(interval=(world.clock - 2 * HOURS - HOURS, world.clock))
    assert len(world.exceptions()) == 2, "a flow that finds its records unchanged knows nothing of the target"

    decide(world.accord(), one, approved=True, who="somebody", why="")
    assert world.tryton.held(CUSTOMER, one)[0]["phone"] is None
    decide(world.accord(), two, approved=False, who="somebody", why="agreed with them")
    assert world.tryton.held(CUSTOMER, two)[0]["phone"] == "+31 6 666"
    assert world.exceptions() == []
    again = reconciled(world)
    assert again["outcomes"] == {"accepted": 1}
    assert world.exceptions() == []
    world.tryton.edit(CUSTOMER, native(world, two), website="theirs.example")
    assert reconciled(world)["outcomes"] == {"corrected": 1}, "it was decided about the phone"


@pytest.mark.usefixtures("cautious")
def test_above_the_threshold_all_at_once(world: World) -> None:
    keys = loaded(world, 3)
    for key in keys:
        world.tryton.edit(CUSTOMER, native(world, key), phone="+31 6 666")
    assert reconciled(world)["outcomes"] == {"proposed": 3}
    assert reconciled(world, apply=Apply.ALL)["outcomes"] == {"corrected": 3}
    assert world.exceptions() == []
    assert wrong(world) == []


def test_money_counts_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = accounts(world)
    account = replace(CUSTOMER_ACCOUNT, reconciling=Reconciling(amount=Decimal("3.00")))
    monkeypatch.setattr("accord.pipeline.reconcile.sides.business_object", lambda _: account)
    held = str(world.salesforce.native(CUSTOMER_ACCOUNT, one))
    world.salesforce.edit(CUSTOMER_ACCOUNT, held, balance=Decimal("7.00"))
    assert reconciled(world, which=TRYTON_ACCOUNTS, target="salesforce")["outcomes"] == {"proposed": 1}
    (matter,) = world.exceptions()
    assert (matter["category"], matter["currency"], matter["at_risk"]) == (
        Category.AMOUNT_DIFFERS,
        "EUR",
        Decimal("3.01"),
    )


def test_a_correction_that_does_not_take_is_told_and_not_repeated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, *_ = loaded(world, 2)
    party = native(world, one)
    world.tryton.edit(CUSTOMER, party, phone="+31 6 666")
    send = FakeTarget.send

    def in_vain(self: FakeTarget, *arguments: Any) -> Any:
        results = send(self, *arguments)
        world.tryton.edit(CUSTOMER, party, phone="+31 6 666")
        return results

    monkeypatch.setattr(FakeTarget, "send", in_vain)
    assert reconciled(world)["outcomes"] == {"stands": 1}
    assert "still differs" in world.exceptions()[0]["message"]
    writes = world.writes()
    assert reconciled(world)["outcomes"] == {"proposed": 1}
    assert world.writes() == writes


def test_asked_for_by_key(world: World) -> None:
    one, two, _ = loaded(world, 3)
    for key in (one, two):
        world.tryton.edit(CUSTOMER, native(world, key), phone="+31 6 666")
    summary = reconciled(world, "0", two)  # native and canonical ids
    assert (summary["keys"], summary["outcomes"]) == (2, {"corrected": 2})
    assert reconciled(world, one)["counts"] == {"agreed": 1}
