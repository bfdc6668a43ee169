"""Which canonical id a record goes by that carries on another, or is carried on: hub rows, read once, written at once.

Rows are about few records: those that asked for something another record may ask for too, and those that carry one on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from accord.hub.connection import Hub, Session
from accord.objects import OBJECTS

_KNOWN = """
SELECT native, key, carries_on FROM identity
WHERE object = %(object)s AND (native = ANY(%(keys)s) OR key = ANY(%(keys)s) OR carries_on = ANY(%(keys)s))
"""

_SENT = """
SELECT DISTINCT l.key FROM link l JOIN stream s ON s.id = l.stream
WHERE s.object = %(object)s AND l.key = ANY(%(keys)s) AND (l.hash IS NOT NULL OR l.dispatch IS NOT NULL)
"""

# what is told of a record is told again where it is kept from now on
_FORGET = """
DELETE FROM link l USING stream s
WHERE s.id = l.stream AND s.target = %(source)s AND s.object = ANY(%(about)s) AND l.key = ANY(%(keys)s) AND l.dispatch IS NULL
"""

# what it was told elsewhere is not what it is told there
_FORGET_IMAGES = """
DELETE FROM image i USING stream s
WHERE s.id = i.stream AND s.target = %(source)s AND s.object = ANY(%(about)s) AND i.key = ANY(%(keys)s)
  AND NOT EXISTS (SELECT FROM link l WHERE l.stream = i.stream AND l.key = i.key)
"""


class Identities:
    """The identities of some records of one object, under a lock until the transaction ends."""

    def __init__(
        self, session: Session, object_name: str, rows: Iterable[Mapping[str, str | None]], sent: set[str]
    ) -> None:
        self._session, self._object, self._sent = session, object_name, sent
        self._by_native = {str(row["native"]): str(row["key"]) for row in rows}
        self._by_key = {key: native for native, key in self._by_native.items()}
        self._carries = {str(row["native"]): row["carries_on"] for row in rows}
        self._moved: list[str] = []

    @classmethod
    def about(cls, session: Session, object_name: str, keys: Sequence[str]) -> Identities:
        """What is known of the records with these canonical ids, and of those that go by them or carry them on."""
        session.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"identity {object_name}",))
        arguments = {"object": object_name, "keys": list(keys)}
        rows = session.execute(_KNOWN, arguments).fetchall()
        sent = {row["key"] for row in session.execute(_SENT, arguments).fetchall()}
        return cls(session, object_name, rows, sent)

    def __contains__(self, native: str) -> bool:
        return native in self._by_native

    def key(self, native: str) -> str:
        """The id `native` goes by: its own where nothing else is known."""
        return self._by_native.get(native, native)

    def holder(self, key: str) -> str | None:
        """Who goes by `key`; None as long as nobody claimed it."""
        return self._by_key.get(key)

    def carriers(self, origin: str) -> list[str]:
        """Those that carry on `origin` under ids of their own."""
        return [native for native, carried in self._carries.items() if carried == origin and self.key(native) == native]

    def was_sent(self, key: str) -> bool:
        """Whether some system was, or may have been, told of `key`."""
        return key in self._sent

    def claim(self, native: str, *, carries_on: str | None = None) -> None:
        """It goes by its own id."""
        self._write(native, native, carries_on)

    def take_over(self, native: str, origin: str) -> None:
        """It goes by the id of the record it carries on."""
        self._forget(origin)
        self._write(native, origin, origin)
        self._moved.append(origin)

    def hand_back(self, origin: str) -> None:
        """The record goes by its id again that was carried on."""
        native = self._by_key[origin]
        self._forget(native)
        self._session.execute(
            "DELETE FROM identity WHERE object LIKE %s AND carries_on = %s", (f"{self._object}.%", native)
        )
        self._write(origin, origin, None)
        self._moved.append(origin)

    def carries(self, native: str, origin: str | None) -> None:
        """Remember what it carries on now, if anything."""
        if self._carries[native] != origin:
            self._carries[native] = origin
            self._session.execute(
                "UPDATE identity SET carries_on = %s WHERE object = %s AND native = %s", (origin, self._object, native)
            )

    def tell_anew(self, source: str) -> None:
        """What `source` was told about records that are kept elsewhere since is told again."""
        if self._moved:
            about = [one.name for one in OBJECTS.values() if one.about == self._object]
            for statement in (_FORGET, _FORGET_IMAGES):
                self._session.execute(statement, {"source": source, "about": about, "keys": self._moved})

    def _write(self, native: str, key: str, carries_on: str | None) -> None:
        self._by_native[native], self._by_key[key], self._carries[native] = key, native, carries_on
        self._session.execute(
            "INSERT INTO identity (object, native, key, carries_on) VALUES (%s, %s, %s, %s)",
            (self._object, native, key, carries_on),
        )

    def _forget(self, native: str) -> None:
        self._by_key.pop(self._by_native.pop(native), None)
        self._carries.pop(native, None)
        self._session.execute("DELETE FROM identity WHERE object = %s AND native = %s", (self._object, native))

    @staticmethod
    def of_parts(
        session: Session, object_name: str, pairs: Iterable[tuple[str, str, str]], ids: Sequence[str]
    ) -> dict[str, str]:
        """Part → the id it goes by, for those of `ids` that go by another. `pairs` are new ones (part, the id, its record); a
        part that is known keeps its id, and an id goes to one part."""
        with session.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO identity (object, native, key, carries_on) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [(object_name, *pair) for pair in pairs],
            )
        rows = session.execute(
            "SELECT native, key FROM identity WHERE object = %s AND native = ANY(%s)", (object_name, list(ids))
        ).fetchall()
        return {row["native"]: row["key"] for row in rows}


def natives(session: Session, object_name: str, keys: Sequence[str]) -> dict[str, str]:
    """Canonical id → the one the record, or part, that goes by it has by itself, where they differ."""
    rows = session.execute(
        "SELECT key, native FROM identity WHERE object = %s AND key = ANY(%s) AND native <> key",
        (object_name, list(keys)),
    ).fetchall()
    return {row["key"]: row["native"] for row in rows}


def key_of(hub: Hub, object_name: str, native: str) -> str:
    """The canonical id that the record `native` goes by: its own where nothing else is known."""
    with hub.session() as session:
        row = session.execute(
            "SELECT key FROM identity WHERE object = %s AND native = %s", (object_name, native)
        ).fetchone()
    return str(row["key"]) if row else native
