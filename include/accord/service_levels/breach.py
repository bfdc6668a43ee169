"""A promise that is not kept, with all an alert says about it: names, figures and instants, never a value of a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from accord.service_levels.guidance import GUIDES, consequence
from accord.service_levels.targets import ServiceLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """What is late, by how much, what it costs. Everything is JSON: tasks hand it on, the ledger keeps it.

    `late_s`: seconds over what is allowed; `watermark`: the last good one; `amounts`: currency → money at risk; `step`: the first that
    failed; `run`: the engine's name of the run, <dag id>/<run id>; `where`: the command that lists what is affected;
    `places`: where the console shows it, text → address below the console's; `correlation`: what
    to search the logs for; `escalate_s`: how long nobody may acknowledge it; `covered`: a graver one of the same flow is told instead.
    """

    key: str
    measure: str
    subject: str
    object: str
    tier: str
    severity: str
    owner: str
    summary: str
    allowed: str
    actual: str
    late_s: float
    consequence: str
    runbook: str
    actions: list[str]
    next: str
    escalate_s: float
    due: str = ""
    watermark: str = ""
    records: int = 0
    amounts: dict[str, str] = field(default_factory=dict)
    step: str = ""
    category: str = ""
    run: str = ""
    where: str = ""
    places: dict[str, str] = field(default_factory=dict)
    correlation: str = ""
    covered: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Its JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        """What `as_dict` gave."""
        return cls(**body)


def breach(level: ServiceLevel, environment: str, *, summary: str, actual: str, late: timedelta, **more: Any) -> Breach:
    """A breach of `level`; `more` are the other figures."""
    guide = GUIDES[level.measure]
    return Breach(
        key=level.key(environment),
        measure=level.measure,
        subject=level.subject,
        object=level.object,
        tier=level.tier,
        severity=level.terms.severity,
        owner=level.owner,
        summary=summary,
        actual=actual,
        late_s=round(max(late.total_seconds(), 0)),
        consequence=consequence(level.measure, level.object),
        runbook=guide.runbook,
        actions=list(guide.actions),
        next=guide.next,
        escalate_s=level.terms.escalate.total_seconds(),
        **{"allowed": span(level.limit) if level.limit else "", **more},
    )


def span(length: timedelta) -> str:
    """A length of time as people say it: 45 min, 3 h 10 min, 2 d 4 h."""
    minutes = int(length.total_seconds() // 60)
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{rest} min" if rest else "less than a minute"


def instant(at: datetime | None) -> str:
    """An instant in UTC as an alert shows it; empty for none."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if at else ""
