"""Raising and closing exceptions: one row per open matter, however often it is seen again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from accord.categories import HANDLING, Category
from accord.hub.connection import LIFE, Session
from accord.hub.copying import copy_into
from accord.records import correlation_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """A matter about one record. `message` and `answer` hold no record values; `target` '' means every target of the flow;
    `awaits` is the record of `awaits_object` it waits for (its canonical id, or <system>:<native> where no link knows it);
    `hash` is the content a target refused, `said` what the source said; `other` is the record a suspected duplicate looks like;
    `request` is what was sent (accord.masking.shown)."""

    kind: str
    key: str
    category: Category
    message: str
    target: str = ""
    rule: str | None = None
    version: datetime | None = None
    hash: bytes | None = None
    said: bytes | None = None
    other: str | None = None
    awaits: str | None = None
    awaits_object: str | None = None
    not_before: datetime | None = None
    answer: str | None = None
    request: Mapping[str, Any] | None = None
    dispatch: int | None = None
    currency: str | None = None
    at_risk: Decimal | None = None


_SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("flow", pa.string()),
        ("object", pa.string()),
        ("target", pa.string()),
        ("key", pa.string()),
        ("category", pa.string()),
        ("queue", pa.string()),
        ("severity", pa.int16()),
        ("rule", pa.string()),
        ("message", pa.string()),
        ("currency", pa.string()),
        ("at_risk", pa.decimal128(38, 6)),
        ("awaits", pa.string()),
        ("awaits_object", pa.string()),
        ("not_before", pa.timestamp("us", "UTC")),
        ("version", pa.timestamp("us", "UTC")),
        ("hash", pa.binary()),
        ("said", pa.binary()),
        ("other", pa.string()),
        ("answer", pa.string()),
        ("request", pa.string()),
        ("run", pa.int64()),
        ("dispatch", pa.int64()),
        ("correlation", pa.string()),
    ]
)

_TEMPORARY = """
CREATE TEMP TABLE IF NOT EXISTS raised (kind text, flow text, object text, target text, key text, category text, queue text,
  severity smallint, rule text, message text, currency text, at_risk numeric, awaits text, awaits_object text, not_before timestamptz,
  version timestamptz, hash bytea, said bytea, other text, answer text, request jsonb, run bigint, dispatch bigint,
  correlation uuid) ON COMMIT DROP
"""

# what somebody decided against stays closed while the source says the same, unless somebody asks for the record
_RAISE = """
INSERT INTO exception AS e (kind, flow, object, target, key, category, queue, severity, rule, message, currency, at_risk, awaits,
  awaits_object, not_before, version, hash, said, other, answer, request, run, dispatch, correlation)
SELECT DISTINCT ON (object, target, key, category) kind, flow, object, target, key, category, queue, severity, rule, message,
  currency, at_risk, awaits, awaits_object, not_before, version, hash, said, other, answer, request, run, dispatch, correlation
FROM raised r
WHERE NOT EXISTS (
    SELECT FROM exception d WHERE d.object = r.object AND d.key = r.key AND d.target = r.target AND d.category = r.category
      AND d.discarded AND d.said = r.said)
  OR EXISTS (SELECT FROM run WHERE run.id = r.run AND run.natives IS NOT NULL)
ORDER BY object, target, key, category
ON CONFLICT (object, target, key, category) WHERE state <> 'closed' DO UPDATE SET
  kind = excluded.kind, flow = excluded.flow, rule = excluded.rule, message = excluded.message, currency = excluded.currency,
  at_risk = excluded.at_risk, awaits = excluded.awaits, awaits_object = excluded.awaits_object, not_before = excluded.not_before,
  version = coalesce(excluded.version, e.version), hash = excluded.hash,
  said = excluded.said, other = excluded.other, behind = NULL, answer = excluded.answer, run = excluded.run,
  dispatch = coalesce(excluded.dispatch, e.dispatch), request = coalesce(excluded.request, e.request),
  correlation = excluded.correlation, state = 'open', seen = now(),
  attempts = e.attempts + CASE WHEN e.run IS DISTINCT FROM excluded.run THEN 1 ELSE 0 END
"""


# an advisory lock (LIFE, the replay's number) is the replay's sign of life: see Hub.alive
_FREE_ABANDONED = """
UPDATE exception e SET state = 'open' WHERE state = 'replaying' AND replay IS NOT NULL AND NOT EXISTS (
  SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
  WHERE l.locktype = 'advisory' AND l.classid::bigint = %s AND l.objid::bigint = e.replay AND l.objsubid = 2 AND l.granted)
"""


def free_abandoned(session: Session) -> int:
    """Open what a replay that died was replaying; how many."""
    return session.execute(_FREE_ABANDONED, (LIFE,)).rowcount


def raise_exceptions(session: Session, flow: str, object_name: str, run: int | None, raised: Sequence[Raised]) -> None:
    """Open an exception for each of `raised`, or bring the open one of the same record and category up to date."""
    if not raised:
        return
    rows = [
        {
            "kind": r.kind,
            "flow": flow,
            "object": object_name,
            "target": r.target,
            "key": r.key,
            "category": r.category.value,
            "queue": HANDLING[r.category].queue.value,
            "severity": HANDLING[r.category].severity,
            "rule": r.rule,
            "message": r.message,
            "currency": r.currency,
            "at_risk": r.at_risk,
            "awaits": r.awaits,
            "awaits_object": r.awaits_object,
            "not_before": r.not_before,
            "version": r.version,
            "hash": r.hash,
            "said": r.said,
            "other": r.other,
            "answer": r.answer,
            "request": None if r.request is None else json.dumps(r.request, default=str),
            "run": run,
            "dispatch": r.dispatch,
            "correlation": str(correlation_id(object_name, r.key, r.version.isoformat() if r.version else "")),
        }
        for r in raised
    ]
    session.execute(_TEMPORARY)
    session.execute("TRUNCATE raised")
    copy_into(session, "raised", pa.Table.from_pylist(rows, schema=_SCHEMA))
    session.execute(_RAISE)
