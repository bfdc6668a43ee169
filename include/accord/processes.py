"""Processes that span several flows: an order's way from commitment to cash, a prospect's to being a customer.

They write to no system. What moves a record on is the loads of the flows; what is missing is asked of them. What the processes
are is declared in accord.hub.processes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from accord.categories import ABOUT_NO_RECORD
from accord.errors import Stop, SystemShut
from accord.flows import flows_of
from accord.hub.connection import Hub
from accord.hub.identities import key_of
from accord.hub.processes import PROCESSES, QUOTE_TO_CASH, Process
from accord.pipeline.flow_run import run_flow
from accord.pipeline.runs import Params
from accord.runtime import Accord

log = logging.getLogger(__name__)

SCHEDULER = "scheduler"

# what is new of where the records are placed
_PLACE = sql.SQL("""
WITH {places},
moved AS (
  INSERT INTO process AS p (name, key, step, status, closed)
  SELECT %(name)s, key, step,
    CASE WHEN ended THEN 'abandoned' WHEN step = %(final)s THEN 'done' WHEN waits THEN 'held' ELSE 'open' END,
    CASE WHEN ended OR step = %(final)s THEN now() END
  FROM placed ORDER BY key
  ON CONFLICT (name, key) DO UPDATE SET step = excluded.step, since = now(), closed = excluded.closed,
    status = CASE WHEN p.status = 'abandoning' AND excluded.status <> 'abandoned' THEN p.status ELSE excluded.status END
  WHERE (p.step, p.status) IS DISTINCT FROM (excluded.step,
    CASE WHEN p.status = 'abandoning' AND excluded.status <> 'abandoned' THEN p.status ELSE excluded.status END)
  RETURNING name, key, step, status)
INSERT INTO process_event (name, key, step, status, who) SELECT name, key, step, status, %(who)s FROM moved RETURNING key
""")

# waits for a record that has arrived since, or was never told to sales
_READY = """
SELECT p.key, CASE WHEN p.status = 'open' AND p.step = 'created' THEN %(tells)s ELSE %(object)s END AS object
FROM process p
WHERE p.name = %(name)s AND (
  p.status = 'abandoning'
  OR (p.status = 'open' AND p.step = 'created')
  OR (p.status = 'held' AND EXISTS (
    SELECT FROM exception e JOIN stream s ON s.target = e.target AND s.object = e.awaits_object
    JOIN link l ON l.stream = s.id AND l.key = e.awaits AND l.hash IS NOT NULL
    WHERE e.object = %(object)s AND e.key = p.key AND e.state <> 'closed')))
ORDER BY p.key LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """How many processes changed their place, and how many records were asked of the flows."""

    moved: int
    asked: int


def advance(accord: Accord, process: Process = QUOTE_TO_CASH, *, most: int = 2000) -> Advanced:
    """Place every record by what the hub knows, ask the flows for what is ready to go on (at most `most`), place again."""
    moved = place(accord.hub, process)
    arguments = {"name": process.name, "object": process.object, "tells": process.tells, "most": most}
    with accord.hub.session() as session:
        ready = session.execute(_READY, arguments).fetchall()
    asked = 0
    for object_name in process.asks:
        keys = [row["key"] for row in ready if row["object"] == object_name]
        try:
            _ask(accord, object_name, keys)
        except SystemShut as shut:  # the next advance asks again
            log.info("%s: %d of %s not asked for. %s", process.name, len(keys), object_name, shut)
        else:
            asked += len(keys)
    if asked:
        moved += place(accord.hub, process)
    log.info("%s: %d moved, %d asked of the flows", process.name, moved, asked)
    return Advanced(moved=moved, asked=asked)


def place(hub: Hub, process: Process = QUOTE_TO_CASH, key: str | None = None, *, who: str = SCHEDULER) -> int:
    """Place the record `key` (every one) by what the hub knows; the number of those that changed."""
    arguments = {
        "name": process.name,
        "key": key,
        "final": process.final,
        "proven": Jsonb(dict(process.proven)),
        "who": who,
        "of_no_record": list(ABOUT_NO_RECORD),
    }
    with hub.session() as session:
        # the places are constants of this package, written as SQL
        query = _PLACE.format(places=sql.SQL(process.places))
        return len(session.execute(query, arguments).fetchall())


def inspect(accord: Accord, key: str) -> dict[str, Any]:
    """Where the process of record `key` stands: its place, its history, what it waits for, its deliveries.

    `key` may be the id of a record that goes by another's, as an Order that carries on an Opportunity does. Raises Stop when
    there is none.
    """
    key = _known_as(accord.hub, key)
    with accord.hub.session() as session:
        found = session.execute(
            "SELECT * FROM process WHERE name = ANY(%s) AND key = %s", (list(PROCESSES), key)
        ).fetchone()
        if found is None:
            raise Stop(f"There is no process of {key}.", cure="Give the canonical id: salesforce:<id of the record>.")
        process = PROCESSES[found["name"]]
        events = session.execute(
            "SELECT at, step, status, who, why FROM process_event WHERE name = %s AND key = %s ORDER BY at",
            (process.name, key),
        ).fetchall()
        waits = session.execute(
            """SELECT object, target, category, queue, message, answer, awaits, attempts, opened FROM exception
               WHERE key = %s AND object = ANY(%s) AND state <> 'closed' ORDER BY severity DESC, id""",
            (key, list(process.about)),
        ).fetchall()
        deliveries = session.execute(
            """SELECT y.at, s.object, s.target, y.outcome FROM delivery y JOIN stream s ON s.id = y.stream
               WHERE y.key = %s AND s.object = ANY(%s) ORDER BY y.at""",
            (key, list(process.about)),
        ).fetchall()
    return dict(found) | {"events": events, "waits": waits, "deliveries": deliveries}


def overview(hub: Hub, process: Process = QUOTE_TO_CASH) -> list[dict[str, Any]]:
    """How many records stand at which step in which status, and since when the oldest does; in the order of the way."""
    with hub.session() as session:
        rows = session.execute(
            """SELECT name, step, status, count(*) AS records, min(since) AS oldest FROM process WHERE name = %s
               GROUP BY name, step, status""",
            (process.name,),
        ).fetchall()
    places = list(process.steps)
    return sorted(rows, key=lambda row: (places.index(row["step"]), row["status"]))


def resume(accord: Accord, key: str, *, who: str) -> dict[str, Any]:
    """Ask for the record, and before it for what it waits for; where it stands then."""
    found = inspect(accord, key)
    process, key = PROCESSES[found["name"]], str(found["key"])
    for waits in found["waits"]:
        if waits["awaits"]:
            _ask_for(accord, str(waits["awaits"]))
    _note(accord.hub, process, key, who=who, why="resumed")
    for object_name in process.asks:
        _ask(accord, object_name, [key])
    place(accord.hub, process, key, who=who)
    return inspect(accord, key)


def abandon(accord: Accord, key: str, *, who: str, why: str) -> dict[str, Any]:
    """Give the record up: what the ERP has of it is cancelled by the flow that created it, and sales is told; where it stands
    then.

    What the ERP does not let go any more (shipped, billed) stays as an exception, the process as `abandoning`. Raises Stop when
    the process is over.
    """
    found = inspect(accord, key)
    process, key = PROCESSES[found["name"]], str(found["key"])
    if found["status"] == "done":
        raise Stop(
            f"{key} is done: there is nothing to give up.", cure="Delete or cancel the record in its own system."
        )
    with accord.hub.session() as session:
        session.execute(
            """UPDATE process SET status = 'abandoning', since = now(), given_up = %s
               WHERE name = %s AND key = %s AND status IN ('open', 'held')""",
            (why, process.name, key),
        )
    _note(accord.hub, process, key, who=who, why=why)
    _ask(accord, process.object, [key])
    place(accord.hub, process, key, who=who)
    return inspect(accord, key)


def _known_as(hub: Hub, key: str) -> str:
    """The canonical id by which the processes know the record `key`."""
    names: Iterable[str] = (key_of(hub, process.object, key) for process in PROCESSES.values())
    return next((name for name in names if name != key), key)


def _note(hub: Hub, process: Process, key: str, *, who: str, why: str) -> None:
    with hub.session() as session:
        session.execute(
            """INSERT INTO process_event (name, key, step, status, who, why)
               SELECT name, key, step, status, %s, %s FROM process WHERE name = %s AND key = %s""",
            (who, why, process.name, key),
        )


def _ask_for(accord: Accord, reference: str) -> None:
    """Ask the flows that read `reference`'s origin for it, where it is a customer: what a record waits for from sales."""
    origin = reference.partition(":")[0]
    for flow in flows_of("customer"):
        if flow.source == origin:
            run_flow(accord, flow, params=Params(keys=(reference,)))


def _ask(accord: Accord, object_name: str, keys: Sequence[str]) -> None:
    if keys:
        for flow in flows_of(object_name):
            run_flow(accord, flow, params=Params(keys=tuple(keys)))
