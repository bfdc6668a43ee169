"""What was sent when a target answered with an exception."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accord.hub.connection import Hub


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request about one record: when, in which dispatch and remote job, and its fields (path → value), masked by their sensitivity."""

    at: datetime
    target: str
    dispatch: int
    remote: str | None
    fields: Mapping[str, Any] = field(default_factory=dict)


def sent(hub: Hub, row: Mapping[str, Any]) -> Sent | None:
    """What was sent about the record of the exception `row` (accord.hub.queue.one); None when nothing was: a gate held it back, or it
    waits."""
    if row["dispatch"] is None or row["request"] is None:
        return None
    with hub.session() as session:
        found = session.execute(
            "SELECT d.opened, d.remote, s.target FROM dispatch d JOIN stream s ON s.id = d.stream WHERE d.id = %s",
            (row["dispatch"],),
        ).fetchone()
    if found is None:
        return None
    return Sent(
        at=found["opened"],
        target=found["target"],
        dispatch=row["dispatch"],
        remote=found["remote"],
        fields=row["request"],
    )
