"""Acknowledge: tell the source how its records fared, only when that changed."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from accord.batch import RECORDS, Chunk, Manifest
from accord.categories import Category
from accord.hub.copying import copy_into
from accord.hub.processes import given_up
from accord.objects import business_object
from accord.pipeline.compare import Comparison
from accord.pipeline.load import load
from accord.pipeline.moving import belonging, staying
from accord.pipeline.runs import Run, read_run
from accord.pipeline.transform import SAID
from accord.records import conform
from accord.runtime import Accord

log = logging.getLogger(__name__)

# what passes by itself: the source is told "Pending", not "Held"
PASSING = [
    c.value
    for c in (
        Category.LOCKED,
        Category.TABLES_LOCKED,
        Category.INTERRUPTED,
        Category.CLAIMED_ELSEWHERE,
        Category.ELSEWHERE,
        Category.OUTAGE,
        Category.MAINTENANCE,
        Category.QUOTA,
    )
]

# the worst over the targets: what a person must do something about comes first
_STATUS = """
SELECT a.key,
  CASE WHEN bool_or(e.kind = 'rejected') THEN 'Rejected'
       WHEN bool_or(e.kind IS NOT NULL AND e.category <> ALL(%(passing)s)) THEN 'Held'
       WHEN bool_or(e.kind IS NOT NULL) OR bool_or(l.dispatch IS NOT NULL) THEN 'Pending'
       WHEN a.discarded IS NOT NULL THEN 'Rejected'
       WHEN bool_or(l.hash IS NOT NULL) THEN 'Synced' END AS status,
  left(coalesce((array_agg(initcap(left(e.category, 1)) || substr(e.category, 2) || ': ' || e.message ORDER BY e.severity DESC, e.id)
        FILTER (WHERE e.id IS NOT NULL))[1], initcap(left(a.discarded, 1)) || substr(a.discarded, 2)), 255) AS error
FROM (SELECT q.key, (SELECT d.resolution FROM exception d WHERE d.object = %(object)s AND d.key = q.key AND d.discarded
                       AND d.said = q.said ORDER BY d.id DESC LIMIT 1) AS discarded FROM asked q) a
LEFT JOIN link l ON l.stream = ANY(%(streams)s) AND l.key = a.key
LEFT JOIN exception e ON e.object = %(object)s AND e.key = a.key AND e.state <> 'closed' AND e.kind <> 'difference'
GROUP BY a.key, a.discarded
"""

# targets that have not taken their part of the run: they could not be compared with, or a load of theirs failed
_UNFINISHED = """
SELECT s.target FROM stream s LEFT JOIN comparison p ON p.stream = s.id AND p.run = %(run)s
WHERE s.id = ANY(%(streams)s)
  AND (p.run IS NULL
       OR coalesce((p.counts ->> 'changed')::bigint, 0) > (
         SELECT coalesce(sum(c.value::bigint), 0) FROM dispatch d, jsonb_each_text(d.counts) c
         WHERE d.run = p.run AND d.stream = p.stream AND d.attempt = p.attempt))
"""

# a record that was deleted while its status was on its way can't be told any more
_NOBODY_TO_TELL = """
UPDATE exception SET state = 'closed', closed = now(), resolution = 'the record was deleted'
WHERE id IN (SELECT id FROM exception WHERE object = %(object)s AND target = %(target)s AND key = ANY(%(keys)s) AND state <> 'closed'
             ORDER BY id FOR UPDATE)
"""


def acknowledge(accord: Accord, run_id: int) -> dict[str, int]:
    """Write sync status and last error of every record of the batch back to its source; returns counts by bucket.

    The status is derived from the hub and compared like any other record, so it is written only when it changed, and a run that died
    before this step is made up for by the next.
    """
    run = read_run(accord.hub, run_id)
    if run.flow.status is None or run.dry or run.canonical_manifest is None:
        return {}
    manifest = _statuses(accord, run, accord.staging.manifest(run.canonical_manifest))
    definition = business_object(run.flow.status)
    target = accord.target(run.flow.source)
    counts: dict[str, int] = {}
    for chunk in Comparison(accord, run, target, definition, manifest).carry_out():
        for bucket, n in load(accord, asdict(chunk)).items():
            counts[bucket] = counts.get(bucket, 0) + n
    log.info("run %d %s: %d statuses written", run.id, run.flow.name, counts.get("applied", 0))
    return counts


def _statuses(accord: Accord, run: Run, manifest: Manifest) -> Manifest:
    definition = business_object(run.flow.status or "")
    batch = accord.staging.new_batch(run.flow.name, run.id, "status")
    now = datetime.now(UTC)
    streams = [accord.hub.stream(target, run.flow.object) for target in run.flow.targets]
    with accord.hub.session() as session:
        rows = session.execute(_UNFINISHED, {"run": run.id, "streams": streams}).fetchall()
    unfinished = [row["target"] for row in rows]
    chunks = []
    for chunk in manifest.chunks:
        records = accord.staging.read(chunk.parts[RECORDS])
        gone = pc.fill_null(records["gone"], False)
        live = records.filter(pc.invert(gone))
        with accord.hub.session() as session:
            deleted = records["key"].filter(gone).to_pylist()
            session.execute(_NOBODY_TO_TELL, {"object": definition.name, "target": run.flow.source, "keys": deleted})
            session.execute("CREATE TEMP TABLE asked (key text PRIMARY KEY, said bytea) ON COMMIT DROP")
            copy_into(session, "asked", live.select(["key", SAID]))
            session.execute("ANALYZE asked")
            rows = session.execute(
                _STATUS,
                {
                    "streams": streams,
                    "object": run.flow.object,
                    "passing": PASSING,
                },
            ).fetchall()
        with accord.hub.session() as session:
            stays = staying(session, run.definition, records) if unfinished else {}
        waiting = {
            key
            for name in unfinished
            for key in records.filter(belonging(run.definition, records, name, stays))["key"].to_pylist()
        }
        statuses = {
            r["key"]: "Pending" if r["key"] in waiting and r["status"] in (None, "Synced") else r["status"]
            for r in rows
        }
        told = [
            {
                "key": r["key"],
                "version": now,
                "read_at": now,
                "status": statuses[r["key"]],
                "error": r["error"] if statuses[r["key"]] != "Synced" else None,
            }
            for r in rows
            if statuses[r["key"]]
        ]
        given = given_up(accord.hub, run.flow.object, records["key"].to_pylist())
        told += [
            {"key": key, "version": now, "read_at": now, "status": "Rejected", "error": f"Given up: {why}"[:255]}
            for key, why in sorted(given.items())
        ]
        schema = pa.schema(
            [
                ("key", pa.string()),
                ("version", pa.timestamp("us", "UTC")),
                ("read_at", pa.timestamp("us", "UTC")),
                ("status", pa.string()),
                ("error", pa.string()),
            ]
        )
        table = conform(definition, pa.Table.from_pylist(told, schema=schema))
        file = accord.staging.write(f"{batch}/{chunk.number:05d}-{RECORDS}.parquet", table)
        chunks.append(Chunk(number=chunk.number, parts={RECORDS: file}))
    return accord.staging.write_manifest(
        Manifest(
            batch=batch,
            flow=run.flow.name,
            object=definition.name,
            stage="canonical",
            chunks=tuple(chunks),
            read_at=now.isoformat(),
        )
    )
