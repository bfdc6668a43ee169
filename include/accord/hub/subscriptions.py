"""How far each subscriber has come: cursors, who publishes to whom, and the end of what is certain to be in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from accord.hub.connection import Hub, Session, only

# the lock of migration 0006: held shared by whoever writes events
_EVENT_LOCK = 308161
# a transaction that writes events and lasts longer is not waited for: while it is, no other may write
_PATIENCE = "3s"
# a publisher that says nothing for this long may be taken for dead; longer than any request
LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The right to publish to one subscriber, and where to go on."""

    name: str
    position: int
    sequence: int
    fence: int
    failures: int


def certain(hub: Hub) -> int | None:
    """The position up to which nothing can appear any more that is not there yet; None while a long write is going on."""
    try:
        with hub.session() as session:
            session.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}'")  # our own constant
            session.execute("SELECT pg_advisory_xact_lock(%s)", (_EVENT_LOCK,))
            return last_position(session)
    except psycopg.errors.LockNotAvailable:
        return None


def last_position(session: Session) -> int:
    """The last position that was given."""
    row = only(session.execute("SELECT last_value, is_called FROM event_position"))
    return int(row["last_value"]) if row["is_called"] else 0


def take_turn(hub: Hub, name: str, certain_until: int) -> Turn | None:
    """The turn to publish to `name`, which begins at the end when it is new; None when another has it, or it is not time yet."""
    with hub.session() as session:
        session.execute(
            "INSERT INTO subscription (name, position) VALUES (%s, %s) ON CONFLICT DO NOTHING", (name, certain_until)
        )
        row = session.execute(
            """UPDATE subscription SET fence = fence + 1, leased = now() + %(lease)s
               WHERE name = %(name)s AND gone IS NULL AND (leased IS NULL OR leased <= now())
                 AND (not_before IS NULL OR not_before <= now())
               RETURNING name, position, sequence, fence, failures""",
            {"name": name, "lease": LEASE},
        ).fetchone()
    return Turn(**row) if row else None


def confirm(session: Session, turn: Turn, *, position: int, events: int) -> bool:
    """It has everything up to `position`, `events` of them just now; False when the turn is somebody else's meanwhile."""
    moved = session.execute(
        """UPDATE subscription SET position = %(position)s, sequence = sequence + %(events)s, leased = now() + %(lease)s,
             confirmed = CASE WHEN %(events)s > 0 THEN now() ELSE confirmed END,
             failures = 0, failing_since = NULL, problem = NULL, not_before = NULL
           WHERE name = %(name)s AND fence = %(fence)s""",
        {"name": turn.name, "fence": turn.fence, "position": position, "events": events, "lease": LEASE},
    ).rowcount
    return bool(moved)


def release(session: Session, turn: Turn) -> None:
    """End the turn."""
    session.execute("UPDATE subscription SET leased = NULL WHERE name = %s AND fence = %s", (turn.name, turn.fence))


def failed(session: Session, turn: Turn, problem: str, *, wait: timedelta, gone: bool) -> None:
    """It did not take the next events; they wait at least so long. `gone`: until somebody resumes it."""
    session.execute(
        """UPDATE subscription SET failures = failures + 1, failing_since = coalesce(failing_since, now()), problem = %(problem)s,
             not_before = now() + %(wait)s, leased = NULL, gone = CASE WHEN %(gone)s THEN now() END
           WHERE name = %(name)s AND fence = %(fence)s""",
        {"name": turn.name, "fence": turn.fence, "problem": problem, "wait": wait, "gone": gone},
    )


def restart(session: Session, name: str, *, position: int | None = None) -> bool:
    """Let `name` be sent to at once, whatever went wrong; with `position`, everything after it again. False when it is unknown.

    Whoever is publishing to it loses the turn. What went wrong stays known until it takes something.
    """
    return bool(
        session.execute(
            """UPDATE subscription SET position = coalesce(%s, position), fence = fence + 1, leased = NULL, gone = NULL,
                 not_before = NULL
               WHERE name = %s""",
            (position, name),
        ).rowcount
    )


def subscriptions(session: Session) -> dict[str, dict[str, Any]]:
    """Every subscription by name."""
    rows = session.execute(
        """SELECT name, position, sequence, confirmed, failures, failing_since, problem, not_before, gone
           FROM subscription ORDER BY name"""
    ).fetchall()
    return {row["name"]: row for row in rows}


def position_at(session: Session, instant: datetime) -> int:
    """The position before the first event of `instant` or later; the last one when there is none since."""
    row = only(
        session.execute(
            """SELECT least((SELECT min(position) FROM delivery WHERE at >= %(at)s),
                            (SELECT min(position) FROM process_event WHERE at >= %(at)s)) - 1 AS position""",
            {"at": instant},
        )
    )
    return last_position(session) if row["position"] is None else int(row["position"])
