"""Reviews: a rule that fails at a gate of a flow is a matter for its owner, from the first run that fails it until nothing does.

    (holds) ──a run fails it──▶ open ──acknowledge──▶ acknowledged ──nothing fails it──▶ settled
                                 ▲ └──────accept──────▶ accepted ──────────────────────▶ settled
                                 └──the acceptance expires──┘

Accepting is about attention, never about data: what a rule holds back stays back. While it is accepted a matter does not count as open,
its records raise no ageing alert, and it is shown as accepted, by whom, why and until when. Assignments and comments change no state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

from psycopg import sql

from accord.categories import REVIEW_STATES
from accord.errors import Stop
from accord.hub.audit import audit, audited
from accord.hub.connection import Hub, Session, only
from accord.hub.paging import no_place
from accord.quality.verdict import REFUSED

LONGEST = 90  # days an acceptance may last
_LONGEST_TEXT = 2000  # characters of a comment or reason

_OPEN = """
INSERT INTO review (flow, gate, rule, run)
SELECT %(flow)s, g.gate, g.rule, g.run FROM gate_result g JOIN gate_verdict v USING (run, gate)
WHERE g.run = %(run)s AND g.gate = %(gate)s AND (g.errored OR g.failed > 0 AND (
  g.severity = 'warning' OR v.verdict = ANY(%(refused)s) OR g.fresh + g.recurring > 0))
ORDER BY g.severity, g.rule
ON CONFLICT (flow, gate, rule) WHERE closed IS NULL DO UPDATE SET run = excluded.run, seen = now()
"""

# what is held for a rule: its exception names one rule, the last run's findings all of them
_HELD = """
FROM exception e WHERE e.flow = v.flow AND e.category = g.category AND e.state <> 'closed' AND e.target = '' AND (
  e.rule = v.rule OR EXISTS (
    SELECT FROM finding f WHERE f.run = e.run AND f.gate = v.gate AND f.key = e.key AND f.rule = v.rule))
"""

_CLOSE = """
UPDATE review v SET closed = now() FROM gate_result g
WHERE v.flow = %(flow)s AND v.gate = %(gate)s AND v.closed IS NULL AND v.run <> %(run)s
  AND coalesce(v.accepted_until, '-infinity') <= now()
  AND g.run = %(run)s AND g.gate = v.gate AND g.rule = v.rule AND g.checked > 0 AND NOT g.errored
  AND NOT EXISTS (SELECT {held})
"""

# the last run that failed it says what it is about
_SAID = """
SELECT v.id, v.flow, v.gate, v.rule, v.run, v.opened, v.seen, v.closed, v.assignee, v.acknowledged, v.acknowledged_by,
  v.accepted_until, v.accepted_by, v.accepted_why, v.accepted_failed, r.engine_run, w.at, w.verdict,
  g.title, g.part, g.severity, g.queue AS owner, g.category, g.consequence, g.checked, g.failed, g.errored, g.message, g.samples,
  CASE WHEN v.closed IS NOT NULL THEN 'settled' WHEN v.accepted_until > now() THEN 'accepted'
       WHEN v.accepted_until IS NULL AND v.acknowledged IS NOT NULL THEN 'acknowledged' ELSE 'open' END AS state,
  (SELECT count(*) FROM review_comment c WHERE c.review = v.id) AS comments
FROM review v JOIN run r ON r.id = v.run
JOIN gate_verdict w ON w.run = v.run AND w.gate = v.gate
JOIN gate_result g ON g.run = v.run AND g.gate = v.gate AND g.rule = v.rule
"""

# with what is held for it: counted once for all reviews, as a gate may hold ten thousands of records. An exception names one rule; the
# others that some records failed too are looked for at these alone
_SHOWN = """
WITH held AS NOT MATERIALIZED (
  SELECT id, flow, category, rule, run, currency, at_risk FROM exception
  WHERE state <> 'closed' AND target = '' AND (%(flow)s::text IS NULL OR flow = %(flow)s)),
counted AS MATERIALIZED (
  SELECT flow, category, rule, NULL AS gate, currency, count(*) AS n, sum(at_risk) AS amount FROM held
  GROUP BY flow, category, rule, currency
  UNION ALL
  SELECT h.flow, h.category, f.rule, f.gate, h.currency, count(*), sum(h.at_risk)
  FROM finding f JOIN held h ON h.id = f.exception AND h.run = f.run WHERE NOT f.lone AND f.rule IS DISTINCT FROM h.rule
  GROUP BY h.flow, h.category, f.rule, f.gate, h.currency)
SELECT v.*, h.held, coalesce(h.at_risk, '{{}}') AS at_risk
FROM ({said} WHERE {which}) v
CROSS JOIN LATERAL (
  SELECT coalesce(sum(n), 0)::bigint AS held, jsonb_object_agg(currency, amount::text) FILTER (WHERE amount > 0) AS at_risk
  FROM (SELECT c.currency, sum(c.n) AS n, round(sum(c.amount), 2) AS amount FROM counted c
        WHERE c.flow = v.flow AND c.category = v.category AND c.rule = v.rule AND coalesce(c.gate, v.gate) = v.gate
        GROUP BY c.currency) s) h
"""

_STATES = (*REVIEW_STATES, "settled")  # as they are listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which reviews. What is None does not matter; `assignee` '' means nobody's; `settled` asks for those that are over instead; `within`
    are the flows somebody may see."""

    owner: str | None = None
    flow: str | None = None
    state: str | None = None
    assignee: str | None = None
    settled: bool = False
    within: tuple[str, ...] | None = None


def judged(session: Session, run: int, flow: str, gate: str, *, closes: bool) -> None:
    """Open a review for each rule the run fails at the gate, bring those that are open up to date, and close those of rules nothing
    fails any more: neither a record of this run nor one that is held. A run that read what somebody chose closes nothing."""
    place = {"run": run, "flow": flow, "gate": gate}
    session.execute(_OPEN, {**place, "refused": list(REFUSED)})
    if closes:
        session.execute(sql.SQL(_CLOSE).format(held=sql.SQL(_HELD)), place)


def reviews(
    hub: Hub,
    wanted: Wanted | None = None,
    *,
    most: int = 200,
    since: datetime | None = None,
    after: str | None = None,
) -> list[dict[str, Any]]:
    """The reviews `wanted`, at most `most`: open ones first, in each state what holds records before warnings, then those that hold the
    most; of settled ones those that were settled `since` then. `after`: those behind a review's `place`. Raises Stop when that is none."""
    asked = wanted or Wanted()
    closed = "v.closed >= coalesce(%(since)s::timestamptz, '-infinity')" if asked.settled else "v.closed IS NULL"
    rank, severity, held, number = _place(after)
    with hub.session() as session:
        return session.execute(
            sql.SQL(
                """SELECT *, concat_ws('.', rank, severity, held, id) AS place
                   FROM (SELECT *, array_position(%(states)s::text[], state) AS rank FROM ({shown}) s) q
                   WHERE (%(owner)s::text IS NULL OR owner = %(owner)s) AND (%(flow)s::text IS NULL OR flow = %(flow)s)
                     AND (%(state)s::text IS NULL OR state = %(state)s)
                     AND (%(assignee)s::text IS NULL OR coalesce(assignee, '') = %(assignee)s)
                     AND (%(within)s::text[] IS NULL OR flow = ANY(%(within)s))
                     AND (rank, severity, -held, id) > (%(rank)s::int, %(severity)s::text, -%(held)s::bigint, %(number)s::bigint)
                   ORDER BY rank, severity, -held, id LIMIT %(most)s"""
            ).format(shown=_shown(closed)),
            {
                "owner": asked.owner,
                "flow": asked.flow,
                "state": asked.state,
                "assignee": asked.assignee,
                "within": None if asked.within is None else list(asked.within),
                "states": list(_STATES),
                "rank": rank,
                "severity": severity,
                "held": held,
                "number": number,
                "most": most,
                "since": since,
            },
        ).fetchall()


def reviews_of(session: Session, flow: str, gate: str) -> dict[str, dict[str, Any]]:
    """Rule → its review that is not settled, at a gate of a flow; without what is held for it."""
    rows = session.execute(
        sql.SQL(_SAID) + sql.SQL("WHERE v.closed IS NULL AND v.flow = %(flow)s AND v.gate = %(gate)s"),
        {"flow": flow, "gate": gate},
    ).fetchall()
    return {row["rule"]: row for row in rows}


def show(hub: Hub, number: int) -> dict[str, Any]:
    """The review `number` with its comments and what was done about it, the oldest first. Raises Stop when there is none."""
    with hub.session() as session:
        of = session.execute("SELECT id, flow FROM review WHERE id = %s", (number,)).fetchone()
        if of is None:
            raise _none(number)
        row = only(session.execute(_shown("v.id = %(id)s"), of))
        comments = session.execute(
            "SELECT at, who, text FROM review_comment WHERE review = %s ORDER BY id", (number,)
        ).fetchall()
        return row | {"comments": comments, "history": audited(session, [_subject(number)])}


def acknowledge(hub: Hub, number: int, *, who: str) -> None:
    """Somebody sees to it: the review is theirs, unless it is somebody's already. Raises Stop when it is not open."""
    with hub.session() as session:
        _change(
            session,
            "UPDATE review SET acknowledged = now(), acknowledged_by = %s, assignee = coalesce(assignee, %s), "
            "accepted_until = NULL, accepted_by = NULL, accepted_why = NULL, accepted_failed = NULL",
            (who, who),
            number,
        )
        audit(session, who, "review acknowledged", [_subject(number)], {})


def assign(hub: Hub, number: int, *, to: str | None, who: str) -> None:
    """Give it to `to` (None: to nobody). Raises Stop when it is settled or there is none."""
    with hub.session() as session:
        _change(session, "UPDATE review SET assignee = %s", (to,), number)
        audit(session, who, "review assigned", [_subject(number)], {"to": to})


def comment(hub: Hub, number: int, *, text: str, who: str) -> None:
    """Say something about it, settled or not. Raises Stop when there is none, and for a text that is empty or longer than 2,000
    characters. Comments stay with the review: the audit and the digest only say that there is one."""
    said = _said(text, "comment")
    with hub.session() as session:
        if session.execute("SELECT FROM review WHERE id = %s", (number,)).fetchone() is None:
            raise _none(number)
        session.execute("INSERT INTO review_comment (review, who, text) VALUES (%s, %s, %s)", (number, who, said))
        audit(session, who, "review commented", [_subject(number)], {})


def accept(hub: Hub, number: int, *, days: int, why: str, who: str) -> None:
    """Live with it for `days` (1 to 90): until then it does not count as open and its records raise no ageing alert. What it holds
    stays held. Raises Stop without a reason, for other lengths, and when it is settled."""
    reason = _said(why, "reason")
    if not 1 <= days <= LONGEST:
        raise Stop(
            f"An acceptance lasts 1 to {LONGEST} days.", cure="Mend what fails, or accept it again when it expires."
        )
    with hub.session() as session:
        row = _change(
            session,
            "UPDATE review v SET accepted_until = now() + %s, accepted_by = %s, accepted_why = %s, accepted_failed = "
            "(SELECT failed FROM gate_result g WHERE g.run = v.run AND g.gate = v.gate AND g.rule = v.rule)",
            (timedelta(days=days), who, reason),
            number,
        )
        until = row["accepted_until"].isoformat()
        audit(session, who, "review accepted", [_subject(number)], {"days": days, "until": until, "why": reason})


def reopen(hub: Hub, number: int, *, who: str) -> None:
    """Take acknowledgement and acceptance back. Raises Stop when it is settled or there is none."""
    with hub.session() as session:
        _change(
            session,
            "UPDATE review SET acknowledged = NULL, acknowledged_by = NULL, accepted_until = NULL, accepted_by = NULL, "
            "accepted_why = NULL, accepted_failed = NULL",
            (),
            number,
        )
        audit(session, who, "review reopened", [_subject(number)], {})


def counts(session: Session, flows: Sequence[str] | None = None) -> dict[tuple[str, str], int]:
    """(flow, gate) → how many of its reviews count as open: those neither settled nor accepted."""
    rows = session.execute(
        """SELECT flow, gate, count(*) AS n FROM review WHERE closed IS NULL AND coalesce(accepted_until, '-infinity') <= now()
             AND (%(flows)s::text[] IS NULL OR flow = ANY(%(flows)s)) GROUP BY flow, gate""",
        {"flows": list(flows) if flows is not None else None},
    ).fetchall()
    return {(row["flow"], row["gate"]): row["n"] for row in rows}


def _shown(which: LiteralString) -> sql.Composed:
    return sql.SQL(_SHOWN).format(said=sql.SQL(_SAID), which=sql.SQL(which))


def _place(after: str | None) -> tuple[int, str, int, int]:
    """What `reviews` compares with: before the first of all for None."""
    if after is None:
        return 0, "", 0, 0
    rank, severity, held, number = (after.split(".") + [""] * 4)[:4]
    if not (rank.isdecimal() and held.isdecimal() and number.isdecimal()):
        raise no_place(after)
    return int(rank), severity, int(held), int(number)


def _change(session: Session, statement: LiteralString, arguments: Sequence[Any], number: int) -> dict[str, Any]:
    query = sql.SQL(statement) + sql.SQL(" WHERE id = %s AND closed IS NULL RETURNING *")
    row = session.execute(query, [*arguments, number]).fetchone()
    if row is not None:
        return row
    if session.execute("SELECT FROM review WHERE id = %s", (number,)).fetchone() is None:
        raise _none(number)
    raise Stop(f"Review {number} is settled.", cure="`accord reviews list` shows those that are not.")


def _said(text: str, what: str) -> str:
    said = text.strip()
    if not said:
        raise Stop(f"The {what} is empty.", cure=f"Give a {what}.")
    if len(said) > _LONGEST_TEXT:
        raise Stop(f"The {what} is longer than {_LONGEST_TEXT:,} characters.", cure="Say it shorter.")
    return said


def _none(number: int) -> Stop:
    return Stop(f"There is no review {number}.", cure="`accord reviews list` shows them.")


def _subject(number: int) -> str:
    return f"review:{number}"
