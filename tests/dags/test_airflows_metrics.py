"""What tasks tell Airflow's own metrics: by StatsD, as docs/metrics.md sets it up, into a socket of this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.dags.test_running import Ran

if TYPE_CHECKING:
    from airflow.sdk import DAG


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A StatsD server's socket; tasks of this process tell it, as those of a worker do once they have begun."""
    from airflow.sdk._shared.observability.metrics import stats
    from airflow.sdk.observability.metrics import stats_utils

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        for name, value in {"ON": "true", "HOST": "127.0.0.1", "PORT": str(server.getsockname()[1])}.items():
            monkeypatch.setenv(f"AIRFLOW__METRICS__STATSD_{name}", value)
        stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=True)
        yield server
        monkeypatch.undo()
        stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=True)


@pytest.mark.usefixtures("metadata", "world")
def test_a_task_s_time_and_success_are_told(dags: dict[str, DAG], listening: socket.socket) -> None:
    assert Ran(dags["quality_digest"]).state == "success"
    told: list[str] = []
    while not any(line.startswith("airflow.ti_successes") for line in told):
        told += listening.recv(65_536).decode().splitlines()
    names = {line.partition(":")[0] for line in told}
    assert {"airflow.ti.start.quality_digest.mail", "airflow.operator_successes_QualityDigestOperator"} <= names
