"""The queue over real systems: an edit that passes, a replay, a suspected duplicate that is the record finance has."""

from __future__ import annotations

import pytest

from accord.exceptions import edit, show, tell_apart
from accord.hub.queue import Filter
from accord.pipeline.replay import replay
from tests.integration.real.world import RealWorld, counts

PARTY = "model.party.party"


@pytest.mark.usefixtures("open_gates")
def test_edited_and_replayed_and_linked_to_what_finance_has(world: RealWorld) -> None:
    finance = world.erp.client("finance")
    (known,) = finance.call(f"{PARTY}.create", [{"name": f"Old Sorrel {world.number}"}])
    (country,) = finance.call("model.country.country.search", [["code", "=", "NL"]])
    finance.call("model.party.address.create", [{"party": known, "country": country, "invoice": True}])
    twin = world.account("Old Sorrel")
    refused = world.account("Tansy", Tax_Registration__c="NL12345")  # its check digit is wrong
    assert counts(world.run(), "tryton") == {"rejected": 1, "parked": 1}
    queue = {key.partition(":")[2]: rows[0] for key, rows in world.exceptions().items()}
    accord = world.accord()

    # what the source says is refused, what was agreed is not; our own acknowledgement does not undo it
    number = queue[refused]["id"]
    edit(accord, number, values={"tax_registration": "DE136695976"}, who="ann", why="as on the invoice")
    sides = {side["field"]: side for side in show(accord, number, who="ann")["sides"]["tryton"]}
    assert (sides["tax_registration"]["before"], sides["tax_registration"]["after"]) == (None, "(personal)")
    (done,) = replay(accord, Filter(ids=(number,)), who="ann").flows
    assert (done.error, done.settled) == (None, 1)
    (party,) = finance.call(f"{PARTY}.search_read", [["code", "=", refused]], 0, None, None, ["identifiers.code"])
    assert [identifier["code"] for identifier in party["identifiers."]] == ["DE136695976"]
    assert world.status(refused) == ("Synced", None)

    # the party finance has becomes the account's own: nothing is created, its name stays
    tell_apart(accord, queue[twin]["id"], same=True, who="ann", why="known to finance")
    assert world.exceptions() == {}
    assert finance.call(f"{PARTY}.search", [["code", "=", twin]]) == []
    assert world.rows("SELECT native FROM link WHERE key = %s AND native IS NOT NULL AND hash IS NOT NULL AND stream IN "
                      "(SELECT id FROM stream WHERE target = 'tryton')", f"salesforce:{twin}") == [{"native": str(known)}]  # fmt: skip

    world.forget()
    assert counts(world.run(), "tryton") == {"unchanged": 2}
    assert world.nothing_written()
    world.change(refused, Tax_Registration__c=None)
    assert counts(world.run(), "tryton") == {"applied": 1, "unchanged": 1}
    (party,) = finance.call(f"{PARTY}.search_read", [["code", "=", refused]], 0, None, None, ["identifiers.code"])
    assert list(party["identifiers."] or ()) == []
