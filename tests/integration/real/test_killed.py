"""A process that is really killed, over a real org and real ERPs: after a re-run nobody is lost and nobody is there twice."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from accord.flows import Flow
from tests.integration.real.oracle import complaints
from tests.integration.real.runner import Call, end, start
from tests.integration.real.world import CUSTOMERS, RealWorld, counts

pytestmark = pytest.mark.usefixtures("open_gates")

CHUNK = "accord.pipeline.load:ChunkLoad"
STEPS = "accord.pipeline.flow_run"
REQUEST = "accord.hub.dispatches:OpenDispatch.before_request"

TO_LEGACY: Flow = replace(CUSTOMERS, name="customer__to_legacy", targets=("legacy",))
TO_TRYTON: Flow = replace(CUSTOMERS, name="customer__to_tryton", targets=("tryton",))

# one of each kind, as the systems see it; the faults layer kills at every commit and every request
WITH_TABLES = [
    Call(what=f"{CHUNK}._send"),  # claimed, nothing sent
    Call(what=REQUEST, nth=2),  # copied into the tables, not posted
    Call(what="accord.systems.interface_tables.sending:_results"),  # posted, the answers not read
    Call(what="accord.pipeline.load:settle_dispatch"),  # judged, not recorded
    Call(what="accord.systems.salesforce.delivery:write_collections", when="after"),  # the statuses written to the org
    Call(what=f"{STEPS}:settle"),
]
WITH_TRYTON = [
    Call(what=REQUEST),
    Call(what="accord.systems.tryton.sending:Sender._tell"),  # created, nobody told
    Call(what="accord.pipeline.load:settle_dispatch"),
]


def three_customers(world: RealWorld, entity: str) -> list[str]:
    above = world.account("Birch Group", entities=entity)
    below = world.account("Birch Works", entities=entity, ParentId=above, Phone="+31 15 2")
    alone = world.account("Cedar", entities=entity)
    world.people.create("Contact", AccountId=alone, LastName="Cedar", Email="c@cedar.example")
    return [above, below, alone]


def killed_and_run_again(world: RealWorld, flow: Flow, call: Call, again: str) -> None:
    accounts = three_customers(world, "US01" if flow is TO_LEGACY else "NL01")
    target = flow.targets[0]
    assert end(start(world, flow, "first", die=call)) == -signal.SIGKILL
    assert world.watermark(flow) is None

    summary = world.run(flow, engine_run=again)
    assert summary["error"] is None
    assert summary["extracted"] == 3
    told = counts(summary, target)
    assert sum(told.values()) == 3 + summary["released"]
    assert set(told) <= {"applied", "unchanged", "superseded"}

    assert complaints(world) == []
    assert world.exceptions() == {}
    assert world.rows("SELECT id FROM dispatch WHERE closed IS NULL") == []
    assert world.rows("SELECT key FROM link WHERE dispatch IS NOT NULL") == []
    assert [world.status(account) for account in accounts] == [("Synced", None)] * 3
    table = "party_party" if target == "tryton" else "erp.customer"
    created = [n for (t, operation, _), n in world.written(target).items() if (t, operation) == (table, "INSERT")]
    assert created == [1, 1, 1]
    assert world.watermark(flow) is not None

    world.forget()
    world.run(flow)
    assert world.nothing_written()


@pytest.mark.parametrize("call", WITH_TABLES, ids=str)
def test_with_interface_tables(world: RealWorld, call: Call) -> None:
    # the same run when a task is retried, another when the schedule comes round first: in turn
    killed_and_run_again(world, TO_LEGACY, call, "first" if WITH_TABLES.index(call) % 2 else "second")


@pytest.mark.parametrize("call", WITH_TRYTON, ids=str)
def test_with_tryton(world: RealWorld, call: Call) -> None:
    killed_and_run_again(world, TO_TRYTON, call, "second" if WITH_TRYTON.index(call) % 2 else "first")
