"""Extract: stream what changed in the source into staged Parquet, all rows of one root in one chunk."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from psycopg.types.json import Jsonb

from accord.batch import Manifest
from accord.categories import ABOUT_NO_RECORD, Category
from accord.errors import SchemaDrift
from accord.hub.connection import Hub
from accord.hub.edits import drop_edits
from accord.hub.exceptions import free_abandoned
from accord.pipeline import drift
from accord.pipeline.buckets import Buckets
from accord.pipeline.runs import Run, RunKind, read_run
from accord.ports import Selection, Source
from accord.runtime import Accord

log = logging.getLogger(__name__)


def extract(accord: Accord, run_id: int) -> str:
    """Read the run's window (or keys) and what the hub released for another try; return the manifest's path.

    Fields nothing is decided by are left out when the source no longer shows them (accord.pipeline.drift). Raises what the source
    raises (Unavailable, BadCredentials, SchemaDrift); nothing is kept of a read that failed.
    """
    run = read_run(accord.hub, run_id)
    source = accord.source(run.flow.source)
    try:
        return _extract(accord, run, source, drift.noted(accord.hub, run, source=True), {})
    except SchemaDrift as found:
        with drift.told(accord.hub, run, run.flow.source, run.flow.object):
            lacking = source.unreadable(run.definition)
            drift.left_out(lacking, run.definition, found)
            return _extract(accord, run, source, drift.noted(accord.hub, run, source=False), lacking)


def _extract(accord: Accord, run: Run, source: Source, again: datetime | None, lacking: Mapping[str, str]) -> str:
    """Read without what is `lacking`; a window begins at `again` where that is earlier: what went without a field is read again."""
    without = frozenset(lacking)
    since = min(run.since, again) if run.since and again else run.since
    parts = source.required_columns(run.definition)
    batch = accord.staging.new_batch(run.flow.name, run.id, "source")
    sink = Buckets(accord.staging, batch, accord.chunk_rows)
    if run.natives is not None:
        sink.named = True
        read_at = source.extract(run.definition, Selection(natives=run.natives, without=without), sink)
        released: tuple[str, ...] = ()
        if run.kind is RunKind.REPLAY and not run.dry:
            missing = set(run.natives) - sink.named_roots
            replayed = {key: source.native_of(run.definition, key) for key in _replayed(accord.hub, run)}
            _forget(accord.hub, run, [key for key, native in replayed.items() if native in missing])
    else:
        shut = [target for target in run.flow.targets if accord.availability.shut(target, run.priority)]
        window = Selection(since=since, until=run.until, without=without)
        read_at = source.extract(run.definition, window, sink)
        keys = set() if run.dry else _released(accord.hub, run, shut)
        if not run.dry and since is not None:
            held = {source.native_of(run.definition, key): key for key in _quarantined(accord.hub, run)}
            keys |= {held[native] for native in source.affected(run.definition, tuple(held), window)}
        released = tuple(sorted(keys))
        if released:
            sink.released = sink.named = True
            natives = {source.native_of(run.definition, key): key for key in released}
            source.extract(run.definition, Selection(natives=tuple(natives), without=without), sink)
            _forget(accord.hub, run, [key for native, key in natives.items() if native not in sink.named_roots])
    counts = {
        bucket: sum(sink.rows.get((root, released), 0) for root in source.roots(run.definition))
        for bucket, released in (("extracted", False), ("released", True))
    }
    manifest = accord.staging.write_manifest(
        Manifest(
            batch=batch,
            flow=run.flow.name,
            object=run.flow.object,
            stage="source",
            chunks=sink.close(parts),
            read_at=read_at.isoformat(),
            counts=counts,
        )
    )
    _remember(accord.hub, run, manifest, counts, released, lacking)
    chosen = run.natives is not None and run.kind is not RunKind.RECONCILE  # which asks for what may be gone
    if chosen and run.natives and counts["extracted"] < len(set(run.natives)):
        log.warning(
            "run %d: %d of the %d records asked for are not in %s; check the keys",
            run.id,
            len(set(run.natives)) - counts["extracted"],
            len(set(run.natives)),
            run.flow.source,
        )
    log.info(
        "run %d %s: %d records extracted, %d released, in %d chunk(s)",
        run.id,
        run.flow.name,
        *counts.values(),
        len(manifest.chunks),
    )
    return manifest.path


def _quarantined(hub: Hub, run: Run) -> list[str]:
    """Keys a gate holds back: what they lack may be another record's, so that their own never changes."""
    with hub.session() as session:
        rows = session.execute(
            """SELECT DISTINCT key FROM exception WHERE flow = %s AND state = 'open' AND kind IN ('quarantined', 'approval')
               AND category <> ALL(%s) ORDER BY key""",
            (run.flow.name, list(ABOUT_NO_RECORD)),
        ).fetchall()
    return [row["key"] for row in rows]


def _replayed(hub: Hub, run: Run) -> list[str]:
    """The keys of the flow that are being replayed."""
    with hub.session() as session:
        rows = session.execute(
            "SELECT DISTINCT key FROM exception WHERE flow = %s AND state = 'replaying' AND category <> ALL(%s)",
            (run.flow.name, list(ABOUT_NO_RECORD)),
        ).fetchall()
    return [row["key"] for row in rows]


def _released(hub: Hub, run: Run, shut: list[str]) -> set[str]:
    """Keys held by earlier runs whose turn may have come: the parent they await is there or can be read with them, the record they
    looked like may have changed, their target is none of those that take no calls (`shut`). They are read again, so what is sent is
    what the source says now."""
    with hub.session() as session:
        free_abandoned(session)
        rows = session.execute(
            """SELECT DISTINCT key, awaits FROM exception e
               WHERE flow = %(flow)s AND state = 'open' AND kind IN ('parked', 'duplicate')
                 AND (not_before IS NULL OR not_before <= now()) AND target <> ALL(%(shut)s)
                 AND CASE WHEN awaits IS NULL OR (category = %(missing)s AND awaits_object = object) THEN true
                   WHEN category = %(missing)s THEN EXISTS (
                     SELECT FROM stream s JOIN link l ON l.stream = s.id AND l.key = e.awaits AND l.hash IS NOT NULL
                     WHERE s.target = e.target AND s.object = e.awaits_object)
                   ELSE EXISTS (
                     SELECT FROM stream s JOIN link l ON l.stream = s.id AND l.hash IS NOT NULL
                       AND l.native = substr(e.awaits, strpos(e.awaits, ':') + 1)
                     WHERE s.target = split_part(e.awaits, ':', 1) AND s.object = e.awaits_object) END
               UNION
               SELECT u.key, NULL FROM unlinked u
               JOIN stream s ON s.target = split_part(u.awaits, ':', 1) AND s.object = u.object
               JOIN link l ON l.stream = s.id AND l.native = substr(u.awaits, strpos(u.awaits, ':') + 1) AND l.hash IS NOT NULL
               WHERE u.flow = %(flow)s""",
            {"flow": run.flow.name, "missing": Category.PARENT_MISSING, "shut": shut},
        ).fetchall()
        # sent without their parent, which has arrived since
        orphans = session.execute(
            """SELECT c.key FROM link c JOIN link p ON p.stream = c.stream AND p.key = c.left_out AND p.hash IS NOT NULL
               WHERE c.left_out IS NOT NULL AND NOT c.gone
                 AND c.stream IN (SELECT id FROM stream WHERE object = %s AND target = ANY(%s))""",
            (run.definition.name, list(run.flow.targets)),
        ).fetchall()
    keys = {row["key"] for row in (*rows, *orphans)}
    if run.definition.parent:
        keys |= {row["awaits"] for row in rows if row["awaits"]}
    return keys


def _forget(hub: Hub, run: Run, keys: list[str]) -> None:
    """What the source no longer has, not even as deleted, waits for nothing."""
    if not keys:
        return
    with hub.session() as session:
        session.execute(
            """UPDATE exception SET state = 'closed', closed = now(), resolution = 'the source no longer has the record'
               WHERE flow = %s AND key = ANY(%s) AND state <> 'closed' AND kind <> 'difference'""",
            (run.flow.name, keys),
        )
        session.execute("DELETE FROM unlinked WHERE flow = %s AND key = ANY(%s)", (run.flow.name, keys))
        drop_edits(session, run.flow.object, keys)
    log.info("run %d: %d records that were held are no longer in %s", run.id, len(keys), run.flow.source)


def _remember(
    hub: Hub,
    run: Run,
    manifest: Manifest,
    counts: Mapping[str, int],
    released: tuple[str, ...],
    lacking: Mapping[str, str],
) -> None:
    with hub.session() as session:
        session.execute(
            """UPDATE run SET extracted_manifest = %s, canonical_manifest = NULL, counts = %s, amounts = '{}', released = %s,
                 left_out = %s
               WHERE id = %s""",
            (manifest.path, Jsonb(dict(counts)), Jsonb(list(released)), Jsonb(sorted(lacking)), run.id),
        )
        if lacking and not run.dry:
            drift.note(session, run, run.flow.source, lacking, run.flow.object)
        session.execute("DELETE FROM comparison WHERE run = %s", (run.id,))
