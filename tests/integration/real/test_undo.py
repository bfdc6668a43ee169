"""A bad run is taken back in the real ERPs: values before are there again, what somebody typed since is left alone."""

from __future__ import annotations

import pytest

from accord.pipeline.undo import counts as steps
from accord.pipeline.undo import undo
from tests.integration.real.oracle import legacy_customers, tryton_customers
from tests.integration.real.world import RealWorld, counts

pytestmark = pytest.mark.usefixtures("open_gates")

BOTH = "NL01;US01"


def held(world: RealWorld, account: str, field: str) -> list[object]:
    """What both ERPs hold."""
    return [tryton_customers(world, [account])[account][0][field], legacy_customers(world)[account][0][field]]


def test_a_bad_run_is_taken_back_in_both_erps(world: RealWorld) -> None:
    account = world.account("Yew", entities=BOTH, Phone="+31 15 1", BillingStreet="Right 1")
    edited = world.account("Zelkova", entities=BOTH, Phone="+31 15 2")
    world.people.create("Contact", AccountId=account, LastName="Right", Email="right@example.org")
    world.run()
    for one in (account, edited):
        world.change(one, Phone="+31 15 666")
    world.change(account, BillingStreet="Wrong 9")
    new = world.account("Yucca", entities="NL01")
    bad = world.run()["run"]
    client = world.erp.client("finance")
    party = client.call("model.party.party.search", [("code", "=", edited)])
    mechanisms = client.call("model.party.contact_mechanism.search", [("party", "in", party), ("type", "=", "phone")])
    client.call("model.party.contact_mechanism.write", mechanisms, {"value": "+31 15 3"})

    accord = world.accord()
    done, summary = undo(accord, bad, who="somebody")
    assert steps(done) == {"legacy": {"restore": 2}, "tryton": {"deactivate": 1, "leave": 1, "restore": 1}}
    assert summary["error"] is None
    assert counts(summary, "tryton") == {"applied": 2, "superseded": 1}
    assert held(world, account, "phone") == ["+31 15 1"] * 2
    assert held(world, edited, "phone")[1] == "+31 15 2"
    assert held(world, edited, "phone")[0] == "+31 15 3", "what somebody typed since is his"
    assert tryton_customers(world, [new])[new][0]["active"] is False
