"""The day's requests of a system that counts them: who may use how much of them. What is left at the end is for orders.

Salesforce tells with every answer how many of the org's requests are used, by whomever (header Sforce-Limit-Info).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from accord.objects.definition import Priority

# the share of the day's requests that may be used before flows of a priority wait
SHARES = {Priority.CRITICAL: 1.0, Priority.STANDARD: 0.90, Priority.BULK: 0.75}
# what was told longer ago is asked again before a flow is made to wait for it
STALE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How many of the requests allowed in 24 hours were used, as the system told at that instant."""

    used: int
    allowed: int
    told: datetime

    @property
    def share(self) -> float:
        """Used of what is allowed."""
        return self.used / self.allowed if self.allowed else 1.0

    def keeps_back(self, priority: Priority) -> bool:
        """Whether flows of this priority have to leave the rest to others."""
        return self.share >= SHARES[priority] and priority is not Priority.CRITICAL
