"""Monthly partitions: made ahead, so that no row falls into the rest, and dropped whole once all of them is old enough."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from psycopg import sql

from accord.hub.connection import Session, only
from accord.retention import PARTITIONED, Partitioned

AHEAD = 2  # months

_CHILDREN = """
SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass ORDER BY 1
"""


def missing(session: Session) -> list[tuple[str, datetime]]:
    """(table, first instant) of the months from this one on that have no partition yet."""
    found = []
    for one in PARTITIONED:
        there = _children(session, one.table)
        found += [(one.table, month) for month in _months() if _name(one.table, month) not in there]
    return found


def make_ahead(session: Session) -> list[str]:
    """Make the missing partitions, and move what fell into the rest meanwhile; their names. Waits ten seconds for writers at
    most; raises psycopg.errors.LockNotAvailable then."""
    session.execute("SET LOCAL lock_timeout = '10s'")
    made = []
    for table, month in missing(session):
        name, rest = sql.Identifier(_name(table, month)), sql.Identifier(f"{table}_rest")
        bounds = {"name": name, "rest": rest, "table": sql.Identifier(table), "low": month, "high": _next(month)}
        for statement in (
            # nobody may add to the rest between the moving and the attaching
            "LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE",
            "CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)",
            """WITH moved AS (DELETE FROM {rest} WHERE at >= {low} AND at < {high} RETURNING *)
               INSERT INTO {name} SELECT * FROM moved""",
            "ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({low}) TO ({high})",
        ):
            session.execute(sql.SQL(statement).format(**bounds))
        made.append(_name(table, month))
    return made


def outlived(session: Session) -> Iterator[tuple[Partitioned, str, int]]:
    """(declaration, name, rows) of every partition all of whose rows are older than is to be kept."""
    now = datetime.now(UTC)
    for one in PARTITIONED:
        for name in _children(session, one.table):
            month = re.fullmatch(re.escape(one.table) + r"_(\d{4})_(\d{2})", name)
            if month and _next(datetime(int(month[1]), int(month[2]), 1, tzinfo=UTC)) <= now - one.keep:
                rows = only(session.execute(sql.SQL("SELECT count(*) AS n FROM {}").format(sql.Identifier(name))))
                yield one, name, int(rows["n"])


def drop(session: Session, name: str) -> None:
    """Drop a partition whole."""
    session.execute("SET LOCAL lock_timeout = '10s'")
    session.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))


def _children(session: Session, table: str) -> list[str]:
    return [row["name"] for row in session.execute(_CHILDREN, (table,)).fetchall()]


def _months() -> list[datetime]:
    month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found = [month]
    for _ in range(AHEAD):
        found.append(_next(found[-1]))
    return found


def _next(month: datetime) -> datetime:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def _name(table: str, month: datetime) -> str:
    return f"{table}_{month:%Y_%m}"
