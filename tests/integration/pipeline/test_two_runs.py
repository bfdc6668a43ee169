"""What comes in is accounted for; what is there already is not written again."""

from __future__ import annotations

from accord.pipeline.settle import OUT
from tests.oracle import complaints
from tests.world import World, counts


def test_customers_reach_their_erps_once(world: World) -> None:
    for n in range(6):
        world.customer(f"{n:03d}", entities=("NL01", "US01") if n % 2 else ("NL01",))
    first = world.run()
    assert first["extracted"] == 6
    assert counts(first, "tryton") == {"applied": 6}
    assert counts(first, "legacy") == {"applied": 3, "excluded": 3}
    assert complaints(world) == []

    before = world.writes()
    second = world.run()
    assert counts(second, "tryton") == {"unchanged": 6}
    assert counts(second, "legacy") == {"unchanged": 3, "excluded": 3}
    assert world.writes() == before


def test_the_equation_is_stored(world: World) -> None:
    world.customer("1")
    world.customer("2", entities=())
    summary = world.run()
    for part in summary["targets"].values():
        assert sum(part["counts"].get(bucket, 0) for bucket in OUT) == summary["extracted"] + summary["released"]
