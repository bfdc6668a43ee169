"""The simulator's stories around a real Tryton, judged by the same oracle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from accord.settings import connection_from_environment
from accord.systems import open_system
from tests.faults.simulator.play import Theatre, in_memory_source
from tests.faults.simulator.real import RealTarget
from tests.faults.simulator.schedule import TO_TRYTON, Answers, Schedule, schedule
from tests.faults.simulator.stage import Stage
from tests.faults.simulator.tryton import Parties, apart
from tests.integration.real.world import RealWorld
from tests.world import TwoWay


def troubled(seed: int) -> bool:
    """Whether answers stay away in the story, and it is one of customers alone."""
    story = schedule(seed)
    return story.flows == (TO_TRYTON,) and any(isinstance(action, Answers) for action in story.actions)


SEEDS = [seed for seed in range(40) if troubled(seed)][:2]


@pytest.fixture
def theatre(world: RealWorld, tmp_path: Path) -> Iterator[Theatre]:
    adapter = open_system("tryton", connection_from_environment("accord_tryton", world.environment))

    def erp(stage: Stage, schedule: Schedule) -> TwoWay:
        witness = Parties(world.erp, world.server.dsn(world.erp.database))
        target = RealTarget(name="tryton", adapter=adapter, stage=stage, witness=witness)
        return TwoWay(in_memory_source("tryton", stage, schedule), target)  # type: ignore[arg-type]  # a target too

    theatre = Theatre(world.server.dsn(world.hub), tmp_path, {"tryton": erp})
    yield theatre
    theatre.close()
    adapter.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_ends_well_in_tryton(theatre: Theatre, seed: int) -> None:
    played = theatre.play(apart(schedule(seed), f"S{seed}x"))
    assert played.verdict.well, "\n".join((str(played.verdict), *played.diary))
    assert played.happened, "nothing went wrong: choose another seed"
