"""What is promised, as data: per flow and tier, per owner queue, for orders. Everything else here is derived from it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from accord.categories import Queue
from accord.flows import FLOWS, Flow

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
LONGEST_KEY = 255  # PagerDuty's limit of a dedup key


class Tier(StrEnum):
    """How much hangs on it."""

    CRITICAL = "critical"  # somebody waits for it: orders
    STANDARD = "standard"  # customers, contracts, documents, money
    REFERENCE = "reference"  # what changes slowly: the catalogue


class Severity(StrEnum):
    """As PagerDuty's common event format has it (https://developer.pagerduty.com/docs/send-alert-event)."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"


class Measure(StrEnum):
    """What is measured."""

    RUN = "run deadline"  # the run that is due has succeeded
    FRESHNESS = "data freshness"  # whatever the runs say
    WATERMARK = "watermark stands still"  # runs end, and nothing moves on
    ACCEPTANCE = "order acceptance time"
    AGEING = "exception ageing"
    RECONCILIATION = "reconciliation"
    HUB = "hub unavailable"


# of one flow only the gravest is told when several are missed at once: the others are its symptoms
GRAVITY = (Measure.FRESHNESS, Measure.WATERMARK, Measure.RUN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a tier means. `run`: after a run is due, until it must have succeeded; `escalate`: how long nobody may acknowledge."""

    severity: Severity
    run: timedelta
    escalate: timedelta


TERMS: dict[Tier, Terms] = {
    Tier.CRITICAL: Terms(severity=Severity.CRITICAL, run=10 * _MINUTE, escalate=15 * _MINUTE),
    Tier.STANDARD: Terms(severity=Severity.ERROR, run=20 * _MINUTE, escalate=2 * _HOUR),
    Tier.REFERENCE: Terms(severity=Severity.WARNING, run=2 * _HOUR, escalate=24 * _HOUR),
}

# object → its tier, and how old what the other side has may be
FRESHNESS: dict[str, tuple[Tier, timedelta]] = {
    "order": (Tier.CRITICAL, 15 * _MINUTE),
    "order_status": (Tier.CRITICAL, 15 * _MINUTE),
    "customer": (Tier.STANDARD, 30 * _MINUTE),
    "customer_account": (Tier.STANDARD, 45 * _MINUTE),
    "contract": (Tier.STANDARD, _HOUR),
    "contract_status": (Tier.STANDARD, _HOUR),
    "shipment": (Tier.STANDARD, _HOUR),
    "invoice": (Tier.STANDARD, _HOUR),
    "credit_memo": (Tier.STANDARD, _HOUR),
    "payment": (Tier.STANDARD, _HOUR),
    "product": (Tier.REFERENCE, 24 * _HOUR),
    "price_list": (Tier.REFERENCE, 24 * _HOUR),
    "price": (Tier.REFERENCE, 24 * _HOUR),
    "renewal": (Tier.REFERENCE, 24 * _HOUR),
    "contract_renewal": (Tier.REFERENCE, 24 * _HOUR),
}
_ANY = (Tier.STANDARD, 24 * _HOUR)  # an object of somebody's own

ACCEPTANCE = 30 * _MINUTE  # from Accord's first sight of a committed order until the ERP has it
RECONCILED = 26 * _HOUR  # every night, with room for a long one: before business opens
STALLED_RUNS = 5  # that ended one after another without moving the watermark

# how old an exception of a severity may become: (business days, hours)
AGES: dict[int, tuple[int, int]] = {4: (0, 4), 3: (1, 0), 2: (3, 0), 1: (5, 0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLevel:
    """One promise. `subject`: the flow, process or queue it is about; `limit`: what is allowed, None where it depends on the record;
    `owner`: the queue that sees to it; `systems`: those whose maintenance excuses it; `schedule`: cron in UTC, of a flow."""

    measure: Measure
    subject: str
    object: str = ""
    tier: Tier = Tier.STANDARD
    limit: timedelta | None = None
    owner: str = Queue.INTEGRATION
    systems: tuple[str, ...] = ()
    schedule: str = ""

    @property
    def terms(self) -> Terms:
        """What its tier means."""
        return TERMS[self.tier]

    def key(self, environment: str) -> str:
        """By which everybody knows that two alerts are one: environment:subject:measure:object:limit, at most LONGEST_KEY characters."""
        limit = f"{self.limit.total_seconds() / 60:g}m" if self.limit else ""
        key = f"{environment}:{self.subject}:{self.measure}:{self.object}:{limit}"
        digest = hashlib.sha256(key.encode()).hexdigest()[:16]
        return key if len(key) <= LONGEST_KEY else f"{key[: LONGEST_KEY - 17]}:{digest}"


def of_flow(flow: Flow) -> tuple[ServiceLevel, ...]:
    """What is promised of a flow, Accord's own or anybody's: by its object."""
    tier, fresh = FRESHNESS.get(flow.object, _ANY)
    systems = (flow.source, *flow.targets)
    limits = {Measure.RUN: TERMS[tier].run, Measure.FRESHNESS: fresh, Measure.WATERMARK: None}
    return tuple(
        ServiceLevel(
            measure=measure,
            subject=flow.name,
            object=flow.object,
            tier=tier,
            limit=limit,
            owner=flow.owner,
            systems=systems,
            schedule=flow.schedule,
        )
        for measure, limit in limits.items()
    )


def _levels() -> Iterator[ServiceLevel]:
    for flow in FLOWS.values():
        yield from of_flow(flow)
    yield ServiceLevel(
        measure=Measure.ACCEPTANCE,
        subject="quote_to_cash",
        object="order",
        tier=Tier.CRITICAL,
        limit=ACCEPTANCE,
        owner=Queue.SALES_OPERATIONS,
    )
    yield ServiceLevel(measure=Measure.RECONCILIATION, subject="reconciliation", limit=RECONCILED)
    for queue in Queue:
        yield ServiceLevel(measure=Measure.AGEING, subject=queue, owner=queue)


LEVELS: tuple[ServiceLevel, ...] = tuple(_levels())
HUB = ServiceLevel(measure=Measure.HUB, subject="hub", tier=Tier.CRITICAL)


def levels(subjects: Iterable[str] | None = None) -> tuple[ServiceLevel, ...]:
    """The declared levels of these flows, processes and queues; all of them when None. Raises KeyError naming the known subjects."""
    if subjects is None:
        return LEVELS
    wanted, known = list(subjects), dict.fromkeys(level.subject for level in LEVELS)
    if unknown := [name for name in wanted if name not in known]:
        raise KeyError(f"no service level of {', '.join(unknown)}; known: {', '.join(known)}")
    return tuple(level for level in LEVELS if level.subject in wanted)


def level_of(subject: str, measure: Measure) -> ServiceLevel | None:
    """The declared level of a subject; None when there is none."""
    return next((level for level in LEVELS if level.subject == subject and level.measure is measure), None)
