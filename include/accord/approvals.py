"""What a person is asked to approve: a record a rule holds, alone, or the correction of a difference between two systems.

A decision holds for the version it was made about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from accord.errors import Stop
from accord.flows import flow
from accord.hub.connection import Hub
from accord.pipeline.flow_run import run_flow
from accord.pipeline.reconcile import Apply, reconcile
from accord.pipeline.runs import Params
from accord.runtime import Accord


def pending(hub: Hub, *keys: str) -> list[dict[str, Any]]:
    """What waits for an approval, about the records `keys` where any are given, the gravest first: kind (approval or difference), flow,
    object, target, key, rule, version, message, queue, money at risk, since when."""
    with hub.session() as session:
        return session.execute(
            """SELECT kind, flow, object, target, key, rule, version, message, queue, currency, at_risk, opened FROM exception
               WHERE kind IN ('approval', 'difference') AND state = 'open' AND (%(keys)s::text[] IS NULL OR key = ANY(%(keys)s))
               ORDER BY severity DESC, id""",
            {"keys": list(keys) or None},
        ).fetchall()


def decide(accord: Accord, key: str, *, approved: bool, who: str, why: str, version: datetime | None = None) -> int:
    """Approve or refuse everything that waits for it about the record `key`, then go on with it; how many matters.

    A record a rule held is asked of its flow; a difference is corrected when it was approved and left as it is when not.

    With `version`, only what was asked about that version: one who answers late does not answer for what came after.
    Raises Stop when nothing of it waits.
    """
    matters = [row for row in pending(accord.hub, key) if version is None or row["version"] == version]
    if not matters:
        raise Stop(f"Nothing about {key} waits for an approval.", cure="`accord approvals` lists what does.")
    keep_decision(accord.hub, matters, approved=approved, who=who, why=why)
    for name in dict.fromkeys(row["flow"] for row in matters if row["kind"] == "approval"):
        run_flow(accord, flow(name), params=Params(keys=(key,)))
    for name, target in dict.fromkeys((row["flow"], row["target"]) for row in matters if row["kind"] == "difference"):
        reconcile(accord, flow(name), target=target, keys=(key,), apply=Apply.ALL if approved else Apply.AUTO, who=who)
    return len(matters)


def keep_decision(hub: Hub, matters: Sequence[Mapping[str, Any]], *, approved: bool, who: str, why: str) -> None:
    """Keep what was decided about `matters` (see `pending`); what becomes of them is their flow's next run or reconciliation."""
    with hub.session() as session, session.cursor() as cursor:
        cursor.executemany(
            """INSERT INTO approval (object, key, rule, version, approved, who, why) VALUES (%s, %s, %s, %s, %s, %s, %s)
               ON CONFLICT (object, key, rule, version) DO UPDATE
               SET approved = excluded.approved, who = excluded.who, why = excluded.why, at = now()""",
            [(row["object"], row["key"], row["rule"], row["version"], approved, who, why) for row in matters],
        )
