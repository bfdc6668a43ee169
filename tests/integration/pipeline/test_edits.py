"""Values set by hand: they pass the gate like the source's, hold until the source says something else, and are its words only."""

from __future__ import annotations

from typing import Any

import pytest

from accord.categories import Category
from accord.errors import Stop
from accord.exceptions import discard, edit, show
from accord.hub.edits import edits_of
from accord.hub.queue import Filter
from accord.objects import CUSTOMER
from accord.objects.definition import Owner
from accord.objects.order import ORDER
from accord.pipeline.editing import apply_edits, place_of
from accord.pipeline.looking import read_now
from accord.pipeline.replay import replay
from tests.integration.pipeline.test_references import ORDERS
from tests.integration.pipeline.test_references import flows as flows
from tests.world import CUSTOMERS, MINUTE, World, counts

ADDRESS = [{"role": "bill_to", "country": "NL", "city": "Delft", "street": "Oude Delft 1"}]


def refused(world: World, **values: Any) -> int:
    """A customer Tryton refused, and would take now; the number of its exception."""
    key = world.customer("1", **{"addresses": ADDRESS, "phone": "+31 20 1"} | values)
    world.tryton.rejects = {key: Category.REFUSED}
    world.run()
    world.tryton.rejects = {}
    (held,) = world.exceptions()
    world.tick(MINUTE)
    return int(held["id"])


def mend(world: World, number: int, **values: str | None) -> dict[str, Any]:
    return edit(world.accord(), number, values=values, who="ann", why="as agreed by telephone")


def stored(world: World) -> list[str]:
    return [row["key"] for row in world.rows("SELECT key FROM edit")]


def test_it_passes_the_gate_and_holds_until_the_source_says_something_else(world: World) -> None:
    """Through the real gates."""
    world.customer("bad", country="Atlantis", currency="EUR", addresses=ADDRESS)
    world.run()
    (held,) = world.exceptions()
    assert held["kind"] == "quarantined"
    world.tick(MINUTE)
    assert mend(world, held["id"], country="NL")["edited"] == ["country"]
    assert not world.tryton.held(CUSTOMER, "salesforce:bad"), "editing sends nothing"
    (done,) = replay(world.accord(), Filter(ids=(held["id"],)), who="ann").flows
    assert (done.error, done.settled) == (None, 1)
    assert [r["country"] for r in world.tryton.held(CUSTOMER, "salesforce:bad")] == ["NL"]
    world.change("bad")  # touched, as by our own acknowledgement: it says the same, so the edit holds
    assert counts(world.run(), "tryton") == {"unchanged": 1}
    assert stored(world) == ["salesforce:bad"]


@pytest.mark.usefixtures("open_gates")
def test_the_source_supersedes_it_and_the_audit_says_so(world: World) -> None:
    number = refused(world)
    mend(world, number, phone="+31 20 2")
    replay(world.accord(), Filter(ids=(number,)), who="ann")
    assert counts(world.run(), "tryton") == {"unchanged": 1}
    world.change("1", website="x.example")
    assert counts(world.run(), "tryton") == {"applied": 1}
    (record,) = world.tryton.held(CUSTOMER, "salesforce:1")
    assert (record["phone"], record["website"]) == ("+31 20 1", "x.example")
    assert stored(world) == []
    (told,) = world.rows("SELECT who, subject, detail FROM audit WHERE what = 'edit superseded'")
    assert (told["who"], told["subject"]) == ("accord", "customer salesforce:1")
    assert told["detail"]["why"] == "the source says something else now"


@pytest.mark.usefixtures("open_gates")
def test_what_the_source_says_between_edit_and_replay_is_sent_instead(world: World) -> None:
    number = refused(world)
    mend(world, number, phone="+31 20 2")
    world.change("1", phone="+31 20 3")
    world.tick(MINUTE)
    replay(world.accord(), Filter(ids=(number,)), who="ann")
    assert [r["phone"] for r in world.tryton.held(CUSTOMER, "salesforce:1")] == ["+31 20 3"]
    assert stored(world) == []


@pytest.mark.usefixtures("open_gates")
def test_an_older_reading_does_not_undo_an_edit(world: World) -> None:
    """A run that read before the source changed goes on after somebody edited what it says now."""
    number = refused(world)
    accord = world.accord()
    older = read_now(accord, CUSTOMERS, "salesforce:1")
    assert older is not None
    world.change("1", website="x.example")
    mend(world, number, phone="+31 20 2")
    edits = edits_of(accord.hub, "customer")
    assert apply_edits(accord.hub, CUSTOMER, older, edits, dry=False) is None
    assert stored(world) == ["salesforce:1"]


@pytest.mark.usefixtures("open_gates")
def test_what_went_is_what_was_edited_and_what_counts_is_what_was_said(world: World, flows: None) -> None:
    """An order whose total is edited: the amounts that came in are accounted for, and the edit is what the ERP has."""
    world.customer("1")
    world.run()
    values = {"number": "O1", "customer": "salesforce:1", "legal_entity": "NL01", "currency": "EUR", "status": "Activated",
              "total": "10.00", "lines": [{"id": "salesforce:L1", "quantity": "1"}, {"id": "salesforce:L2", "quantity": "2"}]}  # fmt: skip
    key = world.source.put(ORDER, "O1", at=world.tick(), **values)
    world.tryton.rejects = {key: Category.REFUSED}
    world.run(ORDERS)
    (held,) = world.exceptions()
    edit(
        world.accord(),
        held["id"],
        values={"total": "8.00", "lines[salesforce:L2].quantity": "5"},
        who="ann",
        why="agreed",
    )
    world.tryton.rejects = {}
    (done,) = replay(world.accord(), Filter(ids=(held["id"],)), who="ann").flows
    assert done.error is None
    assert done.summary is not None
    assert done.summary["amounts"] == {"EUR": "10.00"}
    assert done.summary["targets"]["tryton"]["amounts"] == {"applied": {"EUR": "10.00"}}
    (record,) = world.tryton.held(ORDER, key)
    assert str(record["total"]) == "8.00"
    assert [str(line["quantity"]) for line in record["lines"]] == ["1.0000", "5.0000"]
    assert counts(world.run(ORDERS), "tryton") == {"unchanged": 1}


@pytest.mark.usefixtures("open_gates")
def test_a_refused_edit_waits_on_and_a_second_one_adds_to_it(world: World) -> None:
    key = world.customer("1", phone="+31 20 1")
    world.tryton.rejects = {key: Category.REFUSED}
    world.run()
    (held,) = world.exceptions()
    mend(world, held["id"], phone="+31 20 2")
    assert counts(world.run(), "tryton") == {"rejected": 1}, "an edit goes with a replay"
    replay(world.accord(), Filter(ids=(held["id"],)), who="ann")
    assert mend(world, held["id"], website="x.example")["edited"] == ["phone", "website"]
    again = edit(world.accord(), held["id"], values={}, undo=["phone"], who="ann", why="wrong after all")
    assert again["edited"] == ["website"]
    world.tryton.rejects = {}
    replay(world.accord(), Filter(ids=(held["id"],)), who="ann")
    (record,) = world.tryton.held(CUSTOMER, key)
    assert (record["phone"], record["website"]) == ("+31 20 1", "x.example")


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"nothing": "1"}, "has no field"),
        ({"addresses[bill_to].nothing": "1"}, "has no field"),
        ({"country": "Atlantis"}, "does not fit"),
        ({"country": None}, "is required"),
        ({"name": "x" * 256}, "does not fit"),
        ({"parent": "1"}, "does not fit"),
        ({"legal_entities": "NL01,XX99"}, "does not fit"),
        ({"addresses[ship_to].city": "Delft"}, "has no addresses"),
        ({"addresses[bill_to].role": "ship_to"}, "says which part"),
    ],
)
@pytest.mark.usefixtures("open_gates")
def test_only_what_the_definition_allows(world: World, values: dict[str, str | None], why: str) -> None:
    key = world.customer("1", addresses=ADDRESS)
    world.tryton.rejects = {key: Category.REFUSED}
    world.run()
    (held,) = world.exceptions()
    with pytest.raises(Stop, match=why) as refused:
        edit(world.accord(), held["id"], values=values, who="ann", why="try")
    assert "XX99" not in str(refused.value)
    assert stored(world) == []


def test_only_what_is_the_sources_to_say() -> None:
    assert place_of(CUSTOMER, Owner.SALESFORCE, "phone").path == "phone"
    with pytest.raises(Stop, match="belongs to salesforce"):
        place_of(CUSTOMER, Owner.ERP, "phone")
    with pytest.raises(Stop, match="whether the order travels"):
        place_of(ORDER, Owner.SALESFORCE, "status")


@pytest.mark.usefixtures("open_gates")
def test_who_looks_sees_both_sides_and_no_personal_value(world: World) -> None:
    key = world.customer("1", phone="+31 20 1", addresses=ADDRESS)
    world.run()
    world.tryton.rejects = {key: Category.REFUSED}
    world.change("1", phone="+31 20 2", website="x.example")
    world.run()
    (held,) = world.exceptions()
    mend(world, held["id"], phone="+31 20 3")
    seen = show(world.accord(), held["id"], who="bob")
    sides = {side["field"]: side for side in seen["sides"]["tryton"]}
    assert sides["website"] == {"field": "website", "before": None, "after": "x.example", "differs": True}
    assert sides["phone"] == {"field": "phone", "before": "(personal)", "after": "(personal)", "differs": True}
    assert not sides["name"]["differs"]
    assert sides["addresses[bill_to].city"]["after"] == "Delft"
    assert not {"+31 20 1", "+31 20 2", "+31 20 3", "Oude Delft 1"} & set(str(seen).replace("'", "|").split("|"))
    assert [event["what"] for event in seen["history"]].count("record edited") == 2, (
        "of the exception, and of the record"
    )
    whole = show(world.accord(), held["id"], who="bob", values=True)
    assert {s["after"] for s in whole["sides"]["tryton"] if s["field"] == "phone"} == {"+31 20 3"}
    assert "values looked at" in {event["what"] for event in show(world.accord(), held["id"], who="bob")["history"]}
    assert "+31" not in str(world.rows("SELECT * FROM audit")), "the audit knows that, not what"


@pytest.mark.usefixtures("open_gates")
def test_a_system_that_is_away_does_not_keep_anybody_from_looking(world: World) -> None:
    key = world.customer("1")
    world.tryton.rejects = {key: Category.REFUSED}
    world.run()
    (held,) = world.exceptions()
    world.tryton.down = True
    assert "can't be reached" in show(world.accord(), held["id"], who="bob")["sides"]["tryton"]
    world.source.down = True
    assert "can't be reached" in show(world.accord(), held["id"], who="bob")["sides"]["salesforce"]


@pytest.mark.usefixtures("open_gates")
def test_values_are_kept_no_longer_than_they_are_in_force(world: World) -> None:
    number = refused(world)
    mend(world, number, phone="+31 20 2")
    discard(world.accord(), Filter(ids=(number,)), who="ann", why="not ours")
    assert stored(world) == []

    world.change("1", website="x.example")
    world.tryton.rejects = {"salesforce:1": Category.REFUSED}
    world.run()
    (held,) = world.exceptions()
    mend(world, held["id"], phone="+31 20 2")
    world.source.purge(CUSTOMER, "salesforce:1")
    replay(world.accord(), Filter(ids=(held["id"],)), who="ann")
    assert (stored(world), world.exceptions()) == ([], [])
