"""Processes that span several flows: an order's way from commitment to cash.

A process is nothing but what the hub knows of one record, read in a certain order: links, exceptions, and the states the ERP
was last known to give. It writes to no system. What moves it on is the loads of the flows; what is missing is asked of them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accord.categories import Category
from accord.errors import Stop, SystemShut
from accord.flows import flows_of
from accord.hub.connection import Hub
from accord.hub.processes import QUOTE_TO_CASH
from accord.pipeline.flow_run import run_flow
from accord.pipeline.runs import Params
from accord.runtime import Accord

log = logging.getLogger(__name__)

SCHEDULER = "scheduler"

# step → what is true once it is done, in the order of the way
STEPS = {
    "committed": "The customer has committed; Accord knows of the order.",
    "customer ensured": "The ERP has the customer.",
    "validated": "The order passed its gate and waits for nothing.",
    "created": "The ERP has the order.",
    "acknowledged": "Sales has the ERP's order number.",
    "in fulfilment": "The warehouse is at it.",
    "shipped": "All of it is on its way.",
    "invoiced": "All of it is billed.",
    "paid": "The money is there.",
}
FINAL = "paid"

# the ERP's state of an order → the step it proves
_PROVEN = {"In Fulfilment": "in fulfilment", "Shipped": "shipped", "Invoiced": "invoiced", "Paid": "paid"}

# everything that is known of the orders, one row each; where that puts them; what of it is new
_PLACE = """
WITH orders AS (
    SELECT l.key, bool_or(l.hash IS NOT NULL AND NOT l.gone) AS created, bool_or(l.hash IS NOT NULL AND l.gone) AS ended
    FROM link l JOIN stream s ON s.id = l.stream WHERE s.object = 'order' AND (l.hash IS NOT NULL OR l.dispatch IS NOT NULL) GROUP BY l.key
  UNION ALL
    SELECT e.key, false, false FROM exception e
    WHERE e.object = 'order' AND e.state <> 'closed' AND e.category <> ALL(%(of_a_batch)s)
      AND NOT EXISTS (SELECT FROM link l JOIN stream s ON s.id = l.stream WHERE s.object = 'order' AND l.key = e.key AND l.hash IS NOT NULL)
    GROUP BY e.key),
known AS (
  SELECT o.key, bool_or(o.created) AS created, bool_or(o.ended) AS ended, max(t.state) AS state, bool_or(t.key IS NOT NULL) AS told,
    bool_or(e.id IS NOT NULL) AS waits, bool_or(coalesce(e.awaits_object = 'customer', false)) AS lacks_customer,
    bool_or(coalesce(e.kind = 'quarantined', false)) AS quarantined
  FROM orders o
  LEFT JOIN (SELECT l.key, l.state FROM link l JOIN stream s ON s.id = l.stream
             WHERE s.object = 'order_status' AND l.hash IS NOT NULL AND NOT l.gone) t ON t.key = o.key
  LEFT JOIN exception e ON e.object = 'order' AND e.key = o.key AND e.state <> 'closed'
  WHERE %(key)s::text IS NULL OR o.key = %(key)s
  GROUP BY o.key),
placed AS (
  SELECT key, ended, waits,
    CASE WHEN %(proven)s::jsonb ? coalesce(state, '') THEN %(proven)s::jsonb ->> state
         WHEN told THEN 'acknowledged' WHEN created OR ended THEN 'created'
         WHEN quarantined OR lacks_customer THEN 'committed'
         WHEN waits THEN 'customer ensured' ELSE 'validated' END AS step,
    state = 'Cancelled' AS cancelled
  FROM known),
moved AS (
  INSERT INTO process AS p (name, key, step, status, closed)
  SELECT %(name)s, key, step,
    CASE WHEN ended OR coalesce(cancelled, false) THEN 'abandoned' WHEN step = %(final)s THEN 'done' WHEN waits THEN 'held' ELSE 'open' END,
    CASE WHEN ended OR coalesce(cancelled, false) OR step = %(final)s THEN now() END
  FROM placed ORDER BY key
  ON CONFLICT (name, key) DO UPDATE SET step = excluded.step, since = now(), closed = excluded.closed,
    status = CASE WHEN p.status = 'abandoning' AND excluded.status <> 'abandoned' THEN p.status ELSE excluded.status END
  WHERE (p.step, p.status) IS DISTINCT FROM (excluded.step,
    CASE WHEN p.status = 'abandoning' AND excluded.status <> 'abandoned' THEN p.status ELSE excluded.status END)
  RETURNING name, key, step, status)
INSERT INTO process_event (name, key, step, status, who) SELECT name, key, step, status, %(who)s FROM moved RETURNING key
"""

# waits for a record that has arrived since, or was never told to sales
_READY = """
SELECT p.key, CASE WHEN p.status = 'open' AND p.step = 'created' THEN 'order_status' ELSE 'order' END AS object
FROM process p
WHERE p.name = %(name)s AND (
  p.status = 'abandoning'
  OR (p.status = 'open' AND p.step = 'created')
  OR (p.status = 'held' AND EXISTS (
    SELECT FROM exception e JOIN stream s ON s.target = e.target AND s.object = e.awaits_object
    JOIN link l ON l.stream = s.id AND l.key = e.awaits AND l.hash IS NOT NULL
    WHERE e.object = 'order' AND e.key = p.key AND e.state <> 'closed')))
ORDER BY p.key LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """How many processes changed their place, and how many records were asked of the flows."""

    moved: int
    asked: int


def advance(accord: Accord, *, most: int = 2000) -> Advanced:
    """Place every process by what the hub knows, ask the flows for what is ready to go on (at most `most`), place again."""
    moved = place(accord.hub)
    with accord.hub.session() as session:
        ready = session.execute(_READY, {"name": QUOTE_TO_CASH, "most": most}).fetchall()
    asked = 0
    for object_name in ("order", "order_status"):
        keys = [row["key"] for row in ready if row["object"] == object_name]
        try:
            _ask(accord, object_name, keys)
        except SystemShut as shut:  # the next advance asks again
            log.info("%s: %d of %s not asked for. %s", QUOTE_TO_CASH, len(keys), object_name, shut)
        else:
            asked += len(keys)
    if asked:
        moved += place(accord.hub)
    log.info("%s: %d moved, %d asked of the flows", QUOTE_TO_CASH, moved, asked)
    return Advanced(moved=moved, asked=asked)


def place(hub: Hub, key: str | None = None, *, who: str = SCHEDULER) -> int:
    """Place the process of `key` (of every order) by what the hub knows; the number of those that changed."""
    from psycopg.types.json import Jsonb

    arguments = {
        "name": QUOTE_TO_CASH,
        "key": key,
        "final": FINAL,
        "proven": Jsonb(_PROVEN),
        "who": who,
        "of_a_batch": [Category.BATCH_REFUSED, Category.DRIFT],
    }
    with hub.session() as session:
        return len(session.execute(_PLACE, arguments).fetchall())


def inspect(accord: Accord, key: str) -> dict[str, Any]:
    """Where the process of order `key` stands: its place, its history, what it waits for, its deliveries.

    Raises Stop when there is none.
    """
    with accord.hub.session() as session:
        process = session.execute("SELECT * FROM process WHERE name = %s AND key = %s", (QUOTE_TO_CASH, key)).fetchone()
        if process is None:
            raise Stop(
                f"There is no order {key} on its way.", cure="Give the canonical id: salesforce:<id of the order>."
            )
        events = session.execute(
            "SELECT at, step, status, who, why FROM process_event WHERE name = %s AND key = %s ORDER BY at",
            (QUOTE_TO_CASH, key),
        ).fetchall()
        waits = session.execute(
            """SELECT object, target, category, queue, message, answer, awaits, attempts, opened FROM exception
               WHERE key = %s AND object IN ('order', 'order_status') AND state <> 'closed' ORDER BY severity DESC, id""",
            (key,),
        ).fetchall()
        deliveries = session.execute(
            """SELECT y.at, s.object, s.target, y.outcome FROM delivery y JOIN stream s ON s.id = y.stream
               WHERE y.key = %s AND s.object IN ('order', 'order_sync', 'order_status') ORDER BY y.at""",
            (key,),
        ).fetchall()
    return dict(process) | {"events": events, "waits": waits, "deliveries": deliveries}


def overview(hub: Hub) -> list[dict[str, Any]]:
    """How many processes stand at which step in which status, and since when the oldest does; in the order of the way."""
    with hub.session() as session:
        rows = session.execute(
            "SELECT step, status, count(*) AS orders, min(since) AS oldest FROM process WHERE name = %s GROUP BY step, status",
            (QUOTE_TO_CASH,),
        ).fetchall()
    places = list(STEPS)
    return sorted(rows, key=lambda row: (places.index(row["step"]), row["status"]))


def resume(accord: Accord, key: str, *, who: str) -> dict[str, Any]:
    """Ask for the order, and before it for what it waits for; where it stands then."""
    for waits in inspect(accord, key)["waits"]:
        if waits["awaits"]:
            _ask_for(accord, str(waits["awaits"]))
    _note(accord.hub, key, who=who, why="resumed")
    _ask(accord, "order", [key])
    _ask(accord, "order_status", [key])
    place(accord.hub, key, who=who)
    return inspect(accord, key)


def abandon(accord: Accord, key: str, *, who: str, why: str) -> dict[str, Any]:
    """Give the order up: it is cancelled in the ERP by the flow that created it, and sales is told; where it stands then.

    What the ERP does not let go any more (shipped, billed) stays as an exception, the process as `abandoning`.
    """
    inspect(accord, key)
    with accord.hub.session() as session:
        session.execute(
            """UPDATE process SET status = 'abandoning', since = now(), given_up = %s
               WHERE name = %s AND key = %s AND status IN ('open', 'held')""",
            (why, QUOTE_TO_CASH, key),
        )
    _note(accord.hub, key, who=who, why=why)
    _ask(accord, "order", [key])
    place(accord.hub, key, who=who)
    return inspect(accord, key)


def _note(hub: Hub, key: str, *, who: str, why: str) -> None:
    with hub.session() as session:
        session.execute(
            """INSERT INTO process_event (name, key, step, status, who, why)
               SELECT name, key, step, status, %s, %s FROM process WHERE name = %s AND key = %s""",
            (who, why, QUOTE_TO_CASH, key),
        )


def _ask_for(accord: Accord, reference: str) -> None:
    """Ask the flows that read `reference`'s origin for it, where it is a customer: what an order waits for from sales."""
    origin = reference.partition(":")[0]
    for flow in flows_of("customer"):
        if flow.source == origin:
            run_flow(accord, flow, params=Params(keys=(reference,)))


def _ask(accord: Accord, object_name: str, keys: Sequence[str]) -> None:
    if keys:
        for flow in flows_of(object_name):
            run_flow(accord, flow, params=Params(keys=tuple(keys)))
