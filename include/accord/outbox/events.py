"""Events: what the hub's history says happened, as CloudEvents 1.0
(https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md). Keys and states only, no personal data.

An event is derived, never stored: the same row gives the same id however often it is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from accord.hub.connection import Session
from accord.hub.processes import PROCESSES
from accord.records import correlation_id


class EventType(StrEnum):
    """What happened."""

    APPLIED = "accord.record.applied"
    DELETED = "accord.record.deleted"
    REJECTED = "accord.record.rejected"
    MOVED = "accord.process.moved"


# the one order of everything that happened: deliveries and processes share a sequence
_READ = """
SELECT * FROM (
  (SELECT y.position, y.at, CASE WHEN y.outcome = 'rejected' THEN %(rejected)s WHEN y.gone THEN %(deleted)s ELSE %(applied)s END AS type,
     s.object, s.target, y.key, y.native, y.merged_into, y.version, r.flow, d.run, d.id AS dispatch,
     NULL AS process, NULL AS step, NULL AS status
   FROM delivery y JOIN stream s ON s.id = y.stream JOIN dispatch d ON d.id = y.dispatch JOIN run r ON r.id = d.run
   WHERE y.position > %(after)s AND y.position <= %(until)s AND s.object = ANY(%(objects)s)
     AND ((y.outcome = 'rejected' AND %(rejected)s = ANY(%(types)s))
       OR (y.outcome = 'applied' AND CASE WHEN y.gone THEN %(deleted)s ELSE %(applied)s END = ANY(%(types)s)))
   ORDER BY y.position LIMIT %(most)s)
  UNION ALL
  (SELECT p.position, p.at, %(moved)s, %(object_of)s::jsonb ->> p.name, NULL, p.key, NULL, NULL, NULL, NULL, NULL, NULL,
     p.name, p.step, p.status
   FROM process_event p
   WHERE p.position > %(after)s AND p.position <= %(until)s AND %(moved)s = ANY(%(types)s)
     AND %(object_of)s::jsonb ->> p.name = ANY(%(objects)s)
   ORDER BY p.position LIMIT %(most)s)) e
ORDER BY position LIMIT %(most)s
"""
_COUNT = f"SELECT count(*) AS n FROM ({_READ}) counted"  # noqa: S608 - a constant

# everything about a record that is told, as it is called in the hub
_RECORD = ("object", "target", "key", "native", "merged_into", "version", "flow", "run", "dispatch")
_PROCESS = ("object", "process", "key", "step", "status")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events: those of these objects and types, in (`after`, `until`], positions of the outbox."""

    objects: Sequence[str]
    types: Sequence[str]
    after: int
    until: int


def read_events(session: Session, wanted: Wanted, most: int) -> list[dict[str, Any]]:
    """The first `most` events wanted, in order, as the hub's rows; `cloud_event` makes what is sent of them."""
    return session.execute(_READ, _arguments(wanted, most)).fetchall()


def count_events(session: Session, wanted: Wanted) -> int:
    """How many events are wanted."""
    row = session.execute(_COUNT, _arguments(wanted, None)).fetchone()
    return int(row["n"]) if row else 0


def _arguments(wanted: Wanted, most: int | None) -> dict[str, Any]:
    from psycopg.types.json import Jsonb

    return {
        "objects": list(wanted.objects),
        "types": [str(kind) for kind in wanted.types],
        "after": wanted.after,
        "until": wanted.until,
        "most": most,
        "object_of": Jsonb({process.name: process.object for process in PROCESSES.values()}),
        "applied": EventType.APPLIED.value,
        "deleted": EventType.DELETED.value,
        "rejected": EventType.REJECTED.value,
        "moved": EventType.MOVED.value,
    }


def cloud_event(row: Mapping[str, Any], sequence: int) -> dict[str, Any]:
    """One row as a CloudEvent. `sequence`: its number for the subscriber; all else is the same for everybody."""
    process = row["process"]
    event = {
        "specversion": "1.0",
        "id": str(row["position"]),
        "source": f"accord://process/{process}" if process else f"accord://{row['target']}/{row['object']}",
        "type": str(row["type"]),
        "subject": row["key"],
        "time": _instant(row["at"]),
        "datacontenttype": "application/json",
        # the extension `sequence` wants a string that sorts; 20 digits hold every number the hub can give
        "sequence": f"{sequence:020}",
    }
    if not process:
        version = row["version"].astimezone(UTC).isoformat() if row["version"] else ""
        event["correlationid"] = str(correlation_id(row["object"], row["key"], version))
    data = {name: row[name] for name in (_PROCESS if process else _RECORD) if row[name] is not None}
    if "version" in data:
        data["version"] = _instant(data["version"])
    return event | {"data": data}


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
