"""Whether the service levels are kept, from the hub alone: whatever Airflow's own state says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from accord.errors import AccordError
from accord.hub.connection import Session
from accord.maintenance import open_until, windows_of
from accord.runtime import Accord
from accord.service_levels import measures
from accord.service_levels.breach import Breach
from accord.service_levels.targets import GRAVITY, LEVELS, Measure, ServiceLevel

_MEASURES: Mapping[Measure, Callable[[Session, Sequence[ServiceLevel], str, datetime], Iterator[measures.Measured]]] = {
    Measure.RUN: measures.flows,
    Measure.FRESHNESS: measures.flows,
    Measure.WATERMARK: measures.flows,
    Measure.ACCEPTANCE: measures.acceptance,
    Measure.AGEING: measures.ageing,
    Measure.RECONCILIATION: measures.reconciliation,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What was found, by the levels' keys. `excused`: not kept, but a system is in maintenance; `unmeasured`: nothing is known yet, as
    the flow never ran by its schedule."""

    breached: list[Breach] = field(default_factory=list)
    met: list[str] = field(default_factory=list)
    excused: list[str] = field(default_factory=list)
    unmeasured: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Its JSON, as tasks hand it on."""
        found = {"met": self.met, "excused": self.excused, "unmeasured": self.unmeasured}
        return {"breached": [one.as_dict() for one in self.breached], **found}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        """What `as_dict` gave."""
        found = {name: list(body[name]) for name in ("met", "excused", "unmeasured")}
        return cls(breached=[Breach.from_dict(one) for one in body["breached"]], **found)


def evaluate(accord: Accord, levels: Sequence[ServiceLevel] = LEVELS, *, now: datetime | None = None) -> Evaluation:
    """Measure `levels` at `now`. Raises what the hub raises: then nothing is known of any level."""
    now = now or datetime.now(UTC)
    environment = accord.alerting.environment
    by_measuring: dict[Any, list[ServiceLevel]] = defaultdict(list)
    for level in levels:
        by_measuring[_MEASURES[level.measure]].append(level)
    found: dict[str, Breach | None] = {}
    with accord.hub.session() as session:
        for measuring, these in by_measuring.items():
            found |= {level.key(environment): verdict for level, verdict in measuring(session, these, environment, now)}
        held = {row["name"] for row in session.execute("SELECT name FROM system WHERE held_until > %s", (now,))}
    missed = [level for level in levels if found.get(level.key(environment))]
    excused = {level.key(environment) for level in missed if _excused(accord, level, held, now)}
    breached = _gravest([verdict for key, verdict in found.items() if verdict and key not in excused])
    return Evaluation(
        breached=breached,
        met=[key for key, verdict in found.items() if verdict is None],
        excused=sorted(excused),
        unmeasured=[key for level in levels if (key := level.key(environment)) not in found],
    )


def _gravest(breached: Iterable[Breach]) -> list[Breach]:
    """Of one flow's breaches all but the gravest are covered by it."""
    gravest: dict[str, Breach] = {}
    rank = {measure.value: place for place, measure in enumerate(GRAVITY)}
    ordered = sorted(breached, key=lambda one: rank.get(one.measure, 0))
    return [
        one if one.measure not in rank or gravest.setdefault(one.subject, one) is one else replace(one, covered=True)
        for one in ordered
    ]


def _excused(accord: Accord, level: ServiceLevel, held: Container[str], now: datetime) -> bool:
    """Whether a system it depends on is in maintenance, was when it began to be late, or is `held` by somebody. A window that can't be
    read excuses nothing."""
    for system in level.systems:
        try:
            windows = windows_of(accord.connection(f"accord_{system}"))
        except AccordError:
            windows = ()
        if system in held or any(open_until(windows, at) for at in (now, now - (level.limit or timedelta()))):
            return True
    return False
