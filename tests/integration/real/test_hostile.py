"""A thousand awkward accounts: each is refused by the org itself, written to the ERPs character for character, or waits with a
reason; and the counts add up."""

from __future__ import annotations

from collections import Counter

import pytest

from accord.runtime import LEASE
from sandbox.company.hostile import KEY, PREFIX, hostile
from sandbox.company.load import load
from sandbox.company.org import Org
from tests.integration.real.oracle import ENTITIES, complaints
from tests.integration.real.world import RealWorld, counts

COUNT = 1000


@pytest.mark.timeout(600)
def test_every_awkward_account_is_accounted_for(world: RealWorld) -> None:
    world.be_patient()
    made = hostile(COUNT)
    org = Org(world.org.http, world.org.admin_id, world.org.admin_secret)
    loaded = load(org, [row for _, row in made], key=KEY, prefix=PREFIX)
    refused = {number.partition(" ")[0] for number in loaded.refused}
    # what Salesforce must refuse it refused, with a reason
    assert {row.number for kind, row in made if kind.refused} <= refused
    assert all(reason for reason in loaded.refused.values())
    accounts = world.people.soql("SELECT Id, Legal_Entities__c FROM Account")
    live = {row["Id"]: (row["Legal_Entities__c"] or "").split(";") for row in accounts}
    assert len(live) == loaded.accounts == len(loaded.ids)
    assert len(made) == len(live) + len(refused - loaded.ids.keys())

    summary = world.run(lease=LEASE)
    assert summary["extracted"] == len(live)
    assert complaints(world) == []

    waiting = world.exceptions()
    assert waiting.keys() <= {f"salesforce:{account}" for account in live}
    for target, kept in ENTITIES.items():
        told = counts(summary, target)
        assert sum(told.values()) == len(live)
        held = {key for key, rows in waiting.items() if any(row["target"] in ("", target) for row in rows)}
        routed = {f"salesforce:{account}" for account, entities in live.items() if kept & set(entities)}
        assert told["applied"] == len(routed - held)
        assert told["quarantined"] + told.get("rejected", 0) + told["parked"] == len(held)
    by_kind = Counter(
        row["category"] for _, account in loaded.ids.items() for row in waiting.get(f"salesforce:{account}", [])[:1]
    )
    assert {
        "missing value",
        "no legal entity",
        "waits for its parent",
        "possible duplicate",
        "value too long",
    } <= set(by_kind)
    statuses = Counter(row["ERP_Sync_Status__c"] for row in world.people.soql("SELECT ERP_Sync_Status__c FROM Account"))
    assert statuses["Synced"] == len(live) - len(waiting)

    world.forget()
    again = world.run(lease=LEASE)
    assert world.nothing_written()
    assert {target: counts(again, target).get("applied", 0) for target in ENTITIES} == {"tryton": 0, "legacy": 0}
