"""The processes: their steps, the SQL that places them, and which records somebody gave up.

A process is nothing but what the hub knows of one record, read in a certain order: links, exceptions, and the states systems
were last known to give. Another process is another definition here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from accord.hub.connection import Hub


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """The way of one record of `object` over several flows.

    `subject` is what people call the record; `begin` and `end` name the way. `steps`: step → what is true once it is done, in the
    order of the way; the last one ends the process. `places` is SQL that gives the place of every record: (key, step, waits:
    whether it is held, ended: whether it came to nothing); it may use %(name)s, %(key)s (null: all), %(of_no_record)s and
    %(proven)s. `proven`: a record's state → the step it proves. `tells`: the object whose flows tell what the step "created"
    waits for. `asks`: the objects whose flows move a record on; `about` those that tell of it.
    """

    name: str
    object: str
    subject: str
    begin: str
    end: str
    steps: Mapping[str, str]
    places: str
    tells: str
    asks: tuple[str, ...]
    about: tuple[str, ...]
    proven: Mapping[str, str] = field(default_factory=dict)

    @property
    def final(self) -> str:
        """The last step."""
        return list(self.steps)[-1]


QUOTE_TO_CASH = Process(
    name="quote_to_cash",
    object="order",
    subject="order",
    begin="commitment",
    end="cash",
    steps={
        "committed": "The customer has committed; Accord knows of the order.",
        "customer ensured": "The ERP has the customer.",
        "validated": "The order passed its gate and waits for nothing.",
        "created": "The ERP has the order.",
        "acknowledged": "Sales has the ERP's order number.",
        "in fulfilment": "The warehouse is at it.",
        "shipped": "All of it is on its way.",
        "invoiced": "All of it is billed.",
        "paid": "The money is there.",
    },
    tells="order_status",
    asks=("order", "order_status"),
    about=("order", "order_sync", "order_status"),
    proven={"In Fulfilment": "in fulfilment", "Shipped": "shipped", "Invoiced": "invoiced", "Paid": "paid"},
    # everything that is known of the orders, one row each; where that puts them
    places="""
orders AS (
    SELECT l.key, bool_or(l.hash IS NOT NULL AND NOT l.gone) AS created,
      -- what only left one ERP for another has not ended
      bool_or(l.hash IS NOT NULL AND l.gone AND l.deleted) AND NOT bool_or(l.hash IS NOT NULL AND NOT l.gone) AS ended
    FROM link l JOIN stream s ON s.id = l.stream WHERE s.object = 'order' AND (l.hash IS NOT NULL OR l.dispatch IS NOT NULL) GROUP BY l.key
  UNION ALL
    SELECT e.key, false, false FROM exception e
    WHERE e.object = 'order' AND e.state <> 'closed' AND e.kind <> 'difference' AND e.category <> ALL(%(of_no_record)s)
      AND NOT EXISTS (SELECT FROM link l JOIN stream s ON s.id = l.stream WHERE s.object = 'order' AND l.key = e.key AND l.hash IS NOT NULL)
    GROUP BY e.key),
known AS (
  SELECT o.key, bool_or(o.created) AS created, bool_or(o.ended) AS ended, max(t.state) AS state, bool_or(t.key IS NOT NULL) AS told,
    bool_or(e.id IS NOT NULL) AS waits, bool_or(coalesce(e.awaits_object = 'customer', false)) AS lacks_customer,
    bool_or(coalesce(e.kind = 'quarantined', false)) AS quarantined
  FROM orders o
  LEFT JOIN (SELECT l.key, l.state FROM link l JOIN stream s ON s.id = l.stream
             WHERE s.object = 'order_status' AND l.hash IS NOT NULL AND NOT l.gone) t ON t.key = o.key
  LEFT JOIN exception e ON e.object = 'order' AND e.key = o.key AND e.state <> 'closed' AND e.kind <> 'difference'
  WHERE %(key)s::text IS NULL OR o.key = %(key)s
  GROUP BY o.key),
placed AS (
  SELECT key, waits, ended OR coalesce(state = 'Cancelled', false) AS ended,
    CASE WHEN %(proven)s::jsonb ? coalesce(state, '') THEN %(proven)s::jsonb ->> state
         WHEN told THEN 'acknowledged' WHEN created OR ended THEN 'created'
         WHEN quarantined OR lacks_customer THEN 'committed'
         WHEN waits THEN 'customer ensured' ELSE 'validated' END AS step
  FROM known)""",
)

LEAD_TO_CUSTOMER = Process(
    name="lead_to_customer",
    object="customer",
    subject="customer",
    begin="prospect",
    end="customer",
    steps={
        "committed": "The prospect buys from a legal entity; Accord knows of it.",
        "validated": "The account passed its gate.",
        "created": "Every ERP of its legal entities has the customer.",
        "acknowledged": "Sales is told so.",
    },
    tells="customer",
    asks=("customer",),
    about=("customer", "customer_status"),
    # those on their way; one that is done is a customer, and whatever happens to it later is no matter of this process
    places="""
over AS (SELECT key FROM process WHERE name = %(name)s AND status = 'done'),
customers AS (
    SELECT l.key, bool_or(l.hash IS NOT NULL AND NOT l.gone) AS created,
      bool_and(l.gone) AND bool_or(l.hash IS NOT NULL) AS ended
    FROM link l JOIN stream s ON s.id = l.stream
    WHERE s.object = 'customer' AND (l.hash IS NOT NULL OR l.dispatch IS NOT NULL) AND (%(key)s::text IS NULL OR l.key = %(key)s)
      AND NOT EXISTS (SELECT FROM over o WHERE o.key = l.key)
    GROUP BY l.key
  UNION ALL
    SELECT e.key, false, false FROM exception e
    WHERE e.object = 'customer' AND e.state <> 'closed' AND e.kind <> 'difference' AND e.category <> ALL(%(of_no_record)s)
      AND (%(key)s::text IS NULL OR e.key = %(key)s)
      AND NOT EXISTS (SELECT FROM link l JOIN stream s ON s.id = l.stream
                      WHERE s.object = 'customer' AND l.key = e.key AND (l.hash IS NOT NULL OR l.dispatch IS NOT NULL))
    GROUP BY e.key),
known AS (
  SELECT c.key, c.created, c.ended, coalesce(t.told, false) AS told, count(e.id) > 0 AS waits,
    coalesce(bool_or(e.kind IN ('quarantined', 'approval')), false) AS quarantined
  FROM customers c
  LEFT JOIN (SELECT l.key, bool_or(l.state = 'Synced') AS told FROM link l JOIN stream s ON s.id = l.stream
             WHERE s.object = 'customer_status' AND l.hash IS NOT NULL GROUP BY l.key) t ON t.key = c.key
  LEFT JOIN exception e ON e.object = 'customer' AND e.key = c.key AND e.state <> 'closed' AND e.kind <> 'difference'
  GROUP BY c.key, c.created, c.ended, t.told),
placed AS (
  SELECT key, waits, ended,
    CASE WHEN quarantined THEN 'committed' WHEN waits OR NOT (created OR ended) THEN 'validated'
         WHEN told AND created THEN 'acknowledged' ELSE 'created' END AS step
  FROM known)""",
)

PROCESSES: dict[str, Process] = {process.name: process for process in (LEAD_TO_CUSTOMER, QUOTE_TO_CASH)}
# the process whose records are of an object
PROCESS_OF: dict[str, Process] = {process.object: process for process in PROCESSES.values()}


def given_up(hub: Hub, object_name: str, keys: Sequence[str]) -> dict[str, str]:
    """Those of `keys` somebody gave up, and why: for the other side they are gone."""
    process = PROCESS_OF.get(object_name)
    if process is None or not keys:
        return {}
    with hub.session() as session:
        rows = session.execute(
            "SELECT key, given_up FROM process WHERE name = %s AND key = ANY(%s) AND given_up IS NOT NULL",
            (process.name, list(keys)),
        ).fetchall()
    return {row["key"]: row["given_up"] for row in rows}
