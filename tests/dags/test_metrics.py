"""The task that takes the figures does the work of `accord metrics`, and is no failure of its own while the hub is away."""

from __future__ import annotations

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from accord.hub import Hub
from accord.metrics.values import latest
from accord_airflow.operators import MetricsOperator
from tests.dags.world import World


def test_it_takes_the_figures_and_not_again_at_once(world: World) -> None:
    measure = MetricsOperator(task_id="measure")
    assert measure.work({})["values"] > 0
    assert latest(Hub(world.dsn)).at is not None
    assert measure.work({})["values"] == 0


def test_a_hub_that_is_away_skips_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ACCORD_HUB", "postgres://nobody@127.0.0.1:1/none")
    with pytest.raises(AirflowSkipException):
        MetricsOperator(task_id="measure").work({})
