"""Decisions about single records, as the gate asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from accord.hub.connection import Hub

Decided = tuple[bool, str]  # whether it was approved, and why


def decisions(hub: Hub, object_name: str, versions: Mapping[str, datetime]) -> dict[tuple[str, str], Decided]:
    """(key, rule) → what was decided about just that version of the record. `versions`: key → version."""
    if not versions:
        return {}
    with hub.session() as session:
        rows = session.execute(
            """SELECT a.key, a.rule, a.approved, a.why FROM approval a
               JOIN unnest(%s::text[], %s::timestamptz[]) AS v (key, version) ON v.key = a.key AND v.version = a.version
               WHERE a.object = %s""",
            (list(versions), list(versions.values()), object_name),
        ).fetchall()
    return {(row["key"], row["rule"]): (row["approved"], row["why"]) for row in rows}
