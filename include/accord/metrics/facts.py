"""The few facts of a transaction that figures are computed from, kept in a narrow table as the history goes on."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.types.json import Jsonb

from accord.hub.connection import Hub, only
from accord.hub.subscriptions import certain

_AT_ONCE = 200_000  # positions of a transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Which fields of an object's image are kept: names of canonical fields; `lines` where the amount is the sum of the lines."""

    day: str = ""
    amount: str = ""
    less: str = ""  # what the amount includes and is not to: tax
    balance: str = ""
    about: str = ""
    state: str = "status"
    lines: bool = False


FACTS: dict[str, Facts] = {
    "order": Facts(day="order_date", lines=True),
    "order_status": Facts(day="booked_date", amount="total", less="tax"),
    "shipment": Facts(day="shipped_date", about="order"),
    "invoice": Facts(day="invoice_date", amount="net", balance="open_balance", about="order"),
    "credit_memo": Facts(day="invoice_date", amount="net", balance="open_balance", about="order"),
    "payment": Facts(day="paid_on", amount="amount", balance="unapplied"),
    "contract": Facts(day="end_date"),
    "contract_status": Facts(day="renewal_date", amount="renewal_value"),
    "contract_renewal": Facts(about="renewal"),
    "renewal": Facts(day="close_date", amount="amount", state="stage"),
}

# a return is no shipment an invoice could follow
_KEEP = """
WITH facts AS (SELECT key AS object, value AS f FROM jsonb_each(%(facts)s)),
told AS (
  SELECT stream, key, min(at) AS first_at, (array_agg(version ORDER BY position))[1] AS first_version
  FROM delivery WHERE position > %(after)s AND position <= %(until)s AND outcome = 'applied'
    AND stream IN (SELECT s.id FROM stream s JOIN facts USING (object))
  GROUP BY stream, key)
INSERT INTO kpi_record AS k
  (stream, key, object, legal_entity, currency, state, day, amount, balance, about, refs, gone, first_at, first_version)
SELECT t.stream, t.key, s.object, i.plain ->> 'legal_entity', i.plain ->> 'currency', i.plain ->> (f ->> 'state'),
  CASE WHEN i.plain ->> 'kind' IS DISTINCT FROM 'Return' THEN (i.plain ->> (f ->> 'day'))::date END,
  CASE WHEN (f ->> 'lines')::boolean THEN (
         SELECT sum((l.value ->> 'quantity')::numeric * (l.value ->> 'unit_price')::numeric) FROM jsonb_each(i.plain -> 'lines') l
         WHERE NOT coalesce((l.value ->> 'cancelled')::boolean, false))
       ELSE (i.plain ->> (f ->> 'amount'))::numeric - coalesce((i.plain ->> (f ->> 'less'))::numeric, 0) END,
  (i.plain ->> (f ->> 'balance'))::numeric, i.plain ->> (f ->> 'about'), i.refs, coalesce((i.plain ->> 'gone')::boolean, false),
  t.first_at, t.first_version
FROM told t JOIN stream s ON s.id = t.stream JOIN facts USING (object) JOIN image i ON i.stream = t.stream AND i.key = t.key
ON CONFLICT (stream, key) DO UPDATE SET legal_entity = excluded.legal_entity, currency = excluded.currency, state = excluded.state,
  day = excluded.day, amount = excluded.amount, balance = excluded.balance, about = excluded.about, refs = excluded.refs,
  gone = excluded.gone
"""


def keep_facts(hub: Hub) -> int:
    """Bring the facts up to what was delivered by now; how many records that were. Side by side with itself it waits its turn.

    While a long write is going on nothing is read: the next time has it.
    """
    until = certain(hub)
    if until is None:
        return 0
    facts = {name: {f: getattr(one, f) for f in one.__slots__} for name, one in FACTS.items()}
    kept = 0
    while True:
        with hub.session() as session:
            after = int(only(session.execute("SELECT position FROM kpi_position FOR UPDATE"))["position"])
            if after >= until:
                return kept
            upto = min(after + _AT_ONCE, until)
            kept += session.execute(_KEEP, {"facts": Jsonb(facts), "after": after, "until": upto}).rowcount
            session.execute("UPDATE kpi_position SET position = %s", (upto,))
