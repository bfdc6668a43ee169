"""Reconciliations as the hub keeps them: what was found, what became of it, and how that changes from night to night."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from psycopg.types.json import Jsonb

from accord.errors import Stop
from accord.hub.connection import Hub, Session, only
from accord.hub.paging import no_place

NO_DIFFERENCE = ("agreed", "excluded", "in flight", "waiting")  # accord.pipeline.reconcile.classes.Standing


class Apply(StrEnum):
    """How much a reconciliation corrects."""

    NONE = "none"  # look only
    AUTO = "auto"  # what the object declares may be corrected by itself; the rest waits for an approval
    ALL = "all"  # everything: a person asked for it


class Outcome(StrEnum):
    """What became of a difference."""

    FOUND = "found"
    PROPOSED = "proposed"  # it waits for a person
    CORRECTED = "corrected"  # looked at again, both sides agree
    PASSED_ON = "passed on"  # the flow has it: it is on its way, or an exception says what it waits for
    STANDS = "stands"  # corrected, and still different
    ACCEPTED = "accepted"  # a person said to leave it as it is


def open_reconciliation(hub: Hub, *, flow: str, stream: int, keys: int | None, mode: str, who: str) -> int:
    """Write that one begins; its number."""
    with hub.session() as session:
        opened = session.execute(
            "INSERT INTO reconciliation (flow, stream, keys, mode, who) VALUES (%s, %s, %s, %s, %s) RETURNING id",
            (flow, stream, keys, mode, who),
        )
        return int(only(opened)["id"])


def keep_differences(session: Session, reconciliation: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add differences; `rows` has the table's other columns."""
    with session.cursor() as cursor:
        cursor.executemany(
            """INSERT INTO difference
                 (reconciliation, key, class, category, rule, cause, fields, natives, version, currency, at_risk, correction, outcome)
               VALUES (%(reconciliation)s, %(key)s, %(class)s, %(category)s, %(rule)s, %(cause)s, %(fields)s, %(natives)s,
                 %(version)s, %(currency)s, %(at_risk)s, %(correction)s, %(outcome)s)""",
            [{**row, "reconciliation": reconciliation} for row in rows],
        )


def at_stake(hub: Hub, reconciliation: int, *, by_hand: str) -> tuple[int, Decimal]:
    """How many differences could be corrected, and the most money at risk in any one currency."""
    with hub.session() as session:
        row = only(
            session.execute(
                """WITH found AS (SELECT currency, at_risk FROM difference
                                  WHERE reconciliation = %s AND outcome = 'found' AND correction <> %s)
                   SELECT (SELECT count(*) FROM found) AS records,
                     coalesce((SELECT max(sum) FROM (SELECT sum(at_risk) AS sum FROM found GROUP BY currency) s), 0) AS amount""",
                (reconciliation, by_hand),
            )
        )
    return int(row["records"]), Decimal(row["amount"])


# what was corrected in vain, or waits for a person, is not corrected again but by a person
_TO_CORRECT = """
SELECT d.key, d.natives FROM difference d
WHERE d.reconciliation = %(id)s AND d.outcome = 'found' AND d.correction <> %(by_hand)s AND d.key > %(after)s
  AND (%(asked)s OR NOT EXISTS (
    SELECT FROM exception e JOIN reconciliation r ON r.id = d.reconciliation JOIN stream s ON s.id = r.stream
    WHERE e.object = s.object AND e.target = s.target AND e.key = d.key AND e.kind = 'difference' AND e.state <> 'closed'))
ORDER BY d.key LIMIT %(at_once)s
"""


def to_correct(
    hub: Hub, reconciliation: int, by_hand: str, *, asked: bool, at_once: int
) -> Iterator[list[dict[str, Any]]]:
    """Differences to be corrected, `at_once` of them; `asked`: a person wants it."""
    after = ""
    while True:
        with hub.session() as session:
            arguments = {"id": reconciliation, "by_hand": by_hand, "after": after, "asked": asked, "at_once": at_once}
            rows = session.execute(_TO_CORRECT, arguments).fetchall()
        if not rows:
            return
        yield rows
        after = rows[-1]["key"]


def dismissed(hub: Hub, object_name: str, target: str, keys: Sequence[str]) -> set[tuple[str, str, datetime]]:
    """(key, rule, version) of differences that somebody discarded: they are left as they are, as those that were refused."""
    with hub.session() as session:
        rows = session.execute(
            """SELECT key, rule, version FROM exception
               WHERE kind = 'difference' AND discarded AND object = %s AND target = %s AND key = ANY(%s)""",
            (object_name, target, list(keys)),
        ).fetchall()
    return {(row["key"], row["rule"], row["version"]) for row in rows}


def open_ones(hub: Hub, reconciliation: int, *, at_once: int) -> Iterator[list[dict[str, Any]]]:
    """Differences that wait for a person, `at_once` of them."""
    after = ""
    while True:
        with hub.session() as session:
            rows = session.execute(
                """SELECT * FROM difference WHERE reconciliation = %s AND outcome IN ('proposed', 'stands') AND key > %s
                   ORDER BY key LIMIT %s""",
                (reconciliation, after, at_once),
            ).fetchall()
        if not rows:
            return
        yield rows
        after = rows[-1]["key"]


def set_outcome(session: Session, reconciliation: int, keys: Sequence[str], outcome: Outcome) -> None:
    """Write what became of `keys`."""
    session.execute(
        "UPDATE difference SET outcome = %s WHERE reconciliation = %s AND key = ANY(%s)",
        (outcome, reconciliation, list(keys)),
    )


def propose(session: Session, reconciliation: int) -> None:
    """What is only found waits for a person."""
    session.execute(
        "UPDATE difference SET outcome = 'proposed' WHERE reconciliation = %s AND outcome = 'found'", (reconciliation,)
    )


def close_reconciliation(
    session: Session, reconciliation: int, counts: Mapping[str, int], amounts: Mapping[str, Any]
) -> None:
    """Write what it found."""
    session.execute(
        "UPDATE reconciliation SET counts = %s, amounts = %s, ended = now() WHERE id = %s",
        (Jsonb(dict(counts)), Jsonb(dict(amounts)), reconciliation),
    )


_SUMMARY = """
SELECT r.id AS reconciliation, r.flow, s.object, s.target, r.keys, r.mode, r.who, r.started, r.ended, r.counts, r.amounts,
  coalesce(d.outcomes, '{}') AS outcomes, coalesce(d.at_risk, '{}') AS at_risk
FROM reconciliation r JOIN stream s ON s.id = r.stream CROSS JOIN LATERAL (
  WITH found AS MATERIALIZED (
    SELECT outcome, currency, count(*) AS n, sum(at_risk) AS amount FROM difference WHERE reconciliation = r.id GROUP BY outcome, currency)
  SELECT
    (SELECT jsonb_object_agg(outcome, n) FROM (SELECT outcome, sum(n)::bigint AS n FROM found GROUP BY outcome) o) AS outcomes,
    (SELECT jsonb_object_agg(currency, amount::text) FROM (
       SELECT currency, sum(amount) AS amount FROM found WHERE currency IS NOT NULL GROUP BY currency HAVING sum(amount) <> 0) a
    ) AS at_risk) d
"""
_ONE = _SUMMARY + "WHERE r.id = %s"
_LAST = (
    _SUMMARY
    + """WHERE r.ended IS NOT NULL AND (%(object)s::text IS NULL OR s.object = %(object)s)
  AND (%(target)s::text IS NULL OR s.target = %(target)s)
ORDER BY r.id DESC LIMIT %(last)s"""
)


def one(hub: Hub, reconciliation: int) -> dict[str, Any]:
    """A reconciliation in sum: counts, amounts of both sides, outcomes, money at risk per currency. Raises Stop when there is none."""
    with hub.session() as session:
        row = session.execute(_ONE, (reconciliation,)).fetchone()
    if row is None:
        raise Stop(
            f"There is no reconciliation {reconciliation}.", cure="`accord reconcile --list` shows the last ones."
        )
    return row


def trend(hub: Hub, object_name: str | None = None, target: str | None = None, last: int = 20) -> list[dict[str, Any]]:
    """The last complete reconciliations in sum, newest first."""
    with hub.session() as session:
        return session.execute(_LAST, {"object": object_name, "target": target, "last": last}).fetchall()


def differences_of(hub: Hub, reconciliation: int, last: int = 1000) -> list[dict[str, Any]]:
    """Differences of one reconciliation, at most `last`, the most money first."""
    with hub.session() as session:
        return session.execute(
            """SELECT key, class, cause, fields, correction, outcome, currency, at_risk FROM difference
               WHERE reconciliation = %s ORDER BY at_risk DESC NULLS LAST, key LIMIT %s""",
            (reconciliation, last),
        ).fetchall()


_LATEST = (
    _SUMMARY  # noqa: S608 - ours
    + """WHERE r.id IN (SELECT max(id) FROM reconciliation WHERE ended IS NOT NULL AND keys IS NULL GROUP BY flow, stream)
ORDER BY r.flow, s.target"""
)

_DIFFERENCES = """
SELECT key, class, cause, fields, correction, outcome, currency, at_risk, category, rule, version,
  coalesce(at_risk, -1) AS place
FROM difference
WHERE reconciliation = %(id)s AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s)
  AND (%(class)s::text IS NULL OR class = %(class)s)
  AND (%(place)s::numeric IS NULL OR (-coalesce(at_risk, -1), key) > (-%(place)s::numeric, %(key)s))
ORDER BY -coalesce(at_risk, -1), key LIMIT %(size)s
"""

# what was decided or settled since waits no more
_WAITING = """
SELECT d.key, d.class, d.correction, d.currency, d.at_risk
FROM reconciliation r JOIN stream s ON s.id = r.stream JOIN difference d ON d.reconciliation = r.id
JOIN exception e ON e.object = s.object AND e.target = s.target AND e.key = d.key AND e.flow = r.flow AND e.kind = 'difference'
  AND e.state = 'open'
WHERE r.id = %(id)s AND d.outcome IN ('proposed', 'stands') AND (%(outcome)s::text IS NULL OR d.outcome = %(outcome)s)
  AND (%(class)s::text IS NULL OR d.class = %(class)s)
ORDER BY d.key LIMIT %(most)s
"""


def latest(hub: Hub) -> list[dict[str, Any]]:
    """The last complete look at everything, of every flow and target, in sum."""
    with hub.session() as session:
        return session.execute(_LATEST).fetchall()


def waiting(
    hub: Hub, reconciliation: int, *, outcome: str | None = None, of_class: str | None = None, most: int
) -> list[dict[str, Any]]:
    """Differences of one reconciliation that wait for a person still, by key. Raises Stop when they are more than `most`."""
    arguments = {"id": reconciliation, "outcome": outcome, "class": of_class, "most": most + 1}
    with hub.session() as session:
        rows = session.execute(_WAITING, arguments).fetchall()
    if len(rows) > most:
        raise Stop(f"More than {most:,} are meant.", cure="Narrow it down by the filter.")
    return rows


def difference_page(
    hub: Hub,
    reconciliation: int,
    *,
    outcome: str | None = None,
    of_class: str | None = None,
    size: int = 50,
    after: str | None = None,
) -> tuple[list[dict[str, Any]], str | None]:
    """The next `size` differences, the most money first, and what to ask for the next ones with; None when there are no more. `after` is
    what the page before gave. Raises Stop when it is no such thing."""
    place, _, key = (after or "").partition(":")
    try:
        money = Decimal(place) if after else None
    except ArithmeticError:
        raise no_place(after or "") from None
    arguments = {
        "id": reconciliation, "outcome": outcome, "class": of_class, "place": money, "key": key, "size": size + 1,
    }  # fmt: skip
    with hub.session() as session:
        rows = session.execute(_DIFFERENCES, arguments).fetchall()
    more, rows = len(rows) > size, rows[:size]
    return rows, f"{rows[-1]['place']}:{rows[-1]['key']}" if more else None


def differing(summary: Mapping[str, Any]) -> dict[str, int]:
    """How many differences of each class."""
    return {name: n for name, n in summary["counts"].items() if name not in NO_DIFFERENCE}


def describe(summary: Mapping[str, Any]) -> str:
    """A reconciliation in one line a person can read."""
    looked = sum(summary["counts"].values())
    found = ", ".join(f"{n:,} {name}" for name, n in sorted(differing(summary).items())) or "no difference"
    rest = ", ".join(f"{summary['counts'][name]:,} {name}" for name in NO_DIFFERENCE if summary["counts"].get(name))
    became = ", ".join(f"{n:,} {name}" for name, n in sorted(summary["outcomes"].items()))
    return f"{summary['flow']} → {summary['target']}: {looked:,} looked at, {rest or 'none agreed'}; {found}" + (
        f" ({became})" if became else ""
    )


def waits(summary: Mapping[str, Any]) -> int:
    """How many differences are left as they are."""
    return sum(summary["outcomes"].get(name, 0) for name in (Outcome.FOUND, Outcome.PROPOSED, Outcome.STANDS))


def amounts_of(summary: Mapping[str, Any]) -> Iterator[tuple[str, str, Decimal, Decimal]]:
    """(field, currency, the source's sum, the target's)."""
    for name, per in sorted(summary["amounts"].items()):
        for currency, sides in sorted(per.items()):
            yield name, currency, Decimal(sides["source"]), Decimal(sides["target"])
