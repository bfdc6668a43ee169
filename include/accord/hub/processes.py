"""What the pipeline must know of processes: which records somebody gave up."""

from __future__ import annotations

from collections.abc import Sequence

from accord.hub.connection import Hub

# the process whose records are of an object
PROCESS_OF = {"order": "quote_to_cash"}


def given_up(hub: Hub, object_name: str, keys: Sequence[str]) -> dict[str, str]:
    """Those of `keys` somebody gave up, and why: for the other side they are gone."""
    process = PROCESS_OF.get(object_name)
    if process is None or not keys:
        return {}
    with hub.session() as session:
        rows = session.execute(
            """SELECT DISTINCT ON (e.key) e.key, e.why FROM process_event e
               WHERE e.name = %s AND e.key = ANY(%s) AND e.status = 'abandoning' AND e.why IS NOT NULL ORDER BY e.key, e.at DESC""",
            (process, list(keys)),
        ).fetchall()
    return {row["key"]: row["why"] for row in rows}
