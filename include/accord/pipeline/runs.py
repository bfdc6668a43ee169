"""A run of a flow: what it is to read, stored before anything is read."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from psycopg.types.json import Jsonb

from accord.errors import Stop
from accord.flows import Flow
from accord.hub.connection import Hub, Session, only
from accord.objects import business_object
from accord.objects.definition import BusinessObject, Priority
from accord.runtime import Accord


class RunKind(StrEnum):
    """Why a run happens; it decides the window and whether the watermark moves."""

    SCHEDULED = "scheduled"
    EVENT = "event"
    BACKFILL = "backfill"
    MANUAL = "manual"
    REPLAY = "replay"
    RECONCILE = "reconcile"
    UNDO = "undo"


MOVES_WATERMARK = frozenset({RunKind.SCHEDULED, RunKind.EVENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """What a person may ask of a run. `keys` are canonical or native ids of the source; instants are aware."""

    since: datetime | None = None
    until: datetime | None = None
    keys: tuple[str, ...] = ()
    dry_run: bool = False
    full_refresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as the hub knows it."""

    id: int
    flow: Flow
    engine_run: str
    kind: RunKind
    since: datetime | None
    until: datetime | None
    natives: tuple[str, ...] | None
    dry: bool
    extracted_manifest: str | None
    canonical_manifest: str | None
    left_out: frozenset[str] = frozenset()  # fields and constituents the source did not show
    undoes: int | None = None  # the run whose writes it takes back

    @property
    def definition(self) -> BusinessObject:
        """The business object it moves."""
        return business_object(self.flow.object)

    @property
    def priority(self) -> Priority:
        """Who goes first when requests run short: a run that reads a lot does not."""
        heavy = self.kind is RunKind.BACKFILL or (self.since is None and self.natives is None)
        return Priority.BULK if heavy else self.flow.priority


Window = tuple[datetime | None, datetime | None]


def window(
    flow: Flow, kind: RunKind, interval: Window | None, params: Params, watermark: datetime | None, now: datetime
) -> Window:
    """From when until when a run reads (since inclusive, until exclusive; None = open).

    scheduled: [min(watermark, interval start) − overlap, interval end], everything when nothing was read before; without an
    interval, and event: [watermark − overlap, now]; backfill: its interval; manual: its params, by default what an event run reads.
    Raises Stop for a window that is empty or turned round.
    """
    since, until = _bounds(flow, kind, interval, params, watermark, now)
    if params.full_refresh:
        since = None
    if since is not None and until is not None and since >= until:
        raise Stop(
            f"The window {since:%Y-%m-%d %H:%M:%S}Z to {until:%Y-%m-%d %H:%M:%S}Z is empty.",
            cure="Choose `since` before `until`.",
        )
    return since, until


def _bounds(
    flow: Flow, kind: RunKind, interval: Window | None, params: Params, watermark: datetime | None, now: datetime
) -> Window:
    from_watermark = watermark - flow.overlap if watermark else None
    if kind is RunKind.BACKFILL:
        if interval is None:
            raise Stop("A backfill needs an interval.", cure="Backfill over a range of dates.")
        return interval
    if kind is RunKind.SCHEDULED and interval is not None:
        start, end = interval
        if watermark is None or start is None:
            return None, end
        return min(watermark, start) - flow.overlap, end
    if kind is RunKind.MANUAL and (params.since or params.until):
        return params.since, params.until or now
    return from_watermark, now


@contextmanager
def starting(accord: Accord, flow: Flow, *, kind: RunKind, params: Params | None = None) -> Iterator[None]:
    """Open a run and extract inside this. Raises SystemShut when the run could do nothing: no run is opened, no system is
    touched, and what the run would have read is in the next one's window."""
    heavy = kind is RunKind.BACKFILL or (params is not None and params.full_refresh)
    priority = Priority.BULK if heavy else flow.priority
    accord.availability.may_start(flow, priority)
    with accord.availability.entered(flow.source, priority):
        yield


def engine_run_name(kind: RunKind) -> str:
    """A name no other run has, for one that no scheduler names."""
    return f"{kind}__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}__{uuid.uuid4().hex[:8]}"


def open_run(
    accord: Accord,
    flow: Flow,
    *,
    engine_run: str,
    kind: RunKind,
    interval: Window | None = None,
    params: Params | None = None,
) -> int:
    """Open the run `engine_run` of `flow`, or find it again (a retried or cleared task), and return its number.

    A run found again reads the window it was given first, so that a retry can't leave a gap.
    """
    params = params or Params()
    now = datetime.now(UTC)
    natives = _natives(accord, flow, params.keys)
    elsewhere = accord.engine_run if accord.engine_run not in ("", engine_run) else None
    with accord.hub.session() as session:
        session.execute(
            "INSERT INTO flow (name, declaration) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET declaration = excluded.declaration",
            (flow.name, Jsonb(_declared(flow))),
        )
        found = session.execute(
            "SELECT id FROM run WHERE flow = %s AND engine_run = %s", (flow.name, engine_run)
        ).fetchone()
        if found:
            session.execute(
                "UPDATE run SET state = 'open', error = NULL, ended = NULL, started = now() WHERE id = %s",
                (found["id"],),
            )
            return int(found["id"])
        watermark = session.execute("SELECT watermark FROM flow WHERE name = %s", (flow.name,)).fetchone()
        since, until = window(flow, kind, interval, params, watermark["watermark"] if watermark else None, now)
        opened = session.execute(
            """INSERT INTO run (flow, engine_run, kind, win_from, win_to, natives, dry, started_in)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
               ON CONFLICT (flow, engine_run) DO UPDATE SET state = 'open' RETURNING id""",
            (flow.name, engine_run, kind, since, until, Jsonb(natives) if natives else None, params.dry_run, elsewhere),
        )
        return int(only(opened)["id"])


def _natives(accord: Accord, flow: Flow, keys: tuple[str, ...]) -> list[str] | None:
    """The source's own ids of `keys`; None when none are given."""
    if not keys:
        return None
    source, definition = accord.source(flow.source), business_object(flow.object)
    return [source.native_of(definition, key) if ":" in key else key for key in keys]


def read_run(hub: Hub, run: int) -> Run:
    """The run numbered `run`. Raises Stop when there is none."""
    with hub.session() as session:
        return _read(session, run)


def declared_flow(hub: Hub, name: str) -> Flow:
    """The flow `name` as its last run declared it: Accord's own, or anybody's. Raises Stop when it never ran."""
    with hub.session() as session:
        row = session.execute("SELECT declaration FROM flow WHERE name = %s", (name,)).fetchone()
    if row is None:
        raise Stop(f"The hub knows no flow {name}.", cure="Run it once.")
    return _flow_from(row["declaration"])


def _read(session: Session, run: int) -> Run:
    row = session.execute(
        "SELECT run.*, declaration FROM run JOIN flow ON flow.name = run.flow WHERE id = %s", (run,)
    ).fetchone()
    if row is None:
        raise Stop(f"The hub has no run {run}.", cure="Start the flow from its first task.")
    return Run(
        id=row["id"],
        flow=_flow_from(row["declaration"]),
        engine_run=row["engine_run"],
        kind=RunKind(row["kind"]),
        since=row["win_from"],
        until=row["win_to"],
        natives=tuple(row["natives"]) if row["natives"] else None,
        dry=row["dry"],
        extracted_manifest=row["extracted_manifest"],
        canonical_manifest=row["canonical_manifest"],
        left_out=frozenset(row["left_out"] or ()),
        undoes=row["undoes"],
    )


def _declared(flow: Flow) -> dict[str, Any]:
    body = asdict(flow) | {"overlap": flow.overlap.total_seconds()}
    return dict(json.loads(json.dumps(body)))


def _flow_from(body: dict[str, Any]) -> Flow:
    return Flow(
        **body
        | {
            "overlap": timedelta(seconds=body["overlap"]),
            "targets": tuple(body["targets"]),
            "priority": Priority(body.get("priority", Priority.STANDARD)),
        }
    )
