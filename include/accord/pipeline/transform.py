"""Transform: staged rows become canonical records, one per key, with references to other objects resolved through the hub."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
from psycopg.types.json import Jsonb

from accord.batch import RECORDS, Chunk, Manifest
from accord.flows import SALESFORCE
from accord.hub.connection import Hub
from accord.objects.definition import BusinessObject, Reference
from accord.pipeline.runs import read_run
from accord.ports import Source
from accord.records import conform
from accord.runtime import Accord

log = logging.getLogger(__name__)

# what the pipeline adds to a canonical table on its way to the comparison
UNRESOLVED = "unresolved"  # the id a parent reference holds that no link knows
OUT_OF_SCOPE = "out_of_scope"  # its parent is gone for good
PROBLEMS = "problems"  # conversions that failed, one line each, without values

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
        newest = _newest(table)
        superseded += table.num_rows - newest.num_rows
        table = _resolve(accord.hub, definition, newest)
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
    return conform(definition, canonical).append_column(PROBLEMS, problems.cast(pa.list_(pa.string())))


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


def _resolve(hub: Hub, definition: BusinessObject, table: pa.Table) -> pa.Table:
    """Replace ids of other systems in reference fields by canonical ids, following merges."""
    unresolved = pa.nulls(table.num_rows, pa.string())
    out_of_scope = pa.array([False] * table.num_rows, pa.bool_())
    for field in definition.fields:
        if not isinstance(field.type, Reference):
            continue
        values = table[field.name].to_pylist()
        foreign = {v for v in values if v and not v.startswith(f"{SALESFORCE}:")}
        known = _links(hub, field.type.object, foreign)
        resolved = [known.get(v, (None, False))[0] if v in foreign else v for v in values]
        table = table.set_column(table.column_names.index(field.name), field.name, pa.array(resolved, pa.string()))
        if field.name == definition.parent:
            unresolved = pa.array(
                [v if v in foreign and r is None else None for v, r in zip(values, resolved, strict=True)], pa.string()
            )
            out_of_scope = pa.array([known.get(v, (None, False))[1] if v else False for v in values], pa.bool_())
    return table.append_column(UNRESOLVED, unresolved).append_column(OUT_OF_SCOPE, out_of_scope)


def _links(hub: Hub, object_name: str, references: Iterable[str]) -> dict[str, tuple[str, bool]]:
    """reference (<system>:<native>) → (canonical id of the record or its survivor, whether it is gone for good)."""
    wanted = sorted(references)
    if not wanted:
        return {}
    with hub.session() as session:
        rows = session.execute(
            """WITH RECURSIVE wanted AS (
                 SELECT r AS reference, split_part(r, ':', 1) AS system, substr(r, strpos(r, ':') + 1) AS native
                 FROM unnest(%(wanted)s::text[]) AS r),
               found AS (
                 SELECT w.reference, l.stream, l.key, l.deleted, l.merged_into, 0 AS step
                 FROM wanted w JOIN stream s ON s.target = w.system AND s.object = %(object)s
                 JOIN link l ON l.stream = s.id AND l.native = w.native AND l.hash IS NOT NULL
                 UNION ALL
                 SELECT f.reference, f.stream, f.merged_into, coalesce(l.deleted, false), l.merged_into, f.step + 1
                 FROM found f LEFT JOIN link l ON l.stream = f.stream AND l.key = f.merged_into
                 WHERE f.merged_into IS NOT NULL AND f.step < 20)
               SELECT DISTINCT ON (reference) reference, key, deleted AND merged_into IS NULL AS gone
               FROM found ORDER BY reference, step DESC""",
            {"wanted": wanted, "object": object_name},
        ).fetchall()
    return {row["reference"]: (row["key"], bool(row["gone"])) for row in rows}
