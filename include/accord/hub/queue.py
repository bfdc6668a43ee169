"""The exception queue as people work it: chosen by what it is about, the gravest and oldest first, page by page."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, LiteralString

from psycopg import sql

from accord.categories import Category
from accord.errors import Stop
from accord.hub.connection import Hub, Session, only
from accord.hub.exceptions import free_abandoned
from accord.hub.paging import no_place


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which exceptions. What is None does not matter; `assignee` '' means nobody's; `older_than` counts from when it was opened; `above`
    is money at risk, in `currency`; `overdue` means open longer than agreed, an instant per severity from 1 on before which those were
    opened (accord.service_levels.measures.agreed); `closed` asks for settled ones instead of open ones; `within` are the flows somebody
    may see."""

    ids: tuple[int, ...] | None = None
    queue: str | None = None
    category: str | None = None
    kind: str | None = None
    object: str | None = None
    flow: str | None = None
    target: str | None = None
    key: str | None = None
    assignee: str | None = None
    older_than: timedelta | None = None
    overdue: tuple[datetime, ...] | None = None
    above: Decimal | None = None
    currency: str | None = None
    closed: bool = False
    within: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if (self.above is None) != (self.currency is None):
            raise Stop("Money has a currency.", cure="Give both the amount and the currency.")

    @property
    def everything(self) -> bool:
        """Whether nothing is asked of an exception."""
        return self == Filter(closed=self.closed, within=self.within)


# longer than agreed, by severity; what somebody accepted for a while is not meanwhile, a refused batch always is
OVERDUE: LiteralString = """(opened < (%(overdue)s::timestamptz[])[severity] AND NOT EXISTS (
  SELECT FROM review WHERE exception.kind = 'quarantined' AND exception.category <> %(refused)s AND review.flow = exception.flow
    AND review.rule = exception.rule AND review.closed IS NULL AND review.accepted_until > %(now)s))"""

_WHERE: LiteralString = (
    """
(%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s)) AND (%(queue)s::text IS NULL OR queue = %(queue)s)
AND (%(category)s::text IS NULL OR category = %(category)s) AND (%(kind)s::text IS NULL OR kind = %(kind)s)
AND (%(within)s::text[] IS NULL OR flow = ANY(%(within)s))
AND (%(object)s::text IS NULL OR object = %(object)s) AND (%(flow)s::text IS NULL OR flow = %(flow)s)
AND (%(target)s::text IS NULL OR target IN ('', %(target)s)) AND (%(key)s::text IS NULL OR key = %(key)s)
AND (%(assignee)s::text IS NULL OR coalesce(assignee, '') = %(assignee)s)
AND (%(older_than)s::interval IS NULL OR opened < now() - %(older_than)s::interval)
AND (%(above)s::numeric IS NULL OR (currency = %(currency)s AND at_risk >= %(above)s))
AND (%(overdue)s::timestamptz[] IS NULL OR """
    + OVERDUE
    + ")\n"
)
# as the indexes have it
_OPEN: LiteralString = "state <> 'closed' AND " + _WHERE
_CLOSED: LiteralString = "state = 'closed' AND " + _WHERE
_SHOWN = """id, kind, flow, object, target, key, category, queue, severity, rule, message, currency, at_risk, awaits, awaits_object, other,
  not_before, version, behind, answer, run, correlation, attempts, assignee, state, discarded, resolution, opened, seen, closed"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some exceptions, and what to ask for the next ones with; None when there are no more."""

    rows: list[dict[str, Any]]
    after: str | None


def page(hub: Hub, wanted: Filter, *, size: int = 50, after: str | None = None) -> Page:
    """The next `size` of the exceptions `wanted`, gravest first, then oldest. `after` is what the page before gave.

    Raises Stop when `after` is no such thing.
    """
    severity, place = _place(after)
    with hub.session() as session:
        free_abandoned(session)
        rows = session.execute(
            _query(
                """SELECT {shown} FROM exception WHERE {where} AND (-severity, id) > (%(rank)s::int, %(place)s::bigint)
                   ORDER BY -severity, id LIMIT %(size)s""",
                wanted,
            ),
            {**_arguments(wanted), "rank": severity, "place": place, "size": size + 1},
        ).fetchall()
    more = len(rows) > size
    rows = rows[:size]
    return Page(rows=rows, after=f"{rows[-1]['severity']}.{rows[-1]['id']}" if more else None)


def one(hub: Hub, number: int) -> dict[str, Any]:
    """The exception `number`, open or closed, with its `dispatch`, the `request` and the engine's names of its run and of the
    one that was started in. Raises Stop when there is none."""
    with hub.session() as session:
        free_abandoned(session)
        row = session.execute(
            _query(
                """SELECT e.*, run.engine_run, run.started_in
                   FROM (SELECT {shown}, dispatch, request FROM exception WHERE id = %s) e LEFT JOIN run ON run.id = e.run"""
            ),
            (number,),
        ).fetchone()
    if row is None:
        raise Stop(f"There is no exception {number}.", cure="`accord exceptions list` shows them.")
    return row


def sums(hub: Hub, wanted: Filter) -> list[dict[str, Any]]:
    """How many exceptions are `wanted`, and the money at risk, by currency; the most first."""
    with hub.session() as session:
        return session.execute(
            _query(
                """SELECT currency, count(*) AS exceptions, sum(at_risk) AS at_risk FROM exception WHERE {where}
                   GROUP BY currency ORDER BY count(*) DESC, currency""",
                wanted,
            ),
            _arguments(wanted),
        ).fetchall()


def totals(session: Session, wanted: Filter) -> list[dict[str, Any]]:
    """How many exceptions are `wanted`, since when, and the money at risk, by flow, category and currency."""
    return session.execute(
        _query(
            """SELECT flow, category, queue, currency, count(*) AS exceptions, sum(at_risk) AS at_risk, min(opened) AS oldest
               FROM exception WHERE {where} GROUP BY flow, category, queue, currency ORDER BY count(*) DESC, flow, category""",
            wanted,
        ),
        _arguments(wanted),
    ).fetchall()


def chosen(session: Session, wanted: Filter, *, most: int) -> list[dict[str, Any]]:
    """The open exceptions `wanted`, the oldest first. Raises Stop when they are more than `most`, and when nothing was asked of them."""
    if wanted.everything:
        raise Stop("That would be every exception.", cure="Give numbers, or say which by queue, category, flow …")
    free_abandoned(session)
    counted = session.execute(_query("SELECT count(*) AS n FROM exception WHERE {where}", wanted), _arguments(wanted))
    count = int(only(counted)["n"])
    if count > most:
        raise Stop(f"{count:,} exceptions are meant, at most {most:,} may be.", cure="Narrow it down, or allow more.")
    return session.execute(
        _query("SELECT {shown} FROM exception WHERE {where} ORDER BY id", wanted), _arguments(wanted)
    ).fetchall()


def _query(text: LiteralString, wanted: Filter | None = None) -> sql.Composed:
    where = sql.SQL(_CLOSED if wanted and wanted.closed else _OPEN)
    return sql.SQL(text).format(shown=sql.SQL(_SHOWN), where=where)


def _arguments(wanted: Filter) -> dict[str, Any]:
    found = asdict(wanted)
    found |= {name: list(found[name]) for name in ("ids", "within", "overdue") if found[name] is not None}
    return found | {"refused": Category.BATCH_REFUSED, "now": datetime.now(UTC)}


def _place(after: str | None) -> tuple[int, int]:
    if after is None:
        return -99, 0
    severity, _, place = after.partition(".")
    if not (severity.isdecimal() and place.isdecimal()):
        raise no_place(after)
    return -int(severity), int(place)
