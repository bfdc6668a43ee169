"""Two processes at once over the same window: each customer is asked for once and exists once."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.integration.real.oracle import complaints
from tests.integration.real.runner import SPAWNING, Call, end, start
from tests.integration.real.world import CUSTOMERS, RealWorld

pytestmark = pytest.mark.usefixtures("open_gates")

CLAIMING = Call(what="accord.pipeline.load:ChunkLoad._once")
CUSTOMERS_THERE = 12


def test_two_runs_of_one_window(world: RealWorld) -> None:
    accounts = [world.account(f"Dogwood {n}", entities="NL01;US01") for n in range(CUSTOMERS_THERE)]
    barrier = SPAWNING.Barrier(2)
    # both have compared, so both mean to create every customer
    runs = [start(world, CUSTOMERS, name, meet=CLAIMING, barrier=barrier) for name in ("a", "b")]
    assert [end(run) for run in runs] == [0, 0]

    assert complaints(world) == []
    once = Counter({account: 1 for account in accounts})
    tryton, legacy = world.written("tryton"), world.written("legacy")
    assert Counter({key: n for (t, op, key), n in tryton.items() if (t, op) == ("party_party", "INSERT")}) == once
    asked = Counter({key: n for (t, _, key), n in legacy.items() if t == "inbound.customer"})
    assert asked == Counter({f"salesforce:{account}": 1 for account in accounts})
    assert not [
        entry for entry in (*tryton, *legacy) if entry[1] == "UPDATE" and entry[0] in ("erp.customer", "party_address")
    ]
    told = world.rows(
        """SELECT s.target, y.outcome, count(*)::int AS n FROM delivery y JOIN stream s ON s.id = y.stream
           WHERE s.object = 'customer' GROUP BY 1, 2 ORDER BY 1, 2"""
    )
    assert [(row["target"], row["outcome"], row["n"]) for row in told if row["outcome"] == "applied"] == [
        ("legacy", "applied", CUSTOMERS_THERE),
        ("tryton", "applied", CUSTOMERS_THERE),
    ]
    assert world.rows("SELECT state FROM run") == [{"state": "succeeded"}] * 2
    assert world.exceptions() == {}
    assert {world.status(account) for account in accounts} == {("Synced", None)}

    world.forget()
    world.run()
    assert world.nothing_written()
