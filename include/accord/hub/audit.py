"""Who did what by hand, and when: append-only, and never with the data itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg.types.json import Jsonb

from accord.hub.connection import Session


def note(session: Session, *, who: str, what: str, subject: str, detail: Mapping[str, Any] | None = None) -> None:
    """Remember that `who` did `what` to `subject` (a canonical id, a run). `detail` holds counts and names, no values."""
    session.execute(
        "INSERT INTO audit (who, what, subject, detail) VALUES (%s, %s, %s, %s)",
        (who, what, subject, Jsonb(dict(detail or {}))),
    )
