"""The figures as Prometheus and everything that speaks OpenMetrics scrapes them (https://prometheus.io/docs/specs/om/open_metrics_spec/)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from accord.errors import BadCredentials, Unavailable
from accord.hub.connection import Hub
from accord.metrics.definitions import METRICS, Unit
from accord.metrics.values import Taken, Value, latest, technical

HUB_UP = "accord_hub_up"
TAKEN = "accord_metrics_taken_timestamp_seconds"


def exposition(hub: Hub, accept: str = "") -> tuple[bytes, str]:
    """(body, content type) of a scrape, in the format `accept` (the request's header) prefers.

    Business figures are those last taken (TAKEN says when), technical ones those of now. A hub that is away is a figure too: HUB_UP
    is 0 and nothing else is said.
    """
    try:
        found = _Figures(latest(hub), technical(hub))
    except (Unavailable, BadCredentials):
        found = _Figures(None, ())
    registry = CollectorRegistry(auto_describe=False)
    registry.register(found)
    encode, content_type = choose_encoder(accept)
    body: bytes = encode(registry)
    return body, content_type


class _Figures(Collector):
    def __init__(self, taken: Taken | None, now: Iterable[Value]) -> None:
        self._taken, self._now = taken, tuple(now)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily(HUB_UP, "1 while the hub answers", value=int(self._taken is not None))
        if self._taken is None:
            return
        if self._taken.at is not None:
            at = self._taken.at.timestamp()
            yield GaugeMetricFamily(
                TAKEN, "when the business figures were taken, in seconds since 1970", value=at, unit="seconds"
            )
        yield from _families((*self._taken.values, *self._now))


def _families(values: Iterable[Value]) -> Iterator[GaugeMetricFamily]:
    families: dict[str, GaugeMetricFamily] = {}
    for one in values:
        metric = METRICS[one.name]
        if one.name not in families:
            unit = metric.unit if metric.unit in (Unit.SECONDS, Unit.DAYS, Unit.RATIO) else ""
            families[one.name] = GaugeMetricFamily(
                metric.exported, f"{metric.meaning} ({metric.window})", labels=metric.labels, unit=unit
            )
        families[one.name].add_metric([one.labels.get(label, "") for label in metric.labels], float(one.value))
    yield from families.values()
