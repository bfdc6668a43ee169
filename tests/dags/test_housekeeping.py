"""The DAG that keeps house does the work of `accord housekeeping`."""

from __future__ import annotations

from datetime import UTC, datetime

from accord.hub import Hub
from accord_airflow.operators import HousekeepingOperator
from tests.dags.world import World


def test_it_makes_what_is_missing_and_drops_what_is_old(world: World) -> None:
    month = f"{datetime.now(UTC):%Y_%m}"
    with Hub(world.dsn).session() as session:
        session.execute(f"DROP TABLE delivery_{month}".encode())
        session.execute(
            "CREATE TABLE delivery_2020_01 PARTITION OF delivery FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')"
        )
    keep = HousekeepingOperator(task_id="housekeep")
    done = keep.work({})
    assert (done["made"], done["dropped"]) == ([f"delivery_{month}"], {"delivery_2020_01": 0})
    assert keep.work({})["made"] == [], "again it has nothing to do"
