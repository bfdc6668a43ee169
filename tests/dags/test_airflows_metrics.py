"""What tasks tell Airflow's own metrics, set up as docs/metrics.md says: by OpenTelemetry and by StatsD, to servers of this machine."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from tests.dags.conftest import ROOT
from tests.dags.test_running import Ran
from tests.receiver import Receiver
from tests.receiver import receiver as receiver

if TYPE_CHECKING:
    from airflow.sdk import DAG

pytestmark = pytest.mark.usefixtures("metadata", "world")
Begin = Callable[[str, Mapping[str, str]], None]


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Have this process tell its metrics, as a worker's does when a task begins: as the page's block that begins with `first` says, but
    for what is `put` instead."""
    from airflow.sdk._shared.observability.metrics import stats
    from airflow.sdk.observability.metrics import stats_utils

    def initialize() -> None:
        stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=True)

    def make(first: str, put: Mapping[str, str]) -> None:
        page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
        (block,) = re.findall(rf"```console\n({first}=.*?)```", page, re.DOTALL)
        said = dict(line.split("=", 1) for line in block.split())
        assert put.keys() < said.keys(), "the page says it"
        for name, value in {**said, **put}.items():
            monkeypatch.setenv(name, value)
        initialize()

    yield make
    monkeypatch.undo()
    initialize()


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A StatsD server's socket."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        yield server


def test_statsd_is_told_a_task_s_time_and_success(dags: dict[str, DAG], begin: Begin, listening: socket.socket) -> None:
    host, port = listening.getsockname()
    begin(
        "AIRFLOW__METRICS__STATSD_ON",
        {"AIRFLOW__METRICS__STATSD_HOST": host, "AIRFLOW__METRICS__STATSD_PORT": str(port)},
    )
    assert Ran(dags["quality_digest"]).state == "success"
    told: list[str] = []
    while not any(line.startswith("airflow.ti_successes") for line in told):
        told += listening.recv(65_536).decode().splitlines()
    names = {line.partition(":")[0] for line in told}
    assert {"airflow.ti.start.quality_digest.mail", "airflow.operator_successes_QualityDigestOperator"} <= names


def test_opentelemetry_is_told_a_task_s_time_and_success(
    dags: dict[str, DAG], begin: Begin, receiver: Receiver
) -> None:
    from airflow.sdk._shared.observability.metrics.otel_logger import flush_otel_metrics

    begin("AIRFLOW__METRICS__OTEL_ON", {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{receiver.port}"})
    assert Ran(dags["quality_digest"]).state == "success"
    flush_otel_metrics()  # as a worker's process does when it ends
    services, told = exported(receiver)
    assert services == {"airflow"}
    task = {"dag_id": "quality_digest", "task_id": "mail"}
    assert task.items() <= told["airflow.ti_successes"].items()
    assert told["airflow.operator_successes"]["operator_name"] == "QualityDigestOperator"
    assert task.items() <= told["airflow.task.duration"].items()


def exported(receiver: Receiver) -> tuple[set[str], dict[str, dict[str, Any]]]:
    """Which services told, and metric → attributes of one of its points."""
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    services, told = set(), {}
    for request in receiver.requests:
        assert (request.path, request.headers["content-type"]) == ("/v1/metrics", "application/x-protobuf")
        for resource in ExportMetricsServiceRequest.FromString(request.body).resource_metrics:
            services |= {one.value.string_value for one in resource.resource.attributes if one.key == "service.name"}
            for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                points = getattr(metric, metric.WhichOneof("data")).data_points
                told[metric.name] = {one.key: one.value.string_value for point in points for one in point.attributes}
    return services, told
