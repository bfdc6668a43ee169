"""The values of the figures: taken now, kept for the day, read as a trend."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from psycopg import sql

from accord.hub.connection import Hub, Session, only
from accord.metrics.definitions import KPIS
from accord.metrics.facts import keep_facts
from accord.metrics.technical import QUERIES

FRESH = timedelta(minutes=15)  # how long values that were taken are good for
TREND = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value of the metric `name`; `sample`: how many records it was computed from."""

    name: str
    labels: Mapping[str, str]
    value: Decimal
    sample: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Values and when they were taken (UTC); None when they never were."""

    values: tuple[Value, ...]
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A series of a metric: its labels, and (day, value), the oldest first."""

    name: str
    labels: Mapping[str, str]
    points: tuple[tuple[date, Decimal], ...]


_STALE = (
    "SELECT coalesce(max(at) < now() - %s, true) AS stale FROM kpi_value WHERE day >= (now() AT TIME ZONE 'UTC')::date"
)
_TAKE = """
INSERT INTO kpi_value (day, kpi, labels, value, sample, at)
SELECT (now() AT TIME ZONE 'UTC')::date, {name}, labels, value, sample, now() FROM {view} WHERE value IS NOT NULL
"""


def measure(hub: Hub, *, fresh: timedelta = timedelta()) -> int:
    """Take the business figures now and keep them as those of the day, unless that was done within `fresh`; how many values."""
    if fresh:
        with hub.session() as session:
            if not only(session.execute(_STALE, (fresh,)))["stale"]:
                return 0
    keep_facts(hub)
    with hub.session() as session:
        session.execute("SET LOCAL TIME ZONE 'UTC'")  # current_date is the day in UTC
        session.execute("LOCK TABLE kpi_value IN SHARE ROW EXCLUSIVE MODE")  # one at a time
        session.execute("DELETE FROM kpi_value WHERE day = current_date")
        return sum(
            session.execute(
                sql.SQL(_TAKE).format(name=sql.Literal(metric.name), view=sql.Identifier(metric.view))
            ).rowcount
            for metric in KPIS
        )


def latest(hub: Hub) -> Taken:
    """The business figures as they were last taken, in the order of definitions and labels."""
    with hub.session() as session:
        rows = session.execute(
            """SELECT kpi, labels, value, sample, at FROM kpi_value WHERE day = (SELECT max(day) FROM kpi_value)
            """
        ).fetchall()
    order = {metric.name: (place, metric.labels) for place, metric in enumerate(KPIS)}

    def place(one: Value) -> tuple[int, list[str]]:
        number, labels = order[one.name]
        return number, [one.labels.get(label, "") for label in labels]

    values = [
        Value(name=row["kpi"], labels=row["labels"], value=row["value"], sample=row["sample"])
        for row in rows
        if row["kpi"] in order
    ]
    return Taken(values=tuple(sorted(values, key=place)), at=max((row["at"] for row in rows), default=None))


def technical(hub: Hub) -> tuple[Value, ...]:
    """The technical figures now."""
    with hub.session() as session:
        return tuple(value for name in QUERIES for value in _technical(session, name))


def _technical(session: Session, name: str) -> list[Value]:
    # the queries are this package's own constants
    rows = session.execute(QUERIES[name].encode()).fetchall()
    return [Value(name=name, labels=row["labels"], value=row["value"], sample=row["sample"]) for row in rows]


def trends(hub: Hub, *, since: timedelta = TREND) -> dict[str, list[Trend]]:
    """Every business figure's series by metric, from `since` ago until today."""
    with hub.session() as session:
        rows = session.execute(
            """SELECT kpi, labels, array_agg(day ORDER BY day) AS days, array_agg(value ORDER BY day) AS points FROM kpi_value
               WHERE day >= (now() AT TIME ZONE 'UTC')::date - %s::int GROUP BY kpi, labels ORDER BY kpi, labels::text""",
            (since.days,),
        ).fetchall()
    found: dict[str, list[Trend]] = defaultdict(list)
    for row in rows:
        points = tuple(zip(row["days"], row["points"], strict=True))
        found[row["kpi"]].append(Trend(name=row["kpi"], labels=row["labels"], points=points))
    return dict(found)
