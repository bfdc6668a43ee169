"""Corrections: the object's own flow is asked for the records again, after the hub was made to see that they need it.

There is no way of writing to a target but the flow's: gates, ownership, claims and the completeness proof hold for a correction
as for any other write.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime

import pyarrow as pa
from psycopg.types.json import Jsonb

from accord.batch import RECORDS, Chunk, Manifest
from accord.errors import GateStopped
from accord.hub.connection import Session
from accord.hub.copying import copy_into
from accord.pipeline.flow_run import carry_through, run_flow
from accord.pipeline.reconcile.classes import Correction, Difference
from accord.pipeline.reconcile.sides import Pair, asked_of
from accord.pipeline.runs import Params, RunKind, engine_run_name, open_run
from accord.pipeline.transform import PROBLEMS, SAID
from accord.records import conform

log = logging.getLogger(__name__)

_TO_CORRECT = """
CREATE TEMP TABLE correcting (key text PRIMARY KEY, native text, read_at timestamptz) ON COMMIT DROP
"""

# an empty digest is nobody's: the record is known, and whatever the source says of it differs
_FORGET = """
UPDATE link l SET hash = '\\x' FROM correcting c
WHERE l.stream = %(stream)s AND l.key = c.key AND l.dispatch IS NULL AND l.hash IS NOT NULL
"""

# the target's record is gone for good; unless it was written since it was looked for
_UNKNOW = """
UPDATE link l SET native = NULL, hash = NULL, version = NULL, read_at = NULL, gone = %(gone)s, deleted = %(gone)s, left_out = NULL
FROM correcting c
WHERE l.stream = %(stream)s AND l.key = c.key AND l.dispatch IS NULL AND l.read_at IS NOT DISTINCT FROM c.read_at
"""

_ADOPT = """
INSERT INTO link AS l (stream, key, native, hash)
SELECT %(stream)s, key, native, '\\x' FROM correcting WHERE native IS NOT NULL ORDER BY key
ON CONFLICT (stream, key) DO UPDATE SET native = excluded.native, hash = excluded.hash, gone = false
WHERE l.dispatch IS NULL AND l.hash IS NULL
"""

# a record can't be two: a native id that another key has stays with that one
_TAKEN = """
DELETE FROM correcting c USING link l WHERE l.stream = %(stream)s AND l.native = c.native AND l.key <> c.key
"""


def correct(pair: Pair, differences: Sequence[Difference], read_at: datetime) -> None:
    """Prepare the links of `differences` and ask the flow for the records. What comes of it a further look tells. `read_at`: when the
    source was read, by its own clock.

    Raises what the flow raises, but for a batch its gate refuses: that is an exception already.
    """
    accord, flow = pair.accord, pair.flow
    by: dict[Correction, list[Difference]] = {}
    for difference in differences:
        by.setdefault(difference.correction, []).append(difference)
    with accord.hub.session() as session:
        for correction, some in by.items():
            _prepare(session, pair.stream, correction, some)
    retired = [one.key for one in by.pop(Correction.RETIRE, [])]
    by.pop(Correction.UNLINK, None)
    again = asked_of(accord, flow, [one.key for some in by.values() for one in some])
    try:
        if again:
            run_flow(accord, flow, params=Params(keys=again), kind=RunKind.RECONCILE)
        if retired:
            retire(pair, retired, read_at)
    except GateStopped as stopped:
        log.warning("corrections of %s were stopped: %s", flow.name, stopped)


def _prepare(session: Session, stream: int, correction: Correction, some: Iterable[Difference]) -> None:
    session.execute(_TO_CORRECT)
    rows = [
        {"key": d.key, "native": d.natives[0] if d.natives else None, "read_at": d.seen.read_at if d.seen else None}
        for d in some
    ]
    schema = pa.schema([("key", pa.string()), ("native", pa.string()), ("read_at", pa.timestamp("us", "UTC"))])
    copy_into(session, "correcting", pa.Table.from_pylist(rows, schema=schema))
    arguments = {"stream": stream, "gone": correction is Correction.UNLINK}
    match correction:
        case Correction.CREATE_AGAIN | Correction.UNLINK:
            session.execute(_UNKNOW, arguments)
        case Correction.RELINK | Correction.DEACTIVATE | Correction.RETIRE:
            session.execute(_FORGET, arguments)
            session.execute(_TAKEN, arguments)
            session.execute(_ADOPT, arguments)
        case _:
            session.execute(_FORGET, arguments)
    session.execute("DROP TABLE correcting")


def retire(pair: Pair, keys: Sequence[str], read_at: datetime) -> None:
    """Tell every target of the flow that `keys` are gone since `read_at`. A source that has no trace of a record says nothing
    of it, so the batch says it; from the comparison on it is the flow's."""
    accord, flow = pair.accord, pair.flow
    name = engine_run_name(RunKind.RECONCILE)
    # what the source can't be asked for it has no id of its own for either
    params = Params(keys=tuple(key.partition(":")[2] for key in keys))
    run = open_run(accord, flow, engine_run=name, kind=RunKind.RECONCILE, params=params)

    def batch() -> str:
        folder = accord.staging.new_batch(flow.name, run, "canonical")
        rows = [{"key": key, "version": read_at, "read_at": read_at, "gone": True} for key in keys]
        table = conform(pair.definition, pa.Table.from_pylist(rows, schema=_GONE))
        table = table.append_column(PROBLEMS, pa.nulls(len(table), pa.list_(pa.string())))
        table = table.append_column(SAID, pa.nulls(len(table), pa.binary()))
        file = accord.staging.write(f"{folder}/00000-{RECORDS}.parquet", table)
        counts = {"extracted": len(keys), "released": 0, "superseded": 0}
        manifest = accord.staging.write_manifest(
            Manifest(
                batch=folder,
                flow=flow.name,
                object=flow.object,
                stage="canonical",
                chunks=(Chunk(number=0, parts={RECORDS: file}),),
                read_at=read_at.isoformat(),
                counts=counts,
            )
        )
        with accord.hub.session() as session:
            session.execute(
                "UPDATE run SET canonical_manifest = %s, counts = %s WHERE id = %s", (manifest.path, Jsonb(counts), run)
            )
        return manifest.path

    carry_through(accord, flow, run, batch)


_GONE = pa.schema(
    [
        ("key", pa.string()),
        ("version", pa.timestamp("us", "UTC")),
        ("read_at", pa.timestamp("us", "UTC")),
        ("gone", pa.bool_()),
    ]
)
