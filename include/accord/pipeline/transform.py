"""Transform: staged rows become canonical records, one per key, with references to other objects resolved through the hub."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
from psycopg.types.json import Jsonb

from accord.batch import RECORDS, Chunk, Manifest
from accord.hub.connection import Hub
from accord.hub.edits import edits_of
from accord.hub.processes import given_up
from accord.objects.definition import BusinessObject, Unknown
from accord.pipeline.editing import apply_edits
from accord.pipeline.identify import identify
from accord.pipeline.moving import moved_away
from accord.pipeline.resolve import OUT_OF_SCOPE, UNRESOLVED, resolve
from accord.pipeline.route import routed
from accord.pipeline.runs import Run, RunKind, read_run
from accord.ports import Source
from accord.records import CARRIED_ON, CARRIED_PARTS, CARRIES_ON, conform, content_hash
from accord.runtime import Accord
from accord.worth import AMOUNT, worths

log = logging.getLogger(__name__)

# what is added to a canonical table
PROBLEMS = "problems"  # conversions that failed, one line each, without values
SAID = "said"  # the hash of what the source said, before any edit and before references were resolved
# the part of a canonical chunk that holds edited records as they were: what is compared, counted and remembered
UNEDITED = "unedited"

Amounts = dict[str, Decimal]


def transform(accord: Accord, run_id: int, manifest_path: str) -> str:
    """Turn the staged batch into a canonical one and return its manifest's path. The same key twice keeps its newest version;
    the others are counted as superseded."""
    run = read_run(accord.hub, run_id)
    definition = run.definition
    source = accord.source(run.flow.source)
    staged = accord.staging.manifest(manifest_path)
    batch = accord.staging.new_batch(run.flow.name, run.id, "canonical")
    read_at = datetime.fromisoformat(staged.read_at)
    chunks: list[Chunk] = []
    superseded, came, dropped = 0, Amounts(), Amounts()
    edits = edits_of(accord.hub, definition.name)
    # nobody asks a reconciliation that reads everything: what it doubts is read once more
    words = bool(edits) or run.kind is not RunKind.RECONCILE or run.natives is not None
    for chunk in staged.chunks:
        read = {name: accord.staging.read(file) for name, file in chunk.parts.items()}
        table = pa.concat_tables(canonical_of(source, definition, reading, read_at) for reading in _readings(read))
        add_amounts(came, definition, table)
        newest = identify(accord.hub, definition, run.flow.source, _newest(table), dry=run.dry)
        superseded += table.num_rows - newest.num_rows
        if words:
            newest = with_said(source, definition, newest)
        table = prepared(accord.hub, definition, newest, run.flow.source)
        add_amounts(dropped, definition, table, sign=-1)
        files = {}
        edited = apply_edits(accord.hub, definition, newest, edits, dry=run.dry) if edits else None
        if edited is not None:
            mine = pc.is_in(table["key"], value_set=edited["key"].combine_chunks())
            files[UNEDITED] = table.filter(mine)
            table = pa.concat_tables(
                [table.filter(pc.invert(mine)), prepared(accord.hub, definition, edited, run.flow.source)]
            )
        if not run.dry and any(kind.unknown is not Unknown.PARK for _, kind in definition.references()):
            _remember_unlinked(accord, run, table)
        parts = {
            part: accord.staging.write(f"{batch}/{chunk.number:05d}-{part}.parquet", rows)
            for part, rows in {RECORDS: table, **files}.items()
        }
        chunks.append(Chunk(number=chunk.number, parts=parts))
    for currency, amount in came.items():
        dropped[currency] = dropped.get(currency, Decimal(0)) + amount
    counts = dict(staged.counts) | {"superseded": superseded}
    manifest = accord.staging.write_manifest(
        Manifest(
            batch=batch,
            flow=run.flow.name,
            object=run.flow.object,
            stage="canonical",
            chunks=tuple(chunks),
            read_at=staged.read_at,
            counts=counts,
        )
    )
    amounts = {"came": _plain(came), "superseded": _plain(dropped)}
    with accord.hub.session() as session:
        session.execute(
            "UPDATE run SET canonical_manifest = %s, counts = %s, amounts = %s WHERE id = %s",
            (manifest.path, Jsonb(counts), Jsonb(amounts), run.id),
        )
    log.info("run %d %s: %d canonical records, %d superseded", run.id, run.flow.name, manifest.rows, superseded)
    return manifest.path


def _readings(parts: Mapping[str, pa.Table]) -> Iterator[Mapping[str, pa.Table]]:
    """The window's rows and the released ones apart: a root read twice must not get the constituents of both readings."""
    if not any(pc.any(table["_released"]).as_py() for table in parts.values()):
        yield parts
        return
    for released in (False, True):
        yield {name: table.filter(pc.equal(table["_released"], released)) for name, table in parts.items()}


def canonical_of(
    source: Source, definition: BusinessObject, reading: Mapping[str, pa.Table], read_at: datetime
) -> pa.Table:
    """What one reading staged (part → rows) as a canonical table with its problems, references as the source has them."""
    canonical = source.to_canonical(definition, reading, read_at)
    problems = (
        canonical[PROBLEMS]
        if PROBLEMS in canonical.column_names
        else pa.nulls(canonical.num_rows, pa.list_(pa.string()))
    )
    table = conform(definition, canonical).append_column(PROBLEMS, problems.cast(pa.list_(pa.string())))
    for column in (CARRIES_ON, CARRIED_ON, CARRIED_PARTS):
        if column.name in canonical.column_names:
            table = table.append_column(column, canonical[column.name])
    return table


def with_said(source: Source, definition: BusinessObject, table: pa.Table) -> pa.Table:
    """`table` with the column SAID: the hash of every field and constituent `source` may write."""
    return table.append_column(SAID, content_hash(definition, table, definition.sent_by(source.side, creating=True)))


def said_of(table: pa.Table) -> pa.Array:
    """The column SAID of a canonical table; null where it has none: a status is nobody's word."""
    return table[SAID] if SAID in table.column_names else pa.nulls(table.num_rows, pa.binary())


def prepared(hub: Hub, definition: BusinessObject, table: pa.Table, source: str) -> pa.Table:
    """`table` of `source` with its ends, its legal entities and its references made out."""
    return _without_history(
        hub, definition, resolve(hub, definition, routed(definition, ended(hub, definition, table))), source
    )


def amount_columns(definition: BusinessObject, table: pa.Table) -> tuple[pa.Array, pa.Array]:
    """(currency, amount) of every row: the sum of the definition's amounts and its worth, 0 where there is none, currency '' where
    unknown."""
    total = worths(definition, table)
    currency = pa.array([""] * table.num_rows, pa.string())
    for name in definition.amounts:
        total = pc.add(total, pc.fill_null(table[name].combine_chunks(), Decimal(0))).cast(AMOUNT)
    for name in definition.currencies:
        currency = pc.fill_null(table[name].combine_chunks(), "")
    return currency, total


def add_amounts(sums: Amounts, definition: BusinessObject, table: pa.Table, *, sign: int = 1) -> None:
    """Add the table's amounts per currency to `sums`."""
    if not definition.currencies:
        return
    currency, amount = amount_columns(definition, table)
    grouped = pa.table({"currency": currency, "amount": amount}).group_by("currency").aggregate([("amount", "sum")])
    for row in grouped.to_pylist():
        sums[row["currency"]] = sums.get(row["currency"], Decimal(0)) + sign * row["amount_sum"]


def _plain(sums: Amounts) -> dict[str, str]:
    return {currency: str(amount) for currency, amount in sums.items() if amount}


def _newest(table: pa.Table) -> pa.Table:
    if table.num_rows == len(pc.unique(table["key"])):
        return table
    order = pc.sort_indices(table, sort_keys=[("key", "ascending"), ("version", "descending")])
    ordered = table.take(order)
    keys = ordered["key"].combine_chunks()
    first = pc.not_equal(keys, pa.concat_arrays([pa.array([None], pa.string()), keys.slice(0, len(keys) - 1)]))
    return ordered.filter(pc.fill_null(first, True))


def ended(hub: Hub, definition: BusinessObject, table: pa.Table) -> pa.Table:
    """`table` with the records marked as gone that came to their end, or that somebody gave up."""
    gone = pc.fill_null(table["gone"], False)
    if definition.scope is not None:
        ends = pa.array(definition.scope.ends, pa.string())
        gone = pc.or_(gone, pc.is_in(table[definition.scope.field], value_set=ends))
    if abandoned := given_up(hub, definition.name, table["key"].to_pylist()):
        gone = pc.or_(gone, pc.is_in(table["key"], value_set=pa.array(sorted(abandoned), pa.string())))
    return table.set_column(table.column_names.index("gone"), "gone", gone)


def _without_history(hub: Hub, definition: BusinessObject, table: pa.Table, source: str) -> pa.Table:
    """What an ERP tells of records it has let go for another one does not travel."""
    away = moved_away(hub, definition, table, source)
    place = table.column_names.index(OUT_OF_SCOPE)
    return table.set_column(place, OUT_OF_SCOPE, pc.or_(table[OUT_OF_SCOPE], away))


def _remember_unlinked(accord: Accord, run: Run, table: pa.Table) -> None:
    """Remember what nobody is told of: records that are left out, or go without a reference, until a link knows it."""
    unlinked = []
    for key, references in zip(table["key"].to_pylist(), table[UNRESOLVED].to_pylist(), strict=True):
        quiet = [r for r in references if r["unknown"] != Unknown.PARK]
        unlinked += [(run.flow.name, key, r["object"], r["awaits"]) for r in quiet]
    with accord.hub.session() as session:
        session.execute(
            "DELETE FROM unlinked WHERE flow = %s AND key = ANY(%s)", (run.flow.name, table["key"].to_pylist())
        )
        with session.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO unlinked (flow, key, object, awaits) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                unlinked,
            )
