"""What the pipeline must know of processes: which records somebody gave up."""

from __future__ import annotations

from collections.abc import Sequence

from accord.hub.connection import Hub

QUOTE_TO_CASH = "quote_to_cash"
# the process whose records are of an object
PROCESS_OF = {"order": QUOTE_TO_CASH}


def given_up(hub: Hub, object_name: str, keys: Sequence[str]) -> dict[str, str]:
    """Those of `keys` somebody gave up, and why: for the other side they are gone."""
    process = PROCESS_OF.get(object_name)
    if process is None or not keys:
        return {}
    with hub.session() as session:
        rows = session.execute(
            "SELECT key, given_up FROM process WHERE name = %s AND key = ANY(%s) AND given_up IS NOT NULL",
            (process, list(keys)),
        ).fetchall()
    return {row["key"]: row["given_up"] for row in rows}
