"""What a settled dispatch changed, field by field, and what its target was then last told: written with the results, set-based."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accord.hub.connection import Session

# what was applied, with what was known before it. Seeds are sent once and stay; a record that is gone keeps its last values.
# One statement, and no function of ours in it: calling one per record would take as long as all the rest. What did not change is
# not taken apart, what did only once (OFFSET 0: else for every mention of `same`), and seeds are looked for only where there are some
_RECORD = """
WITH imaged AS MATERIALIZED (
  SELECT r.key, r.number, r.refs,
    CASE WHEN i.key IS NOT NULL THEN 'applied' WHEN r.was_plain IS NOT NULL THEN 'read'
         WHEN r.created THEN 'created' ELSE 'unknown' END AS basis,
    was.plain AS old_plain, was.personal AS old_personal,
    CASE WHEN r.gone THEN was.plain WHEN i.key IS NULL OR NOT i.plain ?| %(seeds)s::text[] THEN '{}'
         ELSE (SELECT coalesce(jsonb_object_agg(n, i.plain -> n), '{}') FROM unnest(%(seeds)s::text[]) n WHERE i.plain ? n)
    END || r.plain AS new_plain,
    CASE WHEN r.gone THEN was.personal WHEN i.key IS NULL OR NOT i.personal ?| %(seeds)s::text[] THEN '{}'
         ELSE (SELECT coalesce(jsonb_object_agg(n, i.personal -> n), '{}') FROM unnest(%(seeds)s::text[]) n WHERE i.personal ? n)
    END || r.personal AS new_personal
  FROM result r LEFT JOIN image i ON i.stream = %(stream)s AND i.key = r.key
  CROSS JOIN LATERAL (SELECT coalesce(i.plain, r.was_plain, '{}') AS plain, coalesce(i.personal, r.was_personal, '{}') AS personal) was
  WHERE r.outcome = 'applied' AND r.plain IS NOT NULL),
changed AS (
  INSERT INTO change (dispatch, stream, key, personal, basis, before, after)
  SELECT %(dispatch)s, %(stream)s, key, personal, basis,
    CASE WHEN same IS NULL THEN '{}' ELSE old - same END, CASE WHEN same IS NULL THEN '{}' ELSE new - same END
  FROM imaged
  CROSS JOIN LATERAL (VALUES (false, old_plain, new_plain), (true, old_personal, new_personal)) c (personal, old, new)
  CROSS JOIN LATERAL (SELECT CASE WHEN old <> new
    THEN ARRAY(SELECT e.key FROM jsonb_each(old) e WHERE new -> e.key = e.value) END AS same OFFSET 0) s
  WHERE same IS NOT NULL OR NOT personal)
INSERT INTO image AS i (stream, key, dispatch, number, refs, plain, personal)
SELECT %(stream)s, key, %(dispatch)s, number, refs, new_plain, new_personal FROM imaged ORDER BY key
ON CONFLICT (stream, key) DO UPDATE SET dispatch = excluded.dispatch, at = now(), number = coalesce(excluded.number, i.number),
  refs = coalesce(excluded.refs, i.refs), plain = excluded.plain, personal = excluded.personal
"""

_UNPICTURED = """
SELECT c.key FROM claiming c JOIN link l ON l.stream = %(stream)s AND l.key = c.key
WHERE l.dispatch = %(dispatch)s AND (l.hash IS NOT NULL OR l.native IS NOT NULL)
  AND NOT EXISTS (SELECT FROM image i WHERE i.stream = %(stream)s AND i.key = c.key)
LIMIT %(most)s
"""


def record_changes(session: Session, arguments: Mapping[str, Any], seeds: Sequence[str]) -> None:
    """Write the changes of the applied rows of the temporary table `result`, and their images. `arguments`: stream, dispatch;
    `seeds`: fields that are sent when a record is created and never after."""
    session.execute(_RECORD, {**arguments, "seeds": list(seeds)})


def without_image(session: Session, *, stream: int, dispatch: int, most: int) -> list[str]:
    """Keys just claimed by `dispatch` (same transaction) that the target has, though no image says what it was told of them;
    at most `most`."""
    rows = session.execute(_UNPICTURED, {"stream": stream, "dispatch": dispatch, "most": most}).fetchall()
    return [row["key"] for row in rows]
