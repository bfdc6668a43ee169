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
from accord.hub.processes import given_up
from accord.objects.definition import BusinessObject, Unknown
from accord.pipeline.identify import identify
from accord.pipeline.moving import moved_away
from accord.pipeline.resolve import OUT_OF_SCOPE, UNRESOLVED, resolve
from accord.pipeline.route import routed
from accord.pipeline.runs import Run, read_run
from accord.ports import Source
from accord.records import CARRIED_ON, CARRIED_PARTS, CARRIES_ON, conform
from accord.runtime import Accord

log = logging.getLogger(__name__)

PROBLEMS = "problems"  # added to a canonical table: conversions that failed, one line each, without values

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
    for chunk in staged.chunks:
        parts = {name: accord.staging.read(file) for name, file in chunk.parts.items()}
        table = pa.concat_tables(_canonical(source, definition, reading, read_at) for reading in _readings(parts))
        add_amounts(came, definition, table)
        newest = identify(accord.hub, definition, run.flow.source, _newest(table), dry=run.dry)
        superseded += table.num_rows - newest.num_rows
        table = resolve(accord.hub, definition, routed(definition, ended(accord.hub, definition, newest)))
        table = _without_history(accord, run, table)
        if not run.dry and any(kind.unknown is not Unknown.PARK for _, kind in definition.references()):
            _remember_unlinked(accord, run, table)
        add_amounts(dropped, definition, table, sign=-1)
        file = accord.staging.write(f"{batch}/{chunk.number:05d}-{RECORDS}.parquet", table)
        chunks.append(Chunk(number=chunk.number, parts={RECORDS: file}))
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


def _readings(parts: Mapping[str, pa.Table]) -> Iterator[dict[str, pa.Table]]:
    """The window's rows and the released ones apart: a root read twice must not get the constituents of both readings."""
    for released in (False, True):
        reading = {name: table.filter(pc.equal(table["_released"], released)) for name, table in parts.items()}
        if not released or any(table.num_rows for table in reading.values()):
            yield reading


def _canonical(
    source: Source, definition: BusinessObject, reading: Mapping[str, pa.Table], read_at: datetime
) -> pa.Table:
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


def amount_columns(definition: BusinessObject, table: pa.Table) -> tuple[pa.Array, pa.Array]:
    """(currency, amount) of every row: the sum of the definition's amounts, 0 where there is none, currency '' where unknown."""
    rows = table.num_rows
    total = pa.array([Decimal(0)] * rows, pa.decimal128(30, 2))
    currency = pa.array([""] * rows, pa.string())
    for name in definition.amounts:
        kind = definition.money(name)
        total = pc.add(total, pc.fill_null(table[name].combine_chunks(), Decimal(0))).cast(pa.decimal128(30, 2))
        currency = pc.fill_null(table[kind.currency].combine_chunks(), "")
    return currency, total


def add_amounts(sums: Amounts, definition: BusinessObject, table: pa.Table, *, sign: int = 1) -> None:
    """Add the table's amounts per currency to `sums`."""
    if not definition.amounts:
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


def _without_history(accord: Accord, run: Run, table: pa.Table) -> pa.Table:
    """What an ERP tells of records it has let go for another one does not travel."""
    away = moved_away(accord.hub, run.definition, table, run.flow.source)
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
