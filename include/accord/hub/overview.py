"""Where every flow stands, read from stored rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accord.hub.connection import Hub


def flow_names(hub: Hub) -> list[str]:
    """Every flow that ever ran."""
    with hub.session() as session:
        return [row["name"] for row in session.execute("SELECT name FROM flow ORDER BY name")]


def overview(hub: Hub, flow: str | None = None) -> dict[str, Any]:
    """Where things stand, instants in UTC: everywhere, or of one flow.

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
               WHERE %(flow)s::text IS NULL OR f.name = %(flow)s ORDER BY f.name""",
            {"flow": flow},
        ).fetchall()
        exceptions = session.execute(
            """SELECT flow, kind, category, queue, max(severity) AS severity, count(*) AS open, min(opened) AS oldest
               FROM exception WHERE state <> 'closed' AND (%(flow)s::text IS NULL OR flow = %(flow)s)
               GROUP BY flow, kind, category, queue ORDER BY max(severity) DESC, count(*) DESC""",
            {"flow": flow},
        ).fetchall()
        doubt = session.execute(
            "SELECT count(*) AS n FROM dispatch WHERE closed IS NULL AND send_before < now()"
        ).fetchone()
    return {
        "flows": {row["name"]: {k: v for k, v in row.items() if k != "name"} for row in flows},
        "exceptions": exceptions,
        "in_doubt": int(doubt["n"]) if doubt else 0,
    }


def engine_runs(hub: Hub, runs: Sequence[int]) -> dict[int, str]:
    """Run → the engine's name of it."""
    with hub.session() as session:
        rows = session.execute("SELECT id, engine_run FROM run WHERE id = ANY(%s)", (list(runs),)).fetchall()
    return {row["id"]: row["engine_run"] for row in rows}


def runs_of(hub: Hub, flow: str, *, before: int | None = None, size: int = 25) -> list[dict[str, Any]]:
    """The last `size` runs of `flow`, the newest first; those `before` a run where one is given."""
    with hub.session() as session:
        return session.execute(
            """SELECT id, engine_run, kind, dry, state, error, started, ended, win_from, win_to,
                 coalesce((counts ->> 'extracted')::bigint, 0) AS extracted, jsonb_array_length(natives) AS asked
               FROM run WHERE flow = %(flow)s AND (%(before)s::bigint IS NULL OR id < %(before)s)
               ORDER BY id DESC LIMIT %(size)s""",
            {"flow": flow, "before": before, "size": size},
        ).fetchall()


def run_of(hub: Hub, flow: str, engine_run: str) -> dict[str, Any] | None:
    """The run of `flow` that the engine calls `engine_run`, with its gates' verdicts; None when the hub has none."""
    with hub.session() as session:
        row = session.execute(
            """SELECT id, engine_run, flow, kind, dry, state, error, started, ended, win_from, win_to, undoes, left_out
               FROM run WHERE flow = %s AND engine_run = %s""",
            (flow, engine_run),
        ).fetchone()
        if row is None:
            return None
        gates = session.execute(
            """SELECT gate, verdict, quarantined, report, at FROM gate_verdict WHERE run = %s ORDER BY at""",
            (row["id"],),
        ).fetchall()
    return row | {"gates": gates}


def raised_by(hub: Hub, run: int) -> list[dict[str, Any]]:
    """What a run was the last to raise, open or settled since, by category and target."""
    with hub.session() as session:
        return session.execute(
            """SELECT category, target, queue, max(severity) AS severity, count(*) AS raised,
                 count(*) FILTER (WHERE state <> 'closed') AS open
               FROM exception WHERE run = %s GROUP BY category, target, queue ORDER BY max(severity) DESC, count(*) DESC""",
            (run,),
        ).fetchall()
