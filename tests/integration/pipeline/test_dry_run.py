"""A dry run goes up to the comparison and writes its run and gate results, nothing else."""

from __future__ import annotations

from accord.pipeline.runs import Params
from tests.world import World, counts

WRITTEN = {
    "flow",
    "run",
    "comparison",
    "stream",
    "gate_result",
    "gate_verdict",
    "finding",
    "alembic_version",
    "kpi_position",
}


def test_a_dry_run(world: World) -> None:
    world.customer("bad", country="Atlantis")
    parent = world.customer("elsewhere", entities=("US01",))
    for n in range(9):
        world.customer(str(n), parent=parent)
    summary = world.run(params=Params(dry_run=True))
    assert counts(summary, "tryton") == {"changed": 9, "excluded": 1, "quarantined": 1}
    assert world.writes() == 0
    tables = world.rows(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
    )
    filled = {
        t["relname"]
        for t in tables
        if world.rows(f'SELECT 1 FROM "{t["relname"]}" LIMIT 1')  # noqa: S608  # own tables
    }
    assert filled <= WRITTEN
    assert world.watermark() is None

    real = world.run()
    assert counts(real, "tryton")["applied"] == 9
