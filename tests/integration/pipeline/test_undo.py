"""A bad run is undone: values before go back as a run of its own, hold until the source changes, and overwrite nobody's edits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from accord.categories import Category
from accord.errors import Unavailable
from accord.exceptions import discard
from accord.hub.queue import Filter
from accord.objects import CUSTOMER
from accord.pipeline import undo as undo_module
from accord.pipeline.undo import Step, counts, plan, undo
from accord.runtime import Accord
from tests.fakes import Fault
from tests.world import World
from tests.world import counts as counted

pytestmark = pytest.mark.usefixtures("open_gates")


def test_a_bad_run_is_undone_and_stays_undone(world: World) -> None:
    good = world.customer("1", phone="+31 20 1", website="one.example")
    also = world.customer("2", phone="+31 20 2")
    edited = world.customer("3", phone="+31 20 3")
    world.run()
    for native in ("1", "2", "3"):
        world.change(native, phone="wrong", website=None)
    new = world.customer("4")
    bad = world.run()["run"]
    world.change("2", phone="+31 20 22")
    world.run()
    native = world.tryton.native(CUSTOMER, edited)
    assert native
    world.tryton.edit(CUSTOMER, native, phone="by hand")

    writes = world.writes()
    planned = {(one.key, one.target): one for one in plan(world.accord(), bad)}
    assert world.writes() == writes, "a plan writes nothing"
    assert planned[good, "tryton"].step is Step.RESTORE
    assert planned[good, "tryton"].fields == ("phone", "website")
    assert planned[new, "tryton"].step is Step.DEACTIVATE
    assert (planned[also, "tryton"].step, planned[also, "tryton"].why) == (Step.LEAVE, "written again since")
    assert (planned[edited, "tryton"].step, planned[edited, "tryton"].why) == (Step.LEAVE, "changed in tryton since")
    assert "wrong" not in repr(planned)

    done, summary = undo(world.accord(), bad, who="somebody")
    assert counts(done) == {"tryton": {"deactivate": 1, "leave": 2, "restore": 1}}
    assert summary["error"] is None
    assert summary["targets"]["tryton"]["counts"] == {"applied": 2, "superseded": 2}
    held = world.tryton.held(CUSTOMER, good)[0]
    assert (held["phone"], held["website"]) == ("+31 20 1", "one.example")
    assert world.tryton.held(CUSTOMER, new)[0]["gone"]
    assert world.tryton.held(CUSTOMER, also)[0]["phone"] == "+31 20 22"
    assert world.tryton.held(CUSTOMER, edited)[0]["phone"] == "by hand"
    assert [row["what"] for row in world.rows("SELECT * FROM audit")] == ["run undone"]

    writes = world.writes()
    assert counts(undo(world.accord(), bad, who="somebody")[0]) == {"tryton": {"done": 2, "leave": 2}}
    world.run()
    assert world.writes() == writes, "it holds while the source says the same"
    world.change("1", phone="+31 20 11")
    world.change("4", website="four.example")
    world.run()
    assert world.tryton.held(CUSTOMER, good)[0]["phone"] == "+31 20 11"
    assert not world.tryton.held(CUSTOMER, new)[0]["gone"]


@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.DROP_AFTER_COMMIT])
def test_an_undo_that_was_interrupted_goes_on(world: World, fault: Fault) -> None:
    keys = [world.customer(str(n), phone="right") for n in range(3)]
    world.run()
    for n in range(3):
        world.change(str(n), phone="wrong")
    bad = world.run()["run"]
    world.tryton.faults = [fault]
    accord = world.accord(retries=0)
    if fault is Fault.UNAVAILABLE:
        with pytest.raises(Unavailable):
            undo(accord, bad, who="somebody")
        assert world.rows("SELECT state FROM run WHERE kind = 'undo'") == [{"state": "failed"}]
        done, summary = undo(world.accord(), bad, who="somebody")
        assert counts(done) == {"tryton": {"restore": 3}}
    else:
        _, summary = undo(accord, bad, who="somebody")
    assert summary["targets"]["tryton"]["counts"] == {"applied": 3}
    assert {world.tryton.held(CUSTOMER, key)[0]["phone"] for key in keys} == {"right"}
    assert not world.rows("SELECT FROM dispatch WHERE closed IS NULL")


def test_what_somebody_discarded_stays_behind_after_an_undo(world: World) -> None:
    key = world.customer("1", phone="right")
    world.run()
    world.change("1", phone="wrong")
    bad = world.run()["run"]
    world.change("1", phone="refused")
    world.tryton.rejects = {key: Category.REFUSED}
    world.run()
    world.tryton.rejects = {}
    discard(world.accord(), Filter(key=key), who="ann", why="a typing error")
    undo(world.accord(), bad, who="somebody")
    assert counted(world.run(), "tryton") == {"excluded": 1}
    assert world.tryton.held(CUSTOMER, key)[0]["phone"] == "right"


def test_what_is_not_known_is_left_alone(world: World) -> None:
    key = world.customer("1", phone="right")
    world.run()
    world.rows("DELETE FROM image RETURNING key")  # as of a record from before images were kept
    world.change("1", phone="wrong")
    read = world.run()["run"]
    assert plan(world.accord(), read)[0].fields == ("phone",), "it was read before it was overwritten"
    world.rows("UPDATE change SET basis = 'unknown' RETURNING key")
    (one,) = [one for one in plan(world.accord(), read) if one.target == "tryton"]
    assert (one.key, one.step, one.why) == (key, Step.LEAVE, "what it was before is not known")


def test_what_is_written_between_the_plan_and_the_claim_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    key = world.customer("1", phone="right")
    world.run()
    world.change("1", phone="wrong")
    bad = world.run()["run"]
    inner = undo_module.load

    def later(accord: Accord, chunk: Mapping[str, Any]) -> dict[str, int]:
        world.change("1", phone="newer")
        world.run()
        return inner(accord, chunk)

    monkeypatch.setattr(undo_module, "load", later)
    _, summary = undo(world.accord(), bad, who="somebody")
    assert summary["targets"]["tryton"]["counts"] == {"superseded": 1}
    assert world.tryton.held(CUSTOMER, key)[0]["phone"] == "newer"
