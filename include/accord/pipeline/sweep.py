"""Deleting staged files nothing needs any more."""

from __future__ import annotations

import logging
from datetime import timedelta

from accord.retention import STAGED_FILES
from accord.runtime import Accord

log = logging.getLogger(__name__)

# when another run has closed a dispatch (its fence rose), that was no sign of life of this one
_STALE = """
SELECT id FROM run r
WHERE flow = %(flow)s AND (id = %(done)s OR (NOT (%(ended)s AND state = 'open') AND greatest(
    started, ended,
    (SELECT max(at) FROM gate_verdict WHERE run = r.id),
    (SELECT max(CASE fence WHEN 1 THEN greatest(opened, closed) ELSE opened END)
     FROM dispatch WHERE run = r.id)) < now() - %(age)s))
  AND NOT EXISTS (SELECT FROM dispatch d WHERE d.run = r.id AND d.closed IS NULL)
"""


def stale(
    accord: Accord, flow: str, *, done: int | None = None, age: timedelta = STAGED_FILES, ended: bool = False
) -> list[str]:
    """Staged folders of a flow that nothing needs any more: run `done`'s, and those of runs that ended, or gave their last sign of
    life, `age` ago; with `ended`, of none that is still open. Files of a dispatch that is open stay: it will be read back against
    them."""
    with accord.hub.session() as session:
        rows = session.execute(_STALE, {"flow": flow, "done": done, "age": age, "ended": ended}).fetchall()
    return sorted(set(accord.staging.folders(flow)) & {str(row["id"]) for row in rows})


def sweep(
    accord: Accord, flow: str, *, done: int | None = None, age: timedelta = STAGED_FILES, ended: bool = False
) -> int:
    """Delete what `stale` finds; how many folders. A storage that fails is tried again by the next run."""
    swept = 0
    try:
        for folder in stale(accord, flow, done=done, age=age, ended=ended):
            accord.staging.remove(f"{flow}/{folder}")
            swept += 1
    except OSError as error:
        log.warning("staged files of %s were not deleted (%s); the next run does it", flow, type(error).__name__)
    return swept
