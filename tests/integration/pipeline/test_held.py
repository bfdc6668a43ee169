"""What a gate holds back for another record's sake is read again when that record changes, and only then."""

from __future__ import annotations

import pytest

from accord.objects.order import ORDER
from accord.pipeline.runs import Params, RunKind
from tests.integration.pipeline.test_processes import ORDERS, order
from tests.world import MINUTE, World


@pytest.mark.usefixtures("open_gates")
def test_read_again_when_a_record_it_shows_changes(world: World) -> None:
    customer = world.customer("1")
    world.run()
    world.run(ORDERS)
    key, other = order(world, "O1", customer=customer), order(world, "O2", customer=customer)
    for one in (key, other):
        world.rows(
            """INSERT INTO exception (kind, flow, object, key, category, queue, severity, message)
               VALUES ('quarantined', %s, 'order', %s, 'legal entity does not sell to the customer', 'sales operations', 2, '')
               RETURNING id""",
            ORDERS.name, one,
        )  # fmt: skip
    since = world.tick(MINUTE)

    def run(**asked: bool) -> tuple[int, int]:
        summary = world.run(ORDERS, kind=RunKind.MANUAL, params=Params(since=since, **asked))
        return summary["extracted"], summary["released"]

    assert run() == (0, 0), "nothing changed"
    # the account says whom it buys from: the order shows it, and did not change itself
    world.source.lent["O1"] = world.tick()
    assert run(dry_run=True) == (0, 0), "a dry run writes nothing, so it takes nothing that waits"
    assert run() == (0, 1)
    assert world.tryton.held(ORDER, key)
    assert [row["key"] for row in world.exceptions()] == [other]
    world.source.lent["O1"] = world.tick()
    assert run() == (0, 0), "what is not held is not read for another's sake"
