"""Delivery: what the ledger says is to be told is told, at least once, in order per alert and channel, again and again until it is."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from accord.errors import AccordError
from accord.hub.connection import Session
from accord.runtime import Accord
from accord.service_levels.channels import Channel, Send, channel, connection_id
from accord.service_levels.message import Event, message

log = logging.getLogger(__name__)

SECONDS = 60.0  # of one round
PATIENCE = 3  # tries in vain until a round says so aloud
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=30)

# the row stays locked until its fate is known: two rounds at once tell nothing twice
_NEXT = """
SELECT n.id, n.alert, n.event, n.channel, n.body, n.tries, n.at, a.severity, a.opened, a.step,
  CASE n.event WHEN 'recovered' THEN a.recovered WHEN 'acknowledged' THEN a.acknowledged ELSE n.at END AS until
FROM notice n JOIN alert a ON a.id = n.alert
WHERE n.delivered IS NULL AND n.dropped IS NULL AND coalesce(n.not_before, '-infinity') <= now() AND n.channel <> ALL(%(not_now)s)
  AND NOT EXISTS (SELECT FROM notice e WHERE e.alert = n.alert AND e.channel = n.channel AND e.id < n.id
                    AND e.delivered IS NULL AND e.dropped IS NULL)
ORDER BY array_position(ARRAY['critical', 'error', 'warning'], a.severity), n.id
LIMIT 1 FOR UPDATE OF n SKIP LOCKED
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What became of a round. `problems`: channel → why it took nothing; `overdue`: notices tried PATIENCE times in vain by now."""

    notices: int
    problems: dict[str, str]
    overdue: int


def channels(accord: Accord) -> dict[str, Channel | AccordError]:
    """The declared channels by name; the error of one that is wrongly declared."""
    found: dict[str, Channel | AccordError] = {}
    for name in accord.alerting.channels:
        try:
            found[name] = channel(name, accord.connection(connection_id(name)))
        except AccordError as error:
            found[name] = error
    return found


def deliver(
    accord: Accord,
    to: Mapping[str, Channel | AccordError],
    send: Send,
    *,
    now: datetime | None = None,
    seconds: float = SECONDS,
) -> Delivered:
    """Tell what is due, for at most about `seconds`. A channel that does not take a notice is left for the next round, with back-off,
    and holds up no other; it raises nothing."""
    now, end = now or datetime.now(UTC), time.monotonic() + seconds
    count, problems = 0, dict[str, str]()
    with accord.hub.statements() as session:
        while time.monotonic() < end:
            with session.transaction():
                row = session.execute(_NEXT, {"not_now": list(problems)}).fetchone()
                if row is None:
                    break
                problem = _one(accord, session, row, to, send, now)
            if problem:
                problems[row["channel"]] = problem
                log.warning("alert %s was not told to %s: %s", row["alert"], row["channel"], problem)
            else:
                count += 1
        overdue = session.execute(
            "SELECT count(*) AS n FROM notice WHERE delivered IS NULL AND dropped IS NULL AND tries >= %s", (PATIENCE,)
        ).fetchone()
    return Delivered(notices=count, problems=problems, overdue=int(overdue["n"]) if overdue else 0)


def _one(
    accord: Accord,
    session: Session,
    row: dict[str, Any],
    to: Mapping[str, Channel | AccordError],
    send: Send,
    now: datetime,
) -> str | None:
    """Tell one notice; why not, when it was not taken."""
    one = to.get(row["channel"])
    if one is None:
        session.execute(
            "UPDATE notice SET dropped = now(), problem = 'the channel is not declared any more' WHERE id = %s",
            (row["id"],),
        )
        return None
    if isinstance(one, AccordError):
        return _later(session, row, str(one))
    if silent := one.silent_until(row["severity"], now):
        session.execute("UPDATE notice SET not_before = %s, quiet = true WHERE id = %s", (silent, row["id"]))
        return None
    told = message(
        Event(row["event"]),
        row["body"],
        accord.alerting,
        id=f"notice-{row['id']}",
        alert=row["alert"],
        opened=row["opened"],
        until=row["until"],
        step=row["step"],
    )
    try:
        send(one, told)
    except AccordError as error:
        return _later(session, row, str(error))
    session.execute(
        "UPDATE notice SET delivered = now(), problem = NULL, quiet = false, tries = tries + 1 WHERE id = %s",
        (row["id"],),
    )
    return None


def _later(session: Session, row: Mapping[str, Any], problem: str) -> str:
    wait = min(_FIRST_WAIT * 2 ** min(row["tries"], 20), _LONGEST_WAIT)
    session.execute(
        "UPDATE notice SET tries = tries + 1, problem = %s, not_before = now() + %s WHERE id = %s",
        (problem, wait, row["id"]),
    )
    return problem
