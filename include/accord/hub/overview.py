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
            """SELECT f.name, f.watermark, r.id AS run, coalesce(r.started_in, r.engine_run) AS engine_run, r.state, r.kind,
                 r.started, r.ended, r.error,
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
    """Run → the engine's name of it, or of the one it was started in."""
    with hub.session() as session:
        rows = session.execute(
            "SELECT id, coalesce(started_in, engine_run) AS name FROM run WHERE id = ANY(%s)", (list(runs),)
        ).fetchall()
    return {row["id"]: row["name"] for row in rows}


def started_in(hub: Hub, engine_run: str) -> list[dict[str, Any]]:
    """The runs of flows that were started in the engine's run of another DAG (a replay, a reconciliation, a process), the first first."""
    with hub.session() as session:
        return session.execute(
            """SELECT id, flow, engine_run, kind, dry, state, error, started, ended,
                 coalesce((counts ->> 'extracted')::bigint, 0) AS extracted FROM run WHERE started_in = %s ORDER BY id""",
            (engine_run,),
        ).fetchall()


def replayed_in(hub: Hub, engine_run: str, *, most: int) -> list[dict[str, Any]]:
    """Exceptions that were replayed in the engine's run `engine_run`, open or settled since; at most so many."""
    with hub.session() as session:
        return session.execute(
            """SELECT e.id, e.flow, e.object, e.key, e.target, e.category, e.state, e.resolution
               FROM audit a JOIN exception e ON e.id = split_part(a.subject, ':', 2)::bigint
               WHERE a.what = 'exception replayed' AND a.detail ->> 'run' = %s ORDER BY e.id LIMIT %s""",
            (engine_run, most),
        ).fetchall()


def runs_of(hub: Hub, flow: str, *, before: int | None = None, size: int = 25) -> list[dict[str, Any]]:
    """The last `size` runs of `flow`, the newest first; those `before` a run where one is given."""
    with hub.session() as session:
        return session.execute(
            """SELECT id, engine_run, started_in, kind, dry, state, error, started, ended, win_from, win_to,
                 coalesce((counts ->> 'extracted')::bigint, 0) AS extracted, jsonb_array_length(natives) AS asked
               FROM run WHERE flow = %(flow)s AND (%(before)s::bigint IS NULL OR id < %(before)s)
               ORDER BY id DESC LIMIT %(size)s""",
            {"flow": flow, "before": before, "size": size},
        ).fetchall()


def run_of(hub: Hub, flow: str, engine_run: str) -> dict[str, Any] | None:
    """The run of `flow` that the engine calls `engine_run`, <dag id>/<run id>, or that was named <run id> as no engine knows it; with its
    gates' verdicts. None when the hub has none."""
    with hub.session() as session:
        row = session.execute(
            """SELECT id, engine_run, started_in, flow, kind, dry, state, error, started, ended, win_from, win_to, undoes, left_out
               FROM run WHERE flow = %s AND engine_run = ANY(%s)""",
            (flow, [engine_run, engine_run.partition("/")[2]]),
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
