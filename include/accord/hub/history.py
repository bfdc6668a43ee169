"""What the hub knows of single records: by which names they are found, what belongs to them, what happened to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accord.hub.audit import audited, subjects_of
from accord.hub.connection import Session

# canonical id; native id, with or without its system before it; the number people use; the id of a record that goes by another's
_FOUND = """
SELECT l.key FROM stream s JOIN link l ON l.stream = s.id WHERE l.key = ANY(%(keys)s)
UNION SELECT l.key FROM stream s JOIN link l ON l.stream = s.id AND l.native = %(text)s
UNION SELECT l.key FROM stream s JOIN link l ON l.stream = s.id AND l.native = %(native)s WHERE s.target = %(system)s
UNION SELECT key FROM image WHERE number = %(text)s
UNION SELECT key FROM identity WHERE native = ANY(%(keys)s) AND strpos(object, '.') = 0
UNION SELECT key FROM exception WHERE key = ANY(%(keys)s)
UNION SELECT key FROM finding WHERE key = ANY(%(keys)s)
UNION SELECT key FROM process WHERE key = ANY(%(keys)s)
ORDER BY 1
"""

# who refers to them and whom they refer to. A customer's life is its own and its accounts', not all it ever bought
_RELATED = """
WITH own AS (SELECT DISTINCT i.key, s.object, i.refs FROM image i JOIN stream s ON s.id = i.stream WHERE i.key = ANY(%(keys)s))
SELECT DISTINCT i.key FROM own o JOIN image i ON i.refs @> ARRAY[o.key] JOIN stream s ON s.id = i.stream
WHERE o.object <> 'customer' OR s.object = 'customer_account'
UNION
SELECT DISTINCT r.key FROM own o CROSS JOIN LATERAL unnest(o.refs) r (key)
WHERE EXISTS (SELECT FROM stream s JOIN image i ON i.stream = s.id AND i.key = r.key WHERE s.object <> 'customer')
"""

_DELIVERIES = """
SELECT y.at, y.dispatch, y.key, s.object, s.target, y.outcome, y.version, r.id AS run, r.kind, r.flow, r.undoes,
  coalesce(y.native, substr(y.key, strpos(y.key, ':') + 1)) AS native
FROM delivery y JOIN stream s ON s.id = y.stream JOIN dispatch d ON d.id = y.dispatch JOIN run r ON r.id = d.run
WHERE y.key = ANY(%(keys)s)
"""

_CHANGES = "SELECT key, dispatch, personal, basis, before, after FROM change WHERE key = ANY(%(keys)s)"

_FINDINGS = """
SELECT v.at, f.key, r.flow, r.id AS run, r.kind, f.gate, g.title, f.category FROM finding f
JOIN gate_verdict v ON v.run = f.run AND v.gate = f.gate JOIN run r ON r.id = f.run
LEFT JOIN gate_result g ON g.run = f.run AND g.gate = f.gate AND g.rule = f.rule WHERE f.key = ANY(%(keys)s)
"""

_EXCEPTIONS = """
SELECT opened, closed, kind, key, object, target, category, queue, message, answer, attempts, resolution, run, correlation::text
FROM exception WHERE key = ANY(%(keys)s)
"""

_APPROVALS = "SELECT at, object, key, rule, approved, who, why FROM approval WHERE key = ANY(%(keys)s)"
_STEPS = "SELECT at, name, key, step, status, who, why FROM process_event WHERE key = ANY(%(keys)s)"

_PARTS = {
    "deliveries": _DELIVERIES,
    "changes": _CHANGES,
    "findings": _FINDINGS,
    "exceptions": _EXCEPTIONS,
    "approvals": _APPROVALS,
    "steps": _STEPS,
}


def found(session: Session, text: str, systems: Sequence[str]) -> list[str]:
    """Canonical ids of the records `text` names."""
    system, _, native = text.partition(":")
    place = {"text": text, "system": system, "native": native, "keys": [text, *(f"{name}:{text}" for name in systems)]}
    return [row["key"] for row in session.execute(_FOUND, place).fetchall()]


def related(session: Session, keys: Sequence[str], steps: int = 3) -> list[str]:
    """Canonical ids of what belongs to the life of `keys`, themselves included: at most `steps` references away."""
    known = set(keys)
    for _ in range(steps):
        more = {row["key"] for row in session.execute(_RELATED, {"keys": sorted(known)}).fetchall()} - known
        if not more:
            break
        known |= more
    return sorted(known)


def history(session: Session, keys: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Everything that is kept about `keys`, by kind."""
    found = {name: session.execute(query, {"keys": list(keys)}).fetchall() for name, query in _PARTS.items()}
    return found | {"audit": _deeds(session, keys)}


def _deeds(session: Session, keys: Sequence[str]) -> list[dict[str, Any]]:
    """What was done by hand; what is kept under several subjects of a record once."""
    named = subjects_of(session, keys)
    deeds = {(row["at"], row["what"], named[row["subject"]]): row for row in audited(session, list(named))}
    return [row | {"key": key} for (_, _, key), row in deeds.items()]
