"""The circuit breaker of one system: when calls are let through, when they are not, and how they come back.

    closed ──failures in a row──▶ open ──its time is over──▶ half-open: one probe
       ▲                           ▲                            │       │
       └─── a few at a time ◀──────│──────── it answers ────────┘       │
                                   └──────── it does not ───────────────┘

Values only: the hub keeps one for each system, so that all workers see the same (accord.hub.systems).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from accord.errors import InDoubt, LimitReached, Shut, Unavailable


class State(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"  # they do
    OPEN = "open"  # they don't, until its time is over
    HALF_OPEN = "half-open"  # one does


class Failure(StrEnum):
    """What counts against a system. That it refuses a record, a login or a field is an answer, not a failure."""

    OUTAGE = "outage"
    TIMEOUT = "time-out"
    LIMIT = "limit"


def failure_of(error: Exception) -> Failure | None:
    """What `error` says against the system that was called; None when it is no failure of the system's."""
    match error:
        case LimitReached():
            return Failure.LIMIT
        case Unavailable():
            return Failure.OUTAGE
        case InDoubt():
            return Failure.TIMEOUT
        case _:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How many failures in a row open the breaker, for how long at first and, doubling each time, at the longest."""

    failures: int
    pause: timedelta
    longest: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a breaker behaves.

    `forget`: failures further apart than this are not in a row. `probe`: how long a probe may take before another is let
    through, `stay` how long a caller counts that never says it left. After an outage `first` callers are let in at once,
    one more with each that succeeds, and once they would be `many`, everybody. Who has to wait is told a moment
    between one and two `wait` away. `spread` gives numbers in [0, 1).
    """

    patience: dict[Failure, Patience] = field(
        default_factory=lambda: {
            Failure.OUTAGE: Patience(failures=3, pause=timedelta(seconds=30), longest=timedelta(minutes=10)),
            Failure.TIMEOUT: Patience(failures=5, pause=timedelta(seconds=30), longest=timedelta(minutes=10)),
            Failure.LIMIT: Patience(failures=1, pause=timedelta(minutes=5), longest=timedelta(hours=1)),
        }
    )
    forget: timedelta = timedelta(minutes=30)
    probe: timedelta = timedelta(minutes=2)
    stay: timedelta = timedelta(minutes=15)
    first: int = 2
    many: int = 32
    wait: timedelta = timedelta(seconds=10)
    spread: Callable[[], float] = random.random

    def later(self, now: datetime) -> datetime:
        """When one who has to wait may ask again: not all at the same moment."""
        return now + self.wait * (1 + self.spread())


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A call is not let through before `until`."""

    why: Shut
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Where a system's breaker stands. Every method gives the breaker as it is afterwards.

    `until`: end of the pause when open, of the probe's time when half-open; `probe` is who probes; `failure` the last one
    there was; `trips` how often it opened since all was well; `allowance` how many may be in at once, None for all.
    """

    state: State = State.CLOSED
    until: datetime | None = None
    probe: str | None = None
    failure: Failure | None = None
    failures: int = 0
    failed_at: datetime | None = None
    trips: int = 0
    allowance: int | None = None

    @property
    def calm(self) -> bool:
        """Whether everybody is let in."""
        return self.state is State.CLOSED and self.allowance is None

    @property
    def well(self) -> bool:
        """Whether there is nothing to remember: calls go through, and none has failed."""
        return self.calm and not self.failures

    def asked(self, who: str, now: datetime, rules: Rules) -> tuple[Breaker, Refusal | None]:
        """`who` wants to call the system. The first one after the pause becomes the probe."""
        if self.state is State.CLOSED or (self.state is State.HALF_OPEN and self.probe == who):
            return self, None
        if self.until is not None and now < self.until:
            if self.state is State.OPEN:
                return self, Refusal(why=Shut.OUTAGE, until=self.until)
            return self, Refusal(why=Shut.RECOVERING, until=rules.later(now))
        return replace(self, state=State.HALF_OPEN, probe=who, until=now + rules.probe), None

    def crowded(self, inside: int, now: datetime, rules: Rules) -> Refusal | None:
        """Whether one more is too many while the system recovers; `inside` are there already."""
        if self.allowance is None or inside < self.allowance:
            return None
        return Refusal(why=Shut.RECOVERING, until=rules.later(now))

    def succeeded(self, who: str, rules: Rules, *, counted: bool = True) -> Breaker:
        """A call of `who` was answered. `counted`: it is one of those let in, and its first; only these make room for one more."""
        if self.state is State.HALF_OPEN and self.probe == who:
            return Breaker(failure=self.failure, failed_at=self.failed_at, trips=self.trips, allowance=rules.first)
        if self.state is not State.CLOSED:
            return self  # a call from before: it says nothing about now
        if self.allowance is not None and not counted:
            return replace(self, failures=0)
        if self.allowance is not None and self.allowance + 1 < rules.many:
            return replace(self, failures=0, allowance=self.allowance + 1)
        return Breaker(failure=self.failure, failed_at=self.failed_at)

    def failed(self, who: str, failure: Failure, now: datetime, rules: Rules) -> Breaker:
        """A call of `who` failed."""
        patience = rules.patience[failure]
        if self.state is State.CLOSED:
            in_a_row = self.failed_at is not None and now - self.failed_at < rules.forget
            failures = (self.failures if in_a_row else 0) + 1
            if failures < patience.failures and self.allowance is None:
                return replace(self, failure=failure, failures=failures, failed_at=now)
        elif self.state is State.OPEN or self.probe != who:
            return self
        pause = min(patience.pause * 2**self.trips, patience.longest) * (1 + rules.spread() / 5)
        return Breaker(
            state=State.OPEN, until=now + pause, failure=failure, failures=0, failed_at=now, trips=self.trips + 1
        )

    def left(self, who: str, now: datetime) -> Breaker:
        """`who` is done. A probe that made no call leaves the question to the next one."""
        if self.state is State.HALF_OPEN and self.probe == who:
            return replace(self, state=State.OPEN, probe=None, until=now)
        return self
