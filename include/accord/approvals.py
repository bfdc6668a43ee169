"""What a rule wants a person to approve: the record waits, alone; a decision holds for the version it was made about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from accord.errors import Stop
from accord.flows import flow
from accord.hub.connection import Hub
from accord.pipeline.flow_run import run_flow
from accord.pipeline.runs import Params
from accord.runtime import Accord


def pending(hub: Hub, key: str | None = None) -> list[dict[str, Any]]:
    """What waits for an approval, the gravest first: object, key, rule, version, message, queue, money at risk, since when."""
    with hub.session() as session:
        return session.execute(
            """SELECT flow, object, key, rule, version, message, queue, currency, at_risk, opened FROM exception
               WHERE kind = 'approval' AND state = 'open' AND (%(key)s::text IS NULL OR key = %(key)s)
               ORDER BY severity DESC, id""",
            {"key": key},
        ).fetchall()


def decide(accord: Accord, key: str, *, approved: bool, who: str, why: str, version: datetime | None = None) -> int:
    """Approve or refuse everything that waits for it about the record `key`, then ask its flow for it; how many matters.

    With `version`, only what was asked about that version: one who answers late does not answer for what came after.
    Raises Stop when nothing of it waits.
    """
    matters = [row for row in pending(accord.hub, key) if version is None or row["version"] == version]
    if not matters:
        raise Stop(f"Nothing about {key} waits for an approval.", cure="`accord approvals` lists what does.")
    _store(accord.hub, matters, approved=approved, who=who, why=why)
    for name in dict.fromkeys(row["flow"] for row in matters):
        run_flow(accord, flow(name), params=Params(keys=(key,)))
    return len(matters)


def _store(hub: Hub, matters: Sequence[Mapping[str, Any]], *, approved: bool, who: str, why: str) -> None:
    with hub.session() as session, session.cursor() as cursor:
        cursor.executemany(
            """INSERT INTO approval (object, key, rule, version, approved, who, why) VALUES (%s, %s, %s, %s, %s, %s, %s)
               ON CONFLICT (object, key, rule, version) DO UPDATE
               SET approved = excluded.approved, who = excluded.who, why = excluded.why, at = now()""",
            [(row["object"], row["key"], row["rule"], row["version"], approved, who, why) for row in matters],
        )
