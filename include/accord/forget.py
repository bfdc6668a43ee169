"""Erasing a person: personal values of one record, or of one part of it (a contact), leave the hub; figures stay.

The systems themselves are not touched: a person is erased in the source first, and the next run carries that on. What the source
then says is remembered as of any record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from accord.errors import Stop
from accord.flows import FLOWS
from accord.hub.audit import audit, subjects_of
from accord.hub.connection import Session
from accord.pipeline.sweep import stale, sweep
from accord.runtime import Accord

_RECORD = """
SELECT 1 FROM image WHERE key = %(key)s UNION ALL SELECT 1 FROM change WHERE key = %(key)s UNION ALL
SELECT 1 FROM exception WHERE key = %(key)s UNION ALL
SELECT 1 FROM stream s JOIN link l ON l.stream = s.id AND l.key = %(key)s LIMIT 1
"""

_PART_OF = """
SELECT DISTINCT i.key FROM image i CROSS JOIN LATERAL jsonb_each(i.personal) e
WHERE i.personal <> '{}' AND jsonb_typeof(e.value) = 'object' AND e.value ? %(key)s
UNION
SELECT key FROM edit WHERE strpos(fields::text, '[' || %(key)s || ']') > 0
UNION
SELECT DISTINCT c.key FROM change c CROSS JOIN LATERAL (SELECT * FROM jsonb_each(c.before) UNION ALL SELECT * FROM jsonb_each(c.after)) e
WHERE c.personal AND jsonb_typeof(e.value) = 'object' AND e.value ? %(key)s
ORDER BY 1
"""

# of rules that the records failed: at the source gate they are known by the source's own ids
_REVIEWS = """
SELECT v.id FROM review v WHERE EXISTS (SELECT FROM exception e WHERE e.key = ANY(%(keys)s) AND e.flow = v.flow AND e.rule = v.rule)
  OR EXISTS (SELECT FROM finding f JOIN run r ON r.id = f.run
             WHERE f.key = ANY(%(names)s) AND r.flow = v.flow AND f.gate = v.gate AND f.rule = v.rule)
  OR EXISTS (SELECT FROM gate_result g JOIN run r ON r.id = g.run CROSS JOIN LATERAL jsonb_array_elements(g.samples) s
             WHERE s ->> 'key' = ANY(%(names)s) AND r.flow = v.flow AND g.gate = v.gate AND g.rule = v.rule)
"""

# free text of people, and what a system answered, may name anybody; what it was about stays, and that something was done
_TEXTS = {
    "exception": """UPDATE exception SET answer = NULL, resolution = CASE WHEN discarded THEN 'discarded' ELSE resolution END
                    WHERE key = ANY(%(keys)s) AND (answer IS NOT NULL OR (discarded AND resolution <> 'discarded'))""",
    "distinction": "UPDATE distinction SET why = '' WHERE key = ANY(%(keys)s) AND why <> ''",
    "approval": "UPDATE approval SET why = '' WHERE key = ANY(%(keys)s) AND why <> ''",
    "process": "UPDATE process SET given_up = 'erased' WHERE key = ANY(%(keys)s) AND given_up <> 'erased'",
    "process_event": "UPDATE process_event SET why = NULL WHERE key = ANY(%(keys)s) AND why IS NOT NULL",
    "review": "UPDATE review SET accepted_why = '' WHERE id = ANY(%(reviews)s) AND accepted_why <> ''",
    "review_comment": "UPDATE review_comment SET text = '(erased)' WHERE review = ANY(%(reviews)s) AND text <> '(erased)'",
    "audit": "UPDATE audit SET detail = detail - 'why' WHERE subject = ANY(%(subjects)s) AND detail ? 'why'",
}

_OF_A_RECORD = {
    "image": "UPDATE image SET personal = '{}' WHERE key = ANY(%(keys)s) AND personal <> '{}'",
    "change": "DELETE FROM change WHERE personal AND key = ANY(%(keys)s)",
    "edit": "DELETE FROM edit WHERE key = ANY(%(keys)s)",
    **_TEXTS,
}

_OF_A_PART = {
    "image": """UPDATE image SET personal = without_part(personal, %(part)s)
                WHERE key = ANY(%(keys)s) AND personal <> without_part(personal, %(part)s)""",
    "change": """UPDATE change SET before = without_part(before, %(part)s), after = without_part(after, %(part)s)
                 WHERE personal AND key = ANY(%(keys)s)
                   AND (before <> without_part(before, %(part)s) OR after <> without_part(after, %(part)s))""",
    "edit": """WITH gone AS (DELETE FROM edit WHERE key = ANY(%(keys)s) AND strpos(fields::text, '[' || %(part)s || ']') > 0 RETURNING key),
               silent AS (UPDATE edit SET why = '' WHERE key = ANY(%(keys)s) AND strpos(fields::text, '[' || %(part)s || ']') = 0
                          AND why <> '' RETURNING key)
               SELECT FROM gone UNION ALL SELECT FROM silent""",
    **_TEXTS,
}


def forget(accord: Accord, key: str, *, who: str, dry_run: bool = True) -> dict[str, Any]:
    """Erase the personal values of record `key` (a canonical id), or of the part of records it is the id of.

    Returns the records, the number of rows touched per table, and of staged folders deleted and still in use (these go when
    their run ends). A dry run says the same and writes nothing. Raises Stop when nothing is known of `key`.
    """
    with accord.hub.session() as session:
        whole = session.execute(_RECORD, {"key": key}).fetchone() is not None
        keys = [key] if whole else [row["key"] for row in session.execute(_PART_OF, {"key": key}).fetchall()]
        if not keys:
            raise Stop(
                f"Nothing is known of {key}.", cure="Give the canonical id of a record or of a part: salesforce:<id>."
            )
        with session.transaction(force_rollback=dry_run):
            rows = _erase(session, _OF_A_RECORD if whole else _OF_A_PART, keys, key)
        if not dry_run:
            audit(session, who, "forgotten", list(dict.fromkeys((key, *keys))), rows)
    # which staged files hold the person is not known without reading them all: those of ended runs go
    ended: Mapping[str, Any] = {"age": timedelta(0), "ended": True}
    folders = sum(len(accord.staging.folders(flow)) for flow in FLOWS)
    swept = sum(len(stale(accord, flow, **ended)) if dry_run else sweep(accord, flow, **ended) for flow in FLOWS)
    return {"key": key, "records": keys, "rows": rows, "staged": swept, "staged_in_use": folders - swept}


def _erase(session: Session, statements: Mapping[str, str], keys: Sequence[str], part: str) -> dict[str, int]:
    about: dict[str, Any] = {
        "keys": list(keys),
        "part": part,
        "names": [*keys, *(key.partition(":")[2] for key in keys)],
    }
    about["reviews"] = [row["id"] for row in session.execute(_REVIEWS, about).fetchall()]
    about["subjects"] = [*subjects_of(session, keys), *(f"review:{number}" for number in about["reviews"])]
    touched = {table: session.execute(statement.encode(), about).rowcount for table, statement in statements.items()}
    return {table: n for table, n in touched.items() if n}
