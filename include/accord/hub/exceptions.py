"""Raising and closing exceptions: one row per open matter, however often it is seen again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import pyarrow as pa

from accord.categories import HANDLING, Category
from accord.hub.connection import Session
from accord.hub.copying import copy_into
from accord.records import correlation_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """A matter about one record. `message` and `answer` hold no record values; `target` '' means every target of the flow;
    `awaits` is the record of `awaits_object` it waits for (its canonical id, or <system>:<native> where no link knows it);
    `hash` is the content a target refused."""

    kind: str
    key: str
    category: Category
    message: str
    target: str = ""
    rule: str | None = None
    version: datetime | None = None
    hash: bytes | None = None
    awaits: str | None = None
    awaits_object: str | None = None
    not_before: datetime | None = None
    answer: str | None = None
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
        ("answer", pa.string()),
        ("run", pa.int64()),
        ("dispatch", pa.int64()),
        ("correlation", pa.string()),
    ]
)

_TEMPORARY = """
CREATE TEMP TABLE IF NOT EXISTS raised (kind text, flow text, object text, target text, key text, category text, queue text,
  severity smallint, rule text, message text, currency text, at_risk numeric, awaits text, awaits_object text, not_before timestamptz,
  version timestamptz, hash bytea, answer text, run bigint, dispatch bigint, correlation uuid) ON COMMIT DROP
"""

_RAISE = """
INSERT INTO exception AS e (kind, flow, object, target, key, category, queue, severity, rule, message, currency, at_risk, awaits,
  awaits_object, not_before, version, hash, answer, run, dispatch, correlation)
SELECT DISTINCT ON (object, target, key, category) kind, flow, object, target, key, category, queue, severity, rule, message,
  currency, at_risk, awaits, awaits_object, not_before, version, hash, answer, run, dispatch, correlation
FROM raised ORDER BY object, target, key, category
ON CONFLICT (object, target, key, category) WHERE state <> 'closed' DO UPDATE SET
  kind = excluded.kind, flow = excluded.flow, rule = excluded.rule, message = excluded.message, currency = excluded.currency,
  at_risk = excluded.at_risk, awaits = excluded.awaits, awaits_object = excluded.awaits_object, not_before = excluded.not_before,
  version = coalesce(excluded.version, e.version), hash = excluded.hash, answer = excluded.answer, run = excluded.run,
  dispatch = coalesce(excluded.dispatch, e.dispatch), correlation = excluded.correlation, state = 'open', seen = now(),
  attempts = e.attempts + CASE WHEN e.run IS DISTINCT FROM excluded.run THEN 1 ELSE 0 END
"""


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
            "answer": r.answer,
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
