"""The measuring: one statement per kind of level, whatever the number of flows, queues and orders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from urllib.parse import urlencode

from accord.categories import Category
from accord.hub.connection import Session
from accord.hub.queue import OVERDUE
from accord.service_levels.breach import Breach, breach, instant, span
from accord.service_levels.targets import AGES, STALLED_RUNS, Measure, ServiceLevel

Measured = tuple[ServiceLevel, Breach | None]

_FLOWS = """
SELECT f.name, f.watermark, r.engine_run, r.state, r.error, r.started, r.id AS run,
  (SELECT started FROM run WHERE flow = f.name AND kind IN ('scheduled', 'event') AND NOT dry ORDER BY id LIMIT 1) AS begun,
  (SELECT count(*) FROM run x WHERE x.flow = f.name AND x.id > coalesce(f.moved_by, 0) AND x.ended IS NOT NULL
     AND x.kind IN ('scheduled', 'event') AND NOT x.dry) AS without_progress
FROM flow f LEFT JOIN LATERAL (
  SELECT * FROM run WHERE flow = f.name AND kind IN ('scheduled', 'event') AND NOT dry ORDER BY id DESC LIMIT 1) r ON true
WHERE f.name = ANY(%s)
"""

_WAITING = """
SELECT flow, sum(n)::bigint AS records, min(first) AS first, jsonb_object_agg(currency, money::text) FILTER (WHERE money > 0) AS amounts
FROM (SELECT flow, coalesce(currency, '') AS currency, count(*) AS n, min(id) AS first, sum(at_risk) AS money FROM exception
      WHERE state <> 'closed' AND flow = ANY(%s) GROUP BY flow, coalesce(currency, '')) w
GROUP BY flow
"""

# what waits for a person is no matter of time but of ageing
_ACCEPTANCE = """
SELECT count(*) AS records, min(opened) AS oldest, (array_agg(key ORDER BY opened))[1] AS first
FROM process WHERE name = %(process)s AND status = 'open' AND step IN ('committed', 'customer ensured', 'validated')
  AND opened < %(before)s
"""

_AGEING: LiteralString = (
    """
WITH old AS (
  SELECT id, queue, category, coalesce(currency, '') AS currency, at_risk, opened, (%(overdue)s::timestamptz[])[severity] - opened AS late
  FROM exception WHERE state <> 'closed' AND queue = ANY(%(queues)s) AND """  # noqa: S608 - both are ours
    + OVERDUE
    + """),
money AS (
  SELECT queue, jsonb_object_agg(currency, total::text) AS amounts
  FROM (SELECT queue, currency, sum(at_risk) AS total FROM old WHERE at_risk > 0 GROUP BY queue, currency) t GROUP BY queue)
SELECT o.queue, count(*) AS records, min(o.id) AS first, min(o.opened) AS oldest, max(o.late) AS late,
  mode() WITHIN GROUP (ORDER BY o.category) AS category,
  (SELECT amounts FROM money m WHERE m.queue = o.queue) AS amounts
FROM old o GROUP BY o.queue
"""
)


# of every pair that was ever reconciled as a whole: when one last ended, and what the last one left
_RECONCILIATION = """
WITH pair AS (
  SELECT r.flow, r.stream, min(r.started) AS begun, max(r.ended) AS ended, max(r.id) FILTER (WHERE r.ended IS NOT NULL) AS last
  FROM reconciliation r WHERE r.keys IS NULL GROUP BY r.flow, r.stream)
SELECT count(*) AS pairs, count(*) FILTER (WHERE coalesce(ended, begun) < %(before)s) AS late,
  min(coalesce(ended, begun)) AS oldest, (array_agg(flow ORDER BY coalesce(ended, begun)))[1] AS flow,
  (SELECT count(*) FROM difference d JOIN pair p ON p.last = d.reconciliation WHERE d.outcome = 'stands') AS stands,
  (SELECT min(d.reconciliation) FROM difference d JOIN pair p ON p.last = d.reconciliation WHERE d.outcome = 'stands') AS standing
FROM pair
"""


def flows(session: Session, levels: Sequence[ServiceLevel], environment: str, now: datetime) -> Iterator[Measured]:
    """Run deadline, freshness and watermark of every flow that ever ran by its schedule; of others nothing is known."""
    names = list(dict.fromkeys(level.subject for level in levels))
    rows = {row["name"]: row for row in session.execute(_FLOWS, (names,)).fetchall()}
    missed = [
        (level, row, found)
        for level in levels
        if (row := rows.get(level.subject)) and row["begun"]
        for found in [_judge(level, row, now)]
    ]
    late = list(dict.fromkeys(level.subject for level, _, found in missed if found))
    waiting = {row["flow"]: row for row in session.execute(_WAITING, (late,)).fetchall()} if late else {}
    for level, row, found in missed:
        if found is None:
            yield level, None
            continue
        more = waiting.get(level.subject, {})
        failed = row["state"] == "failed"
        yield (
            level,
            breach(
                level,
                environment,
                **found,
                watermark=instant(row["watermark"]),
                records=int(more.get("records") or 0),
                amounts=more.get("amounts") or {},
                step=_step(row["error"]) if failed else "",
                category="run failed" if failed else "late",
                run=row["engine_run"] or "",
                where=f"accord exceptions list --flow {level.subject}",
                places=_exceptions(more, flow=level.subject),
                correlation=f"run {row['run']}" if row["run"] else "",
            ),
        )


def _judge(level: ServiceLevel, row: dict[str, Any], now: datetime) -> dict[str, Any] | None:
    """What is to be said of a flow's level; None when it is kept."""
    reached: datetime = row["watermark"] or row["begun"]
    if level.measure is Measure.FRESHNESS and level.limit:
        age = now - reached
        if age <= level.limit:
            return None
        return {
            "summary": f"{level.subject}: the data is {span(age)} old",
            "actual": span(age),
            "late": age - level.limit,
            "due": instant(reached + level.limit),
        }
    if level.measure is Measure.WATERMARK:
        if row["without_progress"] < STALLED_RUNS:
            return None
        return {
            "summary": f"{level.subject}: {row['without_progress']:,} runs ended and the watermark did not move",
            "allowed": f"fewer than {STALLED_RUNS} runs",
            "actual": f"{row['without_progress']:,} runs",
            "late": now - reached,
        }
    return _run_deadline(level, row, reached, now)


def _run_deadline(level: ServiceLevel, row: dict[str, Any], reached: datetime, now: datetime) -> dict[str, Any] | None:
    limit = level.limit or timedelta()
    if row["state"] == "failed":
        return {
            "summary": f"{level.subject}: the run failed at {_step(row['error'])}",
            "actual": "failed",
            "late": timedelta(),
            "due": instant(reached + limit),
        }
    due = due_by(level.schedule, now - limit)
    if due is None or reached >= due:
        return None
    actual = "still running" if row["state"] == "open" else "has not run"
    return {
        "summary": f"{level.subject}: the run due at {due:%H:%M}Z has not succeeded",
        "actual": actual,
        "late": now - due - limit,
        "due": instant(due + limit),
    }


def due_by(schedule: str, by: datetime) -> datetime | None:
    """The last instant until `by` at which a run of the schedule was due: the end of its interval. None without a schedule."""
    if not schedule:
        return None
    from croniter import croniter

    found: datetime = croniter(schedule, by + timedelta(seconds=1)).get_prev(datetime)
    return found


def _step(error: str | None) -> str:
    """The first task that failed, as settle keeps it."""
    before, _, steps = (error or "").partition("failed before: ")
    return steps.split(", ")[0] if steps and not before else "settle"


def _each(
    levels: Sequence[ServiceLevel], environment: str, look: Callable[[ServiceLevel], dict[str, Any] | None]
) -> Iterator[Measured]:
    """Every level with what `look` has to say of it: None when it is kept."""
    for level in levels:
        found = look(level)
        yield level, breach(level, environment, **found) if found else None


def acceptance(session: Session, levels: Sequence[ServiceLevel], environment: str, now: datetime) -> Iterator[Measured]:
    """Orders that the ERP should have accepted by now, and that wait for nobody."""

    def look(level: ServiceLevel) -> dict[str, Any] | None:
        limit = level.limit or timedelta()
        row = session.execute(_ACCEPTANCE, {"process": level.subject, "before": now - limit}).fetchone()
        if row is None or not row["records"]:
            return None
        age = now - row["oldest"]
        return {
            "summary": f"{row['records']:,} {level.object}(s) not accepted by the ERP in {span(limit)}",
            "actual": span(age),
            "late": age - limit,
            "due": instant(row["oldest"] + limit),
            "records": row["records"],
            "category": "order pending",
            "where": "accord process list",
            "places": {"Trace of the oldest": f"/trace/?{urlencode({'of': row['first']})}"},
            "correlation": row["first"],
        }

    return _each(levels, environment, look)


def ageing(session: Session, levels: Sequence[ServiceLevel], environment: str, now: datetime) -> Iterator[Measured]:
    """Queues with exceptions that are older than their severity allows, in business days."""
    arguments = {
        "overdue": list(agreed(now)),
        "queues": [level.subject for level in levels],
        "now": now,
        "refused": Category.BATCH_REFUSED,
    }
    rows = {row["queue"]: row for row in session.execute(_AGEING, arguments).fetchall()}

    def look(level: ServiceLevel) -> dict[str, Any] | None:
        row = rows.get(level.subject)
        if row is None:
            return None
        age = now - row["oldest"]
        return {
            "summary": f"{level.subject}: {row['records']:,} exception(s) older than agreed, the oldest {span(age)}",
            "allowed": _allowed(),
            "actual": span(age),
            "late": row["late"],
            "records": row["records"],
            "amounts": row["amounts"] or {},
            "category": row["category"],
            "where": f'accord exceptions list --queue "{level.subject}" --overdue',
            "places": _exceptions(row, queue=level.subject, overdue="1"),
        }

    return _each(levels, environment, look)


def reconciliation(
    session: Session, levels: Sequence[ServiceLevel], environment: str, now: datetime
) -> Iterator[Measured]:
    """Whether every pair of sides was reconciled in time, and whether what was corrected agrees now. Unknown before the first one."""
    rows = {
        level: session.execute(_RECONCILIATION, {"before": now - (level.limit or timedelta())}).fetchone()
        for level in levels
    }

    def look(level: ServiceLevel) -> dict[str, Any] | None:
        limit, row = level.limit or timedelta(), rows[level] or {}
        if not row["late"] and not row["stands"]:
            return None
        age = now - row["oldest"]
        late = f"{row['late']} of {row['pairs']} were not reconciled in {span(limit)}" if row["late"] else ""
        stands = f"{row['stands']:,} difference(s) stand though corrected" if row["stands"] else ""
        return {
            "summary": f"reconciliation: {late or stands}",
            "actual": f"the oldest ended {span(age)} ago",
            "late": age - limit,
            "due": instant(row["oldest"] + limit),
            "records": row["stands"],
            "category": "reconciliation",
            "where": "accord reconcile --trend",
            "places": _reconciliation(row),
            "correlation": row["flow"],
        }

    return _each([level for level, row in rows.items() if row and row["pairs"]], environment, look)


def _exceptions(row: Mapping[str, Any], **which: str) -> dict[str, str]:
    """Where the exceptions are that `row` counted: the one, or the queue with a filter."""
    if not row.get("records"):
        return {}
    if row["records"] == 1:
        return {f"Exception {row['first']}": f"/exceptions/{row['first']}/"}
    return {"Exceptions": f"/exceptions/?{urlencode(which)}"}


def _reconciliation(row: Mapping[str, Any]) -> dict[str, str]:
    """The last look at everything, when one is late; the differences that stand, when some do."""
    found = {"Reconciliation": "/reconciliation/"} if row["late"] else {}
    if number := row["standing"]:
        found[f"Reconciliation {number}"] = f"/reconciliation/{number}/?outcome=stands"
    return found


def agreed(now: datetime) -> tuple[datetime, ...]:
    """By severity, from 1 on: what was opened before is older than agreed."""
    ages = (AGES[severity] for severity in sorted(AGES))
    return tuple(business_days_before(now, days) - timedelta(hours=hours) for days, hours in ages)


def _allowed() -> str:
    return ", ".join(
        f"severity {s}: {f'{days} business day(s)' if days else f'{hours} h'}" for s, (days, hours) in AGES.items()
    )


def business_days_before(now: datetime, days: int) -> datetime:
    """The instant so many business days (Monday to Friday, UTC) before `now`; a weekend takes no time."""
    at = now
    if days and at.weekday() > 4:
        at = datetime.combine(at.date() - timedelta(days=at.weekday() - 5), datetime.min.time(), tzinfo=UTC)
    while days > 0:
        at -= timedelta(days=1)
        days -= at.weekday() <= 4
    return at
