"""Dispatches and claims: what may be sent, by whom, and what became of it. Every statement here is one step of the write-ahead
protocol; the order of the steps is `accord.pipeline.load`'s."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

import pyarrow as pa
from psycopg.types.json import Jsonb

from accord.batch import StagedFile
from accord.errors import InDoubt
from accord.hub.changes import record_changes
from accord.hub.connection import Hub, Session
from accord.hub.copying import copy_into


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """A chunk on its way to one target, as the hub knows it."""

    id: int
    run: int
    stream: int
    target: str
    object: str
    chunk: int
    part: int
    file: StagedFile
    remote: str | None
    send_before: datetime
    fence: int


_COLUMNS = """d.id, d.run, d.stream, s.target, s.object, d.chunk, d.part, d.file, d.remote, d.send_before, d.fence
FROM dispatch d JOIN stream s ON s.id = d.stream"""


def _dispatch(row: Mapping[str, Any]) -> Dispatch:
    return Dispatch(**{**row, "file": StagedFile(**row["file"])})


class TakenOver(InDoubt):
    """Another process has taken a dispatch over: this one must send no more of it."""


class OpenDispatch:
    """The sender's side of an open dispatch: a lease that is renewed before requests and the fence that shuts a zombie out.

    Implements accord.ports.Sending. The deadline is monotonic, so a stepped clock can't stretch it. `since` is the monotonic
    instant before the dispatch was written: the hub counts the lease from then, however long the claiming took.
    """

    def __init__(self, hub: Hub, dispatch: int, fence: int, lease: timedelta, since: float) -> None:
        self._hub, self._id, self.fence, self._lease = hub, dispatch, fence, lease.total_seconds()
        self._until = since + self._lease

    @property
    def dispatch(self) -> int:
        """Its number in the hub."""
        return self._id

    def before_request(self) -> None:
        """Renew the lease when half of it is over; a late sender asks too. Raises TakenOver when somebody took the dispatch over."""
        left = self._until - time.monotonic()
        if left < self._lease / 2:
            asked = time.monotonic()
            with self._hub.session() as session:
                renewed = session.execute(
                    """UPDATE dispatch SET send_before = now() + make_interval(secs => %s)
                       WHERE id = %s AND fence = %s AND closed IS NULL""",
                    (self._lease, self._id, self.fence),
                ).rowcount
            if not renewed:
                raise TakenOver(
                    f"Dispatch {self._id} was taken over.", cure="Nothing to do: the other process settles it."
                )
            self._until = asked + self._lease

    def remember_remote(self, remote: str) -> None:
        """Store the remote job's id, before the job is let loose."""
        with self._hub.session() as session:
            session.execute(
                "UPDATE dispatch SET remote = %s WHERE id = %s AND fence = %s", (remote, self._id, self.fence)
            )


def open_dispatch(
    session: Session, *, run: int, attempt: int, stream: int, chunk: int, file: StagedFile, lease: timedelta
) -> tuple[int, int] | None:
    """Write a dispatch ahead of its sending; (its number, its part within the chunk).

    None when one of the chunk is open already: the same task was started twice, and a chunk's outcomes are counted once.
    """
    # two at the same time take the same part: the second waits for the first one's commit and then has a conflict
    row = session.execute(
        """INSERT INTO dispatch (run, attempt, stream, chunk, part, file, send_before)
           SELECT %(run)s, %(attempt)s, %(stream)s, %(chunk)s, coalesce(max(part) + 1, 0), %(file)s,
                  now() + make_interval(secs => %(lease)s)
           FROM dispatch WHERE run = %(run)s AND attempt = %(attempt)s AND stream = %(stream)s AND chunk = %(chunk)s
           HAVING coalesce(bool_and(closed IS NOT NULL), true)
           ON CONFLICT DO NOTHING RETURNING id, part""",
        {
            "run": run,
            "attempt": attempt,
            "stream": stream,
            "chunk": chunk,
            "file": Jsonb(asdict(file)),
            "lease": lease.total_seconds(),
        },
    ).fetchone()
    return (int(row["id"]), int(row["part"])) if row else None


_STAGE = """
CREATE TEMP TABLE claiming (key text PRIMARY KEY, version timestamptz, read_at timestamptz, hash bytea, gone boolean) ON COMMIT DROP
"""

# who claims records of an object that live in one system at a time does it alone, for as long as the claiming takes: two
# claims of one key are rows of two streams, which no key keeps apart. One lock, as a chunk has more records than PostgreSQL locks
_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('claim ' || %(object)s, 0))"

# of a record `w`: another system has it, or is being told of it right now
ANOTHER_HAS_IT: LiteralString = """EXISTS (
  SELECT FROM stream o JOIN link l ON l.stream = o.id AND l.key = w.key
  WHERE o.object = %(object)s AND o.id <> %(stream)s AND ((l.hash IS NOT NULL AND NOT l.gone) OR l.dispatch IS NOT NULL))"""

# what would be created here meanwhile
_ELSEWHERE: LiteralString = (
    """
DELETE FROM claiming w
WHERE NOT w.gone
  AND NOT EXISTS (SELECT FROM link l WHERE l.stream = %(stream)s AND l.key = w.key
                  AND ((l.hash IS NOT NULL AND NOT l.gone)
                       OR (%(undone)s::bigint IS NULL AND NOT newer(w.version, w.read_at, l.version, l.read_at, %(overlap)s))))
  AND """
    + ANOTHER_HAS_IT
    + "\nRETURNING w.key\n"
)

# comparing the version and claiming the key are this one statement; ORDER BY keeps racing claimers from deadlocking
_CLAIM = """
INSERT INTO link AS l (stream, key, dispatch, p_version, p_read_at, p_hash)
SELECT %(stream)s, key, %(dispatch)s, version, read_at, hash FROM claiming ORDER BY key
ON CONFLICT (stream, key) DO UPDATE SET
  dispatch = excluded.dispatch, p_version = excluded.p_version, p_read_at = excluded.p_read_at, p_hash = excluded.p_hash
WHERE l.dispatch IS NULL AND l.hash IS DISTINCT FROM excluded.p_hash
  AND newer(excluded.p_version, excluded.p_read_at, l.version, l.read_at, %(overlap)s)
RETURNING key, native
"""

_REFUSED = """
SELECT c.key, CASE WHEN l.dispatch IS NULL AND l.hash = c.hash THEN 'unchanged'
                   WHEN NOT newer(c.version, c.read_at, l.version, l.read_at, %(overlap)s) THEN 'superseded'
                   ELSE 'busy' END AS bucket
FROM claiming c JOIN link l ON l.stream = %(stream)s AND l.key = c.key
WHERE l.dispatch IS DISTINCT FROM %(dispatch)s
"""

# what is undone: only what the undone run was the last to write; what the source said stays as it is
_CLAIM_BACK = """
UPDATE link l SET dispatch = %(dispatch)s, p_version = l.version, p_read_at = l.read_at, p_hash = l.hash
FROM (SELECT l.key FROM claiming c JOIN link l ON l.stream = %(stream)s AND l.key = c.key
      JOIN image i ON i.stream = %(stream)s AND i.key = c.key
      WHERE l.dispatch IS NULL AND i.dispatch IN (SELECT id FROM dispatch WHERE run = %(undone)s)
      ORDER BY l.key FOR UPDATE OF l, i) c
WHERE l.stream = %(stream)s AND l.key = c.key
RETURNING l.key, l.native
"""

_REFUSED_BACK = """
SELECT c.key, CASE WHEN l.dispatch IS NOT NULL THEN 'busy'
                   WHEN d.run = (SELECT run FROM dispatch WHERE id = %(dispatch)s) THEN 'unchanged'
                   ELSE 'superseded' END AS bucket
FROM claiming c LEFT JOIN link l ON l.stream = %(stream)s AND l.key = c.key
LEFT JOIN image i ON i.stream = %(stream)s AND i.key = c.key LEFT JOIN dispatch d ON d.id = i.dispatch
WHERE l.dispatch IS DISTINCT FROM %(dispatch)s
"""


def claim(
    session: Session,
    *,
    stream: int,
    dispatch: int,
    rows: pa.Table,
    overlap: timedelta,
    undone: int | None = None,
    one_place: str | None = None,
) -> tuple[dict[str, str | None], dict[str, str]]:
    """Claim the keys of `rows` (columns key, version, read_at, hash, gone) for `dispatch`. A version older than the
    applied one is claimed only when it was read later, and the applied one is older than that reading by `overlap`. With `undone`,
    a run, only keys that this run was the last to write are claimed, at the version they have. `one_place` names the object when its
    records live in one system at a time: none is claimed to be created that another system has, or is being told of.

    Returns (claimed key → the target's own id or None, refused key → unchanged | superseded | busy | elsewhere).
    """
    session.execute(_STAGE)
    copy_into(session, "claiming", rows)
    arguments = {
        "stream": stream, "dispatch": dispatch, "overlap": overlap.total_seconds(), "undone": undone, "object": one_place,
    }  # fmt: skip
    elsewhere: dict[str, str] = {}
    if one_place:
        session.execute(_ALONE, arguments)
        elsewhere = {r["key"]: "elsewhere" for r in session.execute(_ELSEWHERE, arguments).fetchall()}
    taking, refusing = (_CLAIM, _REFUSED) if undone is None else (_CLAIM_BACK, _REFUSED_BACK)
    claimed = {r["key"]: r["native"] for r in session.execute(taking, arguments).fetchall()}
    refused = {r["key"]: r["bucket"] for r in session.execute(refusing, arguments).fetchall()}
    return claimed, refused | elsewhere


_RESULTS = """
CREATE TEMP TABLE result (key text PRIMARY KEY, native text, outcome text, gone boolean, merged_into text, deleted boolean,
  left_out text, state text, currency text, amount numeric, created boolean, plain jsonb, personal jsonb, number text, refs text[],
  was_plain jsonb, was_personal jsonb) ON COMMIT DROP
"""

# what was gone before the target ever had it is buried: nothing is there that a later version could change
_APPLY = """
UPDATE link l SET version = p_version, read_at = p_read_at, native = coalesce(r.native, l.native),
  hash = CASE WHEN r.gone AND coalesce(r.native, l.native) IS NULL THEN NULL ELSE p_hash END,
  gone = r.gone, merged_into = r.merged_into, deleted = r.deleted, let_go = r.gone AND NOT r.deleted,
  left_out = r.left_out, state = r.state,
  dispatch = NULL, p_version = NULL, p_read_at = NULL, p_hash = NULL
FROM result r
WHERE l.stream = %(stream)s AND l.key = r.key AND l.key BETWEEN %(low)s AND %(high)s AND l.dispatch = %(dispatch)s
  AND r.outcome = 'applied'
"""

_FREE = """
UPDATE link SET dispatch = NULL, p_version = NULL, p_read_at = NULL, p_hash = NULL WHERE stream = %(stream)s AND dispatch = %(dispatch)s
"""

# claimed first and never applied: nothing is known of it, so nothing is kept
_FORGET = "DELETE FROM link WHERE stream = %(stream)s AND dispatch = %(dispatch)s AND hash IS NULL AND native IS NULL"

_DELIVER = """
INSERT INTO delivery (dispatch, stream, key, version, hash, outcome, native, gone, merged_into)
SELECT %(dispatch)s, %(stream)s, r.key, CASE WHEN l.dispatch = %(dispatch)s THEN l.p_version ELSE l.version END,
  CASE WHEN l.dispatch = %(dispatch)s THEN l.p_hash ELSE l.hash END, r.outcome, coalesce(r.native, l.native), r.gone, r.merged_into
FROM result r LEFT JOIN link l ON l.stream = %(stream)s AND l.key = r.key
"""

_CLOSE_EXCEPTIONS = """
UPDATE exception SET state = 'closed', closed = now(), resolution = 'a later delivery succeeded'
WHERE id IN (
  SELECT e.id FROM exception e JOIN result r ON r.key = e.key JOIN link l ON l.stream = %(stream)s AND l.key = r.key
  WHERE e.object = %(object)s AND e.target IN ('', %(target)s) AND e.state <> 'closed' AND e.kind <> 'difference'
    AND r.outcome IN ('applied', 'unchanged') AND (e.version IS NULL OR e.version <= l.version)
  ORDER BY e.id FOR UPDATE OF e)  -- two targets that close the same ones take them in the same order
"""

# what was sent is no suspect any more; what keeps it back now is a matter of its own
_CLEAR = """
UPDATE exception SET state = 'closed', closed = now(), resolution = 'it is no suspected duplicate any more'
WHERE id IN (
  SELECT e.id FROM exception e JOIN result r ON r.key = e.key
  WHERE e.object = %(object)s AND e.target = %(target)s AND e.kind = 'duplicate' AND e.state <> 'closed'
    AND r.outcome IN ('rejected', 'parked')
  ORDER BY e.id FOR UPDATE OF e)
"""

# somebody asked for it after all, or the source says something else by now; an undo is neither
_REVIVE = """
UPDATE exception e SET discarded = false FROM result r
WHERE e.discarded AND e.object = %(object)s AND e.target IN ('', %(target)s) AND e.key = r.key AND r.outcome = 'applied'
  AND NOT EXISTS (SELECT FROM dispatch d JOIN run u ON u.id = d.run WHERE d.id = %(dispatch)s AND u.undoes IS NOT NULL)
"""

_SUMS = """
UPDATE dispatch SET closed = now(),
  counts = coalesce((SELECT jsonb_object_agg(outcome, n) FROM (SELECT outcome, count(*) AS n FROM result GROUP BY outcome) c), '{}'),
  amounts = coalesce((SELECT jsonb_object_agg(outcome, sums) FROM (
     SELECT outcome, jsonb_object_agg(currency, amount) AS sums FROM (
       SELECT outcome, currency, sum(amount)::text AS amount FROM result WHERE amount <> 0 GROUP BY outcome, currency) a
     GROUP BY outcome) b), '{}')
WHERE id = %(dispatch)s AND fence = %(fence)s AND closed IS NULL
"""


def settle_dispatch(
    session: Session, dispatch: Dispatch, fence: int, results: pa.Table, *, seeds: Sequence[str] = ()
) -> bool:
    """Close `dispatch` with `results` (accord.pipeline.outcomes.OUTCOMES) in one transaction: applied state, freed claims, history,
    changes by field, exceptions of what succeeded, counts. Claims of keys that have no result are freed. `seeds` are the fields
    that stay as they were told before: those sent only when a record is created, and those the target does not take now.

    Returns False, having changed nothing, when another process settled it first.
    """
    session.execute(_RESULTS)
    copy_into(session, "result", results)
    # of what is looked for: the images would cost as much as all the rest
    session.execute("ANALYZE result (key, outcome)")
    keys = sorted(results["key"].to_pylist())
    arguments = {
        "stream": dispatch.stream,
        "dispatch": dispatch.id,
        "fence": fence,
        "object": dispatch.object,
        "target": dispatch.target,
        "low": keys[0] if keys else "",
        "high": keys[-1] if keys else "",
    }
    if not session.execute(_SUMS, arguments).rowcount:
        session.execute("DROP TABLE result")
        return False
    session.execute(_DELIVER, arguments)
    record_changes(session, arguments, seeds)
    session.execute(_APPLY, arguments)
    session.execute(_FORGET, arguments)
    session.execute(_FREE, arguments)
    session.execute(_CLOSE_EXCEPTIONS, arguments)
    session.execute(_CLEAR, arguments)
    session.execute(_REVIVE, arguments)
    return True


def claims_of(session: Session, dispatch: Dispatch) -> dict[str, tuple[str | None, datetime]]:
    """key → (the target's own id or None, the version claimed) of every key still claimed by `dispatch`."""
    rows = session.execute(
        "SELECT key, native, p_version FROM link WHERE stream = %s AND dispatch = %s", (dispatch.stream, dispatch.id)
    ).fetchall()
    return {row["key"]: (row["native"], row["p_version"]) for row in rows}


def decided(session: Session, *, run: int, attempt: int, stream: int, chunk: int) -> set[str]:
    """Keys of a chunk whose outcome is already in the history."""
    rows = session.execute(
        """SELECT y.key FROM delivery y JOIN dispatch d ON d.id = y.dispatch
           WHERE d.run = %s AND d.attempt = %s AND d.stream = %s AND d.chunk = %s""",
        (run, attempt, stream, chunk),
    ).fetchall()
    return {row["key"] for row in rows}


def own_open(hub: Hub, *, run: int, stream: int, chunk: int | None = None) -> list[Dispatch]:
    """Open dispatches of a run (of one chunk): left by an earlier try of the same task, so nobody else is sending them."""
    with hub.session() as session:
        rows = session.execute(
            "SELECT "
            + _COLUMNS
            + " WHERE d.run = %s AND d.stream = %s AND d.closed IS NULL AND (%s::int IS NULL OR d.chunk = %s) ORDER BY d.id",
            (run, stream, chunk, chunk),
        ).fetchall()
    return [_dispatch(row) for row in rows]


def open_of_stream(hub: Hub, stream: int) -> list[Dispatch]:
    """Every open dispatch of a stream."""
    with hub.session() as session:
        rows = session.execute(
            "SELECT " + _COLUMNS + " WHERE d.stream = %s AND d.closed IS NULL ORDER BY d.id", (stream,)
        ).fetchall()
    return [_dispatch(row) for row in rows]


def seconds_in_doubt(hub: Hub, dispatch: Dispatch, longest: timedelta) -> float | None:
    """Seconds until nothing of `dispatch` can still take effect (0 = now); None when it has been closed."""
    with hub.session() as session:
        row = session.execute(
            """SELECT greatest(0, extract(epoch FROM send_before + make_interval(secs => %s) - now())) AS left
               FROM dispatch WHERE id = %s AND closed IS NULL""",
            (longest.total_seconds(), dispatch.id),
        ).fetchone()
    return float(row["left"]) if row else None


def take_over(hub: Hub, dispatch: Dispatch, longest: timedelta) -> int | None:
    """Fence the sender of `dispatch` out and return the new fence; None when it is closed, or its sender may still be at work."""
    with hub.session() as session:
        row = session.execute(
            """UPDATE dispatch SET fence = fence + 1, send_before = now()
               WHERE id = (SELECT id FROM dispatch WHERE id = %s AND closed IS NULL AND send_before + make_interval(secs => %s) <= now()
                           FOR UPDATE SKIP LOCKED)
               RETURNING fence""",
            (dispatch.id, longest.total_seconds()),
        ).fetchone()
    return int(row["fence"]) if row else None
