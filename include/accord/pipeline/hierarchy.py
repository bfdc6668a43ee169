"""Records below others of the same object: parents before children, in one chunk, or left out where a parent does not belong.

The statements work on `staged` (accord.pipeline.compare). Loops were quarantined by the gate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accord.hub.connection import Session

# a parent is there when the target is its origin, or when a link has seen it applied
_FIND = """
UPDATE staged s SET parent_native = p.native
FROM (SELECT c.key, CASE WHEN starts_with(c.parent, %(origin)s) THEN substr(c.parent, length(%(origin)s) + 1)
                         ELSE coalesce(l.native, substr(l.key, strpos(l.key, ':') + 1)) END AS native
      FROM staged c LEFT JOIN link l ON l.stream = %(stream)s AND l.key = c.parent AND l.hash IS NOT NULL
      WHERE c.bucket = 'changed' AND c.parent IS NOT NULL
        AND (l.key IS NOT NULL OR starts_with(c.parent, %(origin)s))) p
WHERE s.key = p.key
"""

# a parent that does not belong into this target is left out of the record
_LEAVE_OUT = """
UPDATE staged s SET parent_left_out = true
WHERE s.bucket = 'changed' AND s.parent IS NOT NULL AND s.parent_native IS NULL AND (
  EXISTS (SELECT FROM staged p WHERE p.key = s.parent AND p.bucket = 'excluded')
  OR (NOT EXISTS (SELECT FROM staged p WHERE p.key = s.parent)
      AND EXISTS (SELECT FROM link l WHERE l.stream = %(stream)s AND l.key = s.parent AND l.hash IS NULL AND l.gone)))
"""

# what is sent then says nothing of a parent; once the parent is there, the content differs and goes again
_HASH_ALONE = "UPDATE staged SET hash = hash_alone WHERE parent_left_out"

# children that come alone later must know that their parent is not to be waited for
_REMEMBER = """
INSERT INTO link (stream, key, gone)
SELECT DISTINCT %(stream)s::smallint, parent, true FROM staged WHERE parent_left_out AND bucket = 'changed' ORDER BY parent
ON CONFLICT DO NOTHING
"""

# who was below nobody before, and is below one that does not belong now: nothing is sent, but the parent may belong one day
_STILL_ALONE = """
UPDATE link l SET left_out = s.parent FROM staged s
WHERE l.stream = %(stream)s AND l.key = s.key AND s.bucket = 'unchanged' AND s.parent_left_out AND l.dispatch IS NULL
  AND l.left_out IS DISTINCT FROM s.parent
"""

_HOLD = """
UPDATE staged s SET bucket = 'parked', awaits = s.parent, awaits_object = %(object)s
WHERE s.bucket = 'changed' AND NOT s.gone AND s.parent IS NOT NULL AND s.parent_native IS NULL AND NOT s.parent_left_out
  AND NOT EXISTS (SELECT FROM staged p WHERE p.key = s.parent AND p.bucket = 'changed')
"""

# the tree a changed record belongs to and how deep it stands in it; what stands at the top is its tree, and most are alone
_PLACE = """
WITH RECURSIVE placed AS (
  SELECT s.key, s.key AS tree, 0 AS depth FROM staged s
  WHERE s.bucket = 'changed' AND EXISTS (SELECT FROM staged c WHERE c.parent = s.key AND c.bucket = 'changed' AND NOT c.gone)
    AND NOT EXISTS (SELECT FROM staged p WHERE p.key = s.parent AND p.bucket = 'changed' AND NOT s.gone)
  UNION ALL
  SELECT c.key, p.tree, p.depth + 1 FROM placed p JOIN staged c ON c.parent = p.key AND c.bucket = 'changed' AND NOT c.gone
  WHERE p.depth < 1000)
UPDATE staged s SET tree = p.tree, depth = p.depth FROM placed p WHERE p.key = s.key AND p.depth > 0
"""


def find_parents(session: Session, arguments: Mapping[str, Any]) -> None:
    """Find each changed record's parent in the target; one that does not belong there is left out."""
    for statement in (_FIND, _LEAVE_OUT, _HASH_ALONE):
        session.execute(statement, arguments)


def hold_for_parents(session: Session, arguments: Mapping[str, Any]) -> None:
    """Park the changed records whose parent is not there and does not go with them; place the others in their trees."""
    if not arguments["dry"]:
        session.execute(_REMEMBER, arguments)
        session.execute(_STILL_ALONE, arguments)
    while session.execute(_HOLD, arguments).rowcount:
        pass  # a parked parent parks its children in turn
    session.execute(_PLACE)
