"""Where every flow stands, read from stored rows."""

from __future__ import annotations

from typing import Any

from accord.hub.connection import Hub


def overview(hub: Hub) -> dict[str, Any]:
    """Where things stand, instants in UTC.

    Per flow the last run, the watermark and how many records are left out or incomplete until a link is known; open
    exceptions by category; dispatches in doubt.
    """
    with hub.session() as session:
        flows = session.execute(
            """SELECT f.name, f.watermark, r.id AS run, r.engine_run, r.state, r.kind, r.started, r.ended, r.error,
                 coalesce((r.counts ->> 'extracted')::bigint, 0) AS extracted,
                 (SELECT count(DISTINCT key) FROM unlinked u WHERE u.flow = f.name) AS unlinked
               FROM flow f LEFT JOIN LATERAL (
                 SELECT * FROM run WHERE run.flow = f.name AND run.kind <> 'reconcile' ORDER BY id DESC LIMIT 1) r ON true
               ORDER BY f.name"""
        ).fetchall()
        exceptions = session.execute(
            """SELECT flow, kind, category, queue, max(severity) AS severity, count(*) AS open, min(opened) AS oldest
               FROM exception WHERE state <> 'closed' GROUP BY flow, kind, category, queue ORDER BY max(severity) DESC, count(*) DESC"""
        ).fetchall()
        doubt = session.execute(
            "SELECT count(*) AS n FROM dispatch WHERE closed IS NULL AND send_before < now()"
        ).fetchone()
    return {
        "flows": {row["name"]: {k: v for k, v in row.items() if k != "name"} for row in flows},
        "exceptions": exceptions,
        "in_doubt": int(doubt["n"]) if doubt else 0,
    }
