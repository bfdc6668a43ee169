"""Housekeeping: what `accord.retention` says is kept no longer goes; room is made for what comes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from accord.errors import Retry
from accord.flows import FLOWS
from accord.hub.connection import Hub, only
from accord.hub.partitions import drop, make_ahead, missing, outlived
from accord.pipeline.sweep import stale, sweep
from accord.retention import PARTITIONED, REPORTS, ROWS, Rows
from accord.runtime import Accord

_AT_ONCE = 10_000  # rows of a transaction: short locks, and something for autovacuum to do in between


@dataclass(slots=True, kw_only=True)
class Kept:
    """What housekeeping did, or would do: partitions made and dropped (name → rows), rows deleted per table, staged folders and
    report files deleted."""

    made: list[str] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    staged: int = 0
    reports: int = 0


def housekeep(accord: Accord, *, dry_run: bool = False) -> Kept:
    """Make partitions ahead, drop those that are old enough, delete old rows, staged files and reports. Running it again, or
    side by side, does no harm. Raises Retry when writers left no room for it within ten seconds."""
    kept = Kept()
    try:
        _partitions(accord.hub, kept, dry_run=dry_run)
    except psycopg.errors.LockNotAvailable:
        raise Retry(
            "The hub is too busy to change partitions now.", cure="Try again when fewer runs are at work."
        ) from None
    for one in ROWS:
        _add(kept.rows, one.table, _count(accord.hub, one) if dry_run else _delete(accord.hub, one))
    for flow in FLOWS:
        kept.staged += len(stale(accord, flow)) if dry_run else sweep(accord, flow)
    for path in list(_old_reports(accord.reports)):
        kept.reports += 1
        if not dry_run:
            os.unlink(path)
    return kept


def _partitions(hub: Hub, kept: Kept, *, dry_run: bool) -> None:
    with hub.session() as session:
        kept.made = [f"{table} {month:%Y-%m}" for table, month in missing(session)] if dry_run else make_ahead(session)
    with hub.session() as session:
        kept.dropped = {name: rows for _, name, rows in outlived(session)}
    for name in () if dry_run else kept.dropped:
        with hub.session() as session:
            drop(session, name)
    for one in PARTITIONED:  # what came before there were partitions
        rest = Rows(table=f"{one.table}_rest", keep=one.keep, age="t.at")
        _add(kept.rows, rest.table, _count(hub, rest) if dry_run else _delete(hub, rest))


def _add(rows: dict[str, int], table: str, n: int) -> None:
    if n:
        rows[table] = n


def _where(one: Rows) -> sql.Composed:
    # the declarations are the project's own
    return sql.SQL("{} AND ({}) < now() - {}").format(sql.SQL(one.where), sql.SQL(one.age), one.keep)


def _count(hub: Hub, one: Rows) -> int:
    query = sql.SQL("SELECT count(*) AS n FROM {} t WHERE {}").format(sql.Identifier(one.table), _where(one))
    with hub.session() as session:
        return int(only(session.execute(query))["n"])


def _delete(hub: Hub, one: Rows) -> int:
    table = sql.Identifier(one.table)
    query = sql.SQL("DELETE FROM {} WHERE ctid = ANY(ARRAY(SELECT t.ctid FROM {} t WHERE {} LIMIT {}))").format(
        table, table, _where(one), _AT_ONCE
    )
    deleted = 0
    while True:
        with hub.session() as session:
            n = session.execute(query).rowcount
        deleted += n
        if n < _AT_ONCE:
            return deleted


def _old_reports(folder: str) -> Iterator[str]:
    oldest = time.time() - REPORTS.total_seconds()
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if os.path.getmtime(path) < oldest:
                yield path
