"""What a person decided about two records that look like one: that they are two, or which record of the target one of them is."""

from __future__ import annotations

from collections.abc import Sequence

from accord.hub.connection import Session


def decided(session: Session, object_name: str, target: str, keys: Sequence[str]) -> set[frozenset[str]]:
    """The pairs of records somebody decided about, of those that name one of `keys`."""
    rows = session.execute(
        "SELECT key, other FROM distinction WHERE object = %s AND target = %s AND (key = ANY(%s) OR other = ANY(%s))",
        (object_name, target, list(keys), list(keys)),
    ).fetchall()
    return {frozenset((row["key"], row["other"])) for row in rows}


def distinguish(
    session: Session, object_name: str, target: str, pair: tuple[str, str], *, same: bool, who: str, why: str
) -> None:
    """Keep a decision about `pair`, the canonical id of the one that waits and the record it looks like."""
    session.execute(
        """INSERT INTO distinction (object, target, key, other, same, who, why) VALUES (%s, %s, %s, %s, %s, %s, %s)
           ON CONFLICT (object, target, key, other) DO UPDATE
           SET same = excluded.same, who = excluded.who, why = excluded.why, at = now()""",
        (object_name, target, *pair, same, who, why),
    )


def adopt(session: Session, stream: int, key: str, native: str) -> bool:
    """Make the record `native` of the target the one of `key`, before anything was sent; False when either belongs to another."""
    taken = session.execute(
        """SELECT FROM link WHERE stream = %(stream)s AND (
             (native = %(native)s AND key <> %(key)s) OR (key = %(key)s AND (hash IS NOT NULL OR native <> %(native)s)))""",
        {"stream": stream, "native": native, "key": key},
    ).fetchone()
    if taken is not None:
        return False
    session.execute(
        """INSERT INTO link (stream, key, native) VALUES (%s, %s, %s)
           ON CONFLICT (stream, key) DO UPDATE SET native = excluded.native""",
        (stream, key, native),
    )
    return True
