"""What can go wrong, named by what the operator should do.

    AccordError
    ├── Retry             may pass by itself: a lock, a time-out, a 503, a used-up limit
    │   ├── Unavailable   the system did not take the call at all: nothing was sent
    │   │   └── LimitReached  its requests are used up: calling again at once only adds to it
    │   └── InDoubt       the call went out and no answer came back: read back before anything is sent again
    ├── Hold              waits for a person, a parent record or a system
    │   └── SystemShut    a system takes no calls from this run for now: it was not touched
    ├── Reject            this record can't pass as it is; the others go on
    └── Stop              nothing can pass until somebody mends the set-up
        ├── BadCredentials
        ├── SchemaDrift   a field the mapping needs is missing or not permitted
        ├── GateStopped   a quality gate refused the whole batch
        └── Unproven      the completeness equation of a run does not balance

Every message names the cure and carries no personal data.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum


class Recovery(StrEnum):
    """What happened to one record that was sent, or what it needs next."""

    APPLIED = "applied"
    RETRY = "retry"
    REJECT = "reject"
    HOLD = "hold"
    UNKNOWN = "unknown"  # sent, no answer: in doubt


class AccordError(Exception):
    """Base of every error Accord raises on purpose."""

    def __init__(self, message: str, *, cure: str = "") -> None:
        super().__init__(f"{message} {cure}".strip())
        self.cure = cure


class Retry(AccordError):
    """May pass when tried again later."""


class Unavailable(Retry):
    """The system could not be reached or refused the call before taking it: nothing was sent."""


class LimitReached(Unavailable):
    """The system's requests are used up, those of the day or those at once: trying again at once only adds to it."""


class InDoubt(Retry):
    """A call was sent and its answer is unknown."""


class Hold(AccordError):
    """Waits for a person, a parent or a system."""


class Shut(StrEnum):
    """Why a system takes no calls from a run."""

    OUTAGE = "outage"  # it failed too often: its breaker is open
    RECOVERING = "recovering"  # it is back, and is let in a few at a time
    MAINTENANCE = "maintenance"  # a declared window
    HELD = "held"  # somebody said so
    QUOTA = "quota"  # what is left of its requests is kept for flows that come first


class SystemShut(Hold):
    """The system `system` takes no calls from this run before `until`, as far as anybody knows; it was not touched.

    `until` and `now` are the hub's clock; `wait` is what lies between, for those who have another one.
    """

    def __init__(self, message: str, *, system: str, why: Shut, until: datetime, now: datetime, cure: str = "") -> None:
        super().__init__(message, cure=cure)
        self.system, self.why, self.until = system, why, until
        self.wait = max(timedelta(), until - now)

    @property
    def soon(self) -> bool:
        """Whether it is a matter of seconds: worth waiting for, rather than queueing what was to be sent."""
        return self.why is Shut.RECOVERING


class Reject(AccordError):
    """One record can't pass as it is."""


class Stop(AccordError):
    """Nothing can pass until the set-up is mended; trying again is useless."""


class BadCredentials(Stop):
    """The system refused the login."""


class SchemaDrift(Stop):
    """A field or object the mapping needs is missing, retyped or not permitted."""


class GateStopped(Stop):
    """A quality gate refused the whole batch. `report` is the page that says why, below the reports folder."""

    def __init__(self, message: str, *, cure: str = "", report: str = "") -> None:
        super().__init__(message, cure=cure)
        self.report = report


class Unproven(Stop):
    """The completeness equation of a run does not balance."""
