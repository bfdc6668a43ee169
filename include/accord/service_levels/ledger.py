"""The alert ledger: a promise that is not kept is one alert, from the first sight until it is kept again.

    (kept) ──opened──▶ open ──acknowledged──▶ acknowledged ──recovered──▶ (kept)
                       │ ▲ └────────────────recovered───────────────────▶
                       └─┘ escalated, while nobody acknowledges

Each arrow is told once, by a notice per channel that is written in the same transaction: what is in the ledger is told, whoever dies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from accord.errors import Stop
from accord.hub.audit import audit
from accord.hub.connection import Hub, Session
from accord.service_levels.breach import Breach
from accord.service_levels.channels import Channel
from accord.service_levels.evaluation import Evaluation

_OPEN = """
WITH given AS (SELECT b ->> 'key' AS key, b FROM jsonb_array_elements(%(breached)s) AS b)
INSERT INTO alert AS a (key, body, severity, owner, escalate_at)
SELECT key, b, b ->> 'severity', b ->> 'owner', now() + make_interval(secs => (b ->> 'escalate_s')::float)
FROM given WHERE NOT (b ->> 'covered')::boolean ORDER BY key
ON CONFLICT (key) WHERE state <> 'recovered' DO UPDATE SET seen = now(), body = excluded.body
RETURNING id, body, severity, owner, step, (xmax = 0) AS new
"""

# a covered one that was open before stays so until it is kept
_SEEN = """
UPDATE alert a SET seen = now(), body = b FROM jsonb_array_elements(%(breached)s) AS b
WHERE a.key = b ->> 'key' AND a.state <> 'recovered' AND (b ->> 'covered')::boolean
"""

_RECOVER = """
UPDATE alert SET state = 'recovered', recovered = now() WHERE key = ANY(%s) AND state <> 'recovered' RETURNING id
"""

# whom nobody has told of it in their quiet hours needs no recovery either
_DROP_QUIET = """
UPDATE notice SET dropped = now(), problem = 'recovered in the quiet hours'
WHERE alert = ANY(%s) AND quiet AND delivered IS NULL AND dropped IS NULL
"""

# to everybody who was told of it, or will be
_TELL_THE_SAME = """
INSERT INTO notice (alert, event, channel, body)
SELECT DISTINCT a.id, %(event)s, n.channel, a.body FROM alert a JOIN notice n ON n.alert = a.id AND n.dropped IS NULL
WHERE a.id = ANY(%(ids)s) ORDER BY a.id, n.channel
"""

_ESCALATE = """
UPDATE alert SET step = step + 1, escalate_at = now() + make_interval(secs => (body ->> 'escalate_s')::float)
WHERE state = 'open' AND escalate_at <= now() AND step < %(most)s AND key <> ALL(%(excused)s)
RETURNING id, body, severity, owner, step
"""

_SHOWN = """a.id, a.key, a.state, a.severity, a.owner, a.step, a.opened, a.seen, a.recovered, a.acknowledged, a.who, a.why, a.body,
  (SELECT count(*) FROM notice n WHERE n.alert = a.id AND n.delivered IS NULL AND n.dropped IS NULL) AS undelivered"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """How many alerts changed."""

    opened: int = 0
    escalated: int = 0
    recovered: int = 0


def record(session: Session, found: Evaluation, channels: Sequence[Channel]) -> Recorded:
    """Keep what was found: open, escalate and recover alerts, and write down who is to be told. `channels` are those there are."""
    breached = Jsonb([one.as_dict() for one in found.breached])
    rows = session.execute(_OPEN, {"breached": breached}).fetchall()
    opened = [row for row in rows if row["new"]]
    session.execute(_SEEN, {"breached": breached})
    _tell(session, "opened", opened, channels)
    recovered = [row["id"] for row in session.execute(_RECOVER, (found.met,)).fetchall()]
    session.execute(_DROP_QUIET, (recovered,))
    session.execute(_TELL_THE_SAME, {"event": "recovered", "ids": recovered})
    most = max((channel.escalation for channel in channels), default=0) or 1  # one reminder at least
    escalated = session.execute(_ESCALATE, {"most": most, "excused": found.excused}).fetchall()
    _tell(session, "escalated", escalated, channels)
    return Recorded(opened=len(opened), escalated=len(escalated), recovered=len(recovered))


def adopt(session: Session, one: Breach, *, opened: datetime, told: Sequence[str], channels: Sequence[Channel]) -> None:
    """Take in an alert that went out directly, `opened` then: who was `told` is not told again, the others of `channels` are."""
    row = session.execute(
        """INSERT INTO alert (key, body, severity, owner, opened, escalate_at)
           VALUES (%s, %s, %s, %s, %s, now() + make_interval(secs => %s))
           ON CONFLICT (key) WHERE state <> 'recovered' DO NOTHING RETURNING id, body, severity, owner, step""",
        (one.key, Jsonb(one.as_dict()), one.severity, one.owner, opened, one.escalate_s),
    ).fetchone()
    if row is None:
        return
    session.execute(
        """INSERT INTO notice (alert, event, channel, body, at, delivered, tries)
           SELECT %s, 'opened', c, %s, %s, now(), 1 FROM unnest(%s::text[]) AS c""",
        (row["id"], Jsonb(one.as_dict()), opened, list(told)),
    )
    _tell(session, "opened", [row], [channel for channel in channels if channel.name not in told])


def _tell(session: Session, event: str, alerts: Sequence[dict[str, Any]], channels: Sequence[Channel]) -> None:
    notices = [
        (one["id"], event, channel.name, Jsonb(one["body"]))
        for one in alerts
        for channel in channels
        if channel.wants(owner=one["owner"], severity=one["severity"], step=one["step"])
    ]
    with session.cursor() as cursor:
        cursor.executemany("INSERT INTO notice (alert, event, channel, body) VALUES (%s, %s, %s, %s)", notices)


def acknowledge(hub: Hub, number: int, *, who: str, why: str = "") -> dict[str, Any]:
    """Somebody sees to the alert `number`: it is escalated no more, and who was told of it is told so. Raises Stop when there is none,
    or it is over."""
    with hub.session() as session:
        row = session.execute(
            """UPDATE alert SET state = 'acknowledged', acknowledged = now(), who = %s, why = %s
               WHERE id = %s AND state = 'open' RETURNING key""",
            (who, why, number),
        ).fetchone()
        if row is None:
            found = session.execute("SELECT state FROM alert WHERE id = %s", (number,)).fetchone()
            state = f"is {found['state']} already" if found else "does not exist"
            raise Stop(f"Alert {number} {state}.", cure="`accord alerts list` shows those that are open.")
        session.execute(_TELL_THE_SAME, {"event": "acknowledged", "ids": [number]})
        audit(session, who, "acknowledge", [f"alert:{number}"], {"key": row["key"], "why": why})
    return show(hub, number)


def close(hub: Hub, number: int, *, who: str, why: str) -> dict[str, Any]:
    """Somebody says that the alert `number` is over: nothing measures any more what it was about. Who was told of it is told so. Raises
    Stop when there is none, or it is over already."""
    with hub.session() as session:
        row = session.execute(
            """UPDATE alert SET state = 'recovered', recovered = now(), who = %s, why = %s
               WHERE id = %s AND state <> 'recovered' RETURNING key""",
            (who, why, number),
        ).fetchone()
        if row is None:
            raise Stop(f"Alert {number} is not open.", cure="`accord alerts list` shows those that are.")
        session.execute(_DROP_QUIET, ([number],))
        session.execute(_TELL_THE_SAME, {"event": "recovered", "ids": [number]})
        audit(session, who, "close", [f"alert:{number}"], {"key": row["key"], "why": why})
    return show(hub, number)


def alerts(hub: Hub, *, recovered: bool = False, most: int = 200) -> list[dict[str, Any]]:
    """The open alerts, the gravest first, or the last that recovered."""
    order = (
        "a.recovered DESC"
        if recovered
        else "array_position(ARRAY['critical', 'error', 'warning'], a.severity), a.opened"
    )
    state = "= 'recovered'" if recovered else "<> 'recovered'"
    with hub.session() as session:
        # both chosen from our own words
        query = f"SELECT {_SHOWN} FROM alert a WHERE a.state {state} ORDER BY {order} LIMIT %s"  # noqa: S608
        return session.execute(query.encode(), (most,)).fetchall()


def show(hub: Hub, number: int) -> dict[str, Any]:
    """The alert `number` and its notices, delivered or not. Raises Stop when there is none."""
    with hub.session() as session:
        row = session.execute(f"SELECT {_SHOWN} FROM alert a WHERE a.id = %s".encode(), (number,)).fetchone()  # noqa: S608
        if row is None:
            raise Stop(f"There is no alert {number}.", cure="`accord alerts list` shows those that are open.")
        notices = session.execute(
            """SELECT event, channel, at, not_before, quiet, tries, problem, delivered, dropped FROM notice
               WHERE alert = %s ORDER BY id""",
            (number,),
        ).fetchall()
    return row | {"notices": notices}
