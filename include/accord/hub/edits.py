"""Values somebody set by hand, in force as long as the source says what it said then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from accord.hub.audit import audit
from accord.hub.connection import Hub, Session

PIPELINE = "accord"  # who supersedes an edit


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Values of one record (dotted path → JSON value) that take the place of the source's, while that says `said`. `read_at` is when
    that was read: only a later reading that says something else supersedes the edit."""

    said: bytes
    read_at: datetime
    fields: Mapping[str, Any]


def edits_of(hub: Hub, object_name: str, key: str | None = None) -> dict[str, Edit]:
    """Canonical id → the edit of that record, of every record of the object (of `key`)."""
    with hub.session() as session:
        rows = session.execute(
            "SELECT key, said, read_at, fields FROM edit WHERE object = %(object)s AND (%(key)s::text IS NULL OR key = %(key)s)",
            {"object": object_name, "key": key},
        ).fetchall()
    return {
        row["key"]: Edit(said=bytes(row["said"]), read_at=row["read_at"], fields=dict(row["fields"])) for row in rows
    }


def store_edit(session: Session, object_name: str, key: str, edit: Edit, *, who: str, why: str) -> None:
    """Keep `edit`, in the place of the record's earlier one."""
    session.execute(
        """INSERT INTO edit (object, key, said, read_at, fields, who, why) VALUES (%s, %s, %s, %s, %s, %s, %s)
           ON CONFLICT (object, key) DO UPDATE SET said = excluded.said, read_at = excluded.read_at, fields = excluded.fields,
             who = excluded.who, why = excluded.why, at = now()""",
        (object_name, key, edit.said, edit.read_at, Jsonb(dict(edit.fields)), who, why),
    )


def drop_edits(session: Session, object_name: str, keys: Sequence[str]) -> list[str]:
    """Forget the edits of `keys`; the keys that had one."""
    rows = session.execute(
        "DELETE FROM edit WHERE object = %s AND key = ANY(%s) RETURNING key", (object_name, list(keys))
    ).fetchall()
    return sorted(row["key"] for row in rows)


def supersede(hub: Hub, object_name: str, edits: Mapping[str, Edit]) -> None:
    """Forget `edits`, as the source says something else now, and tell so in the audit. One that was made anew meanwhile stays."""
    with hub.session() as session:
        for key, edit in sorted(edits.items()):
            gone = session.execute(
                "DELETE FROM edit WHERE object = %s AND key = %s AND said = %s AND read_at = %s",
                (object_name, key, edit.said, edit.read_at),
            ).rowcount
            if gone:
                detail = {"fields": sorted(edit.fields), "why": "the source says something else now"}
                audit(session, PIPELINE, "edit superseded", [f"{object_name} {key}"], detail)
