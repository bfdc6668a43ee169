"""The audit: who did what to which subject, append-only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from accord.hub.connection import Session

_SUBJECTS = """
SELECT k AS key, k AS subject FROM unnest(%(keys)s::text[]) k
UNION SELECT k, o.object || ' ' || k FROM unnest(%(keys)s::text[]) k
  CROSS JOIN (SELECT object FROM stream UNION SELECT object FROM exception WHERE key = ANY(%(keys)s)) o
UNION SELECT key, 'exception:' || id FROM exception WHERE key = ANY(%(keys)s)
"""


def audit(session: Session, who: str, what: str, subjects: Sequence[str], detail: Mapping[str, Any]) -> None:
    """Keep that `who` did `what` to each of `subjects` (`exception:12`, `run 71`, a canonical id, or
    an object and one), in the transaction of the
    deed itself. `detail` holds no personal or financial value: mask first (accord.masking)."""
    session.execute(
        "INSERT INTO audit (who, what, subject, detail) SELECT %s, %s, s, %s FROM unnest(%s::text[]) AS s",
        (who, what, Jsonb(dict(detail)), list(subjects)),
    )


def audited(session: Session, subjects: Sequence[str]) -> list[dict[str, Any]]:
    """What was done to any of `subjects`, the oldest first: at, who, what, subject, detail."""
    return session.execute(
        "SELECT at, who, what, subject, detail FROM audit WHERE subject = ANY(%s) ORDER BY at", (list(subjects),)
    ).fetchall()


def subjects_of(session: Session, keys: Sequence[str]) -> dict[str, str]:
    """Subject → canonical id, of every subject under which deeds about the records `keys` are kept."""
    return {row["subject"]: row["key"] for row in session.execute(_SUBJECTS, {"keys": list(keys)}).fetchall()}
