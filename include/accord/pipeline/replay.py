"""Replay: exceptions are tried again, by one run of their flow each, with what the source says now and what was edited.

Records are read again, pass the gates again and are claimed like any other, so a replay is as safe as a run: whoever else replays, or
runs the flow, at the same time. While it lasts, what it replays is `replaying`; when it dies, that is open again (see Hub.alive).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accord.categories import ABOUT_NO_RECORD
from accord.errors import AccordError, Stop
from accord.flows import FLOWS, Flow
from accord.hub.audit import audit
from accord.hub.connection import Hub, only
from accord.hub.queue import Filter, chosen, totals
from accord.pipeline.flow_run import run_flow
from accord.pipeline.runs import Params, RunKind, declared_flow
from accord.runtime import Accord

log = logging.getLogger(__name__)

MOST = 1000  # exceptions of one replay, unless more are allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What became of the exceptions of one flow: how many were taken, how many of them are settled now, how many wait on. `error` is
    why the run failed, `summary` what it counted."""

    flow: str
    taken: int
    settled: int
    waiting: int
    summary: dict[str, Any] | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A replay, or what it would be. `left` says why exceptions that were asked for were not taken: why → how many."""

    totals: list[dict[str, Any]]
    flows: tuple[Replayed, ...] = ()
    left: dict[str, int]


def replay(
    accord: Accord, wanted: Filter, *, who: str, why: str = "", dry_run: bool = False, most: int = MOST
) -> Replay:
    """Replay the open exceptions `wanted`, flow by flow: what is referred to before what refers to it.

    A dry run goes through the gates and the comparison and changes nothing. A flow whose run fails keeps no other from its own.
    Raises Stop when more than `most` are meant, or nothing was asked of them.
    """
    with accord.hub.session() as session:
        rows = chosen(session, wanted, most=most)
        sums = totals(session, wanted)
    left: dict[str, int] = {}
    by_flow: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["category"] in ABOUT_NO_RECORD:
            why_left = "no single record: its flow's next run settles it"
        elif row["kind"] == "difference":
            why_left = "a difference between systems: approve or refuse its correction"
        else:
            why_left = ""
        if why_left:
            left[why_left] = left.get(why_left, 0) + 1
        else:
            by_flow.setdefault(row["flow"], []).append(row)
    order = list(FLOWS)
    names = sorted(by_flow, key=lambda name: (order.index(name) if name in order else len(order), name))
    flows = [declared_flow(accord.hub, name) for name in names]
    if dry_run:
        done = [_dry(accord, flow, by_flow[flow.name]) for flow in flows]
    else:
        done = [_one_flow(accord, flow, by_flow[flow.name], who=who, why=why, left=left) for flow in flows]
    return Replay(totals=sums, flows=tuple(done), left=left)


def _dry(accord: Accord, flow: Flow, rows: Sequence[dict[str, Any]]) -> Replayed:
    keys = _keys(rows)
    summary, error = _run(accord, flow, keys, dry_run=True)
    return Replayed(flow=flow.name, taken=len(rows), settled=0, waiting=len(rows), summary=summary, error=error)


def _one_flow(
    accord: Accord, flow: Flow, rows: Sequence[dict[str, Any]], *, who: str, why: str, left: dict[str, int]
) -> Replayed:
    number = _number(accord.hub)
    with accord.hub.alive(number):
        taken = _take(accord, number, rows, who=who, why=why, left=left)
        if not taken:
            return Replayed(flow=flow.name, taken=0, settled=0, waiting=0)
        try:
            summary, error = _run(accord, flow, _keys(taken), dry_run=False)
        finally:
            waiting = _give_back(accord.hub, number, [int(row["id"]) for row in taken])
    log.info("replay %d of %s: %d taken, %d wait on", number, flow.name, len(taken), waiting)
    return Replayed(
        flow=flow.name, taken=len(taken), settled=len(taken) - waiting, waiting=waiting, summary=summary, error=error
    )


def _run(
    accord: Accord, flow: Flow, keys: tuple[str, ...], *, dry_run: bool
) -> tuple[dict[str, Any] | None, str | None]:
    try:
        return run_flow(accord, flow, kind=RunKind.REPLAY, params=Params(keys=keys, dry_run=dry_run)), None
    except AccordError as error:
        return None, str(error)


def _keys(rows: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row["key"] for row in rows))


def _number(hub: Hub) -> int:
    with hub.session() as session:
        return int(only(session.execute("SELECT nextval('replay_number') AS n"))["n"])


def _take(
    accord: Accord, number: int, rows: Sequence[dict[str, Any]], *, who: str, why: str, left: dict[str, int]
) -> list[dict[str, Any]]:
    """Those of `rows` nobody else replays, and whose time has come: now this replay's."""
    with accord.hub.session() as session:
        found = session.execute(
            """UPDATE exception SET state = 'replaying', replay = %(number)s
               WHERE id IN (SELECT id FROM exception WHERE id = ANY(%(ids)s) AND state = 'open'
                              AND (not_before IS NULL OR not_before <= now()) ORDER BY id FOR UPDATE)
               RETURNING id, object, key""",
            {"number": number, "ids": [row["id"] for row in rows]},
        ).fetchall()
        audit(
            session,
            who,
            "exception replayed",
            [f"exception:{row['id']}" for row in found],
            {"replay": number, "why": why, "run": accord.engine_run},
        )
        mine = {row["id"] for row in found}
        others = session.execute(
            """SELECT CASE state WHEN 'replaying' THEN 'somebody is replaying it' WHEN 'closed' THEN 'settled meanwhile'
                        ELSE 'not before its time' END AS why, count(*) AS n
               FROM exception WHERE id = ANY(%s) GROUP BY 1""",
            ([row["id"] for row in rows if row["id"] not in mine],),
        ).fetchall()
    for row in others:
        left[row["why"]] = left.get(row["why"], 0) + int(row["n"])
    return sorted(found, key=lambda row: int(row["id"]))


def _give_back(hub: Hub, number: int, ids: Sequence[int]) -> int:
    """Open what is still being replayed by `number`; how many of `ids` are not settled."""
    with hub.session() as session:
        session.execute("UPDATE exception SET state = 'open' WHERE state = 'replaying' AND replay = %s", (number,))
        waiting = session.execute(
            "SELECT count(*) AS n FROM exception WHERE id = ANY(%s) AND state <> 'closed'", (list(ids),)
        )
        return int(only(waiting)["n"])


def raise_if_failed(done: Replay) -> None:
    """Raise Stop naming the flows whose run failed, if any did."""
    if failed := [f"{one.flow}: {one.error}" for one in done.flows if one.error]:
        raise Stop(f"{len(failed)} flow(s) failed: {'; '.join(failed)}", cure="What was not settled is open again.")
