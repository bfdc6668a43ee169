"""Expectation reports: what a gate found in a run, for pages, files and mail alike. Read from stored rows; no value of a record in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from accord.errors import Stop
from accord.hub.connection import Session
from accord.hub.reviews import counts, reviews_of
from accord.quality.verdict import REFUSED, WORST_FIRST

TREND = 20  # runs
HELD = 200  # records of a page


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A run in a trend: its verdict, how many records came and were held, and rule → rows that failed it (0 is left out)."""

    run: int
    at: datetime
    verdict: str
    records: int
    quarantined: int
    failed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleReport:
    """What one rule found. `fresh`, `recurring` and `fixed` count records: held for it only now, held before already, and held at the run
    before and gone through since. `before`: the rows that failed it in the run before, None when there was none. `samples`: key,
    correlation and fields of some failing records, outlined; `review`: the matter it is, if it is one."""

    rule: str
    title: str
    part: str
    severity: str
    owner: str
    category: str
    consequence: str
    checked: int
    failed: int
    errored: bool
    message: str
    fresh: int
    recurring: int
    fixed: int
    before: int | None
    at_risk: Mapping[str, str]
    samples: Sequence[Mapping[str, Any]]
    trend: Sequence[int]
    review: Mapping[str, Any] | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing fails it."""
        return not self.failed and not self.errored

    @property
    def standing(self) -> str:
        """How it compares with the run before: new, recurring, fixed, or '' where it held and holds."""
        if self.errored:
            return "could not be checked"
        if not self.failed:
            return "fixed" if self.before or self.fixed else ""
        return "recurring" if self.before or self.recurring else "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRecord:
    """A record a gate held back, and what became of it: `fate` is one of FATES; `exception` its number, None where none was raised."""

    key: str
    rules: Sequence[str]
    correlation: str
    currency: str | None
    at_risk: str | None
    fate: str
    exception: int | None
    settled: datetime | None


# what may become of a record that was held back
FATES = {
    "still held": "waits in the exception queue",
    "being replayed": "is on its way again",
    "released": "went through later, or needs nothing any more",
    "replayed": "went through after somebody replayed it",
    "discarded": "somebody decided against it",
    "batch refused": "nothing of its batch was written; the next run reads it again",
    "dry run": "nothing was held, as nothing was to be written",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """One gate of one run. `at_risk`: of the records held, or of the whole batch where nothing of it goes on; `previous`: id, instant and
    verdict of the run it is held against; `fates`: fate → how many of the records held, `after` what to ask for the next of them with."""

    run: int
    flow: str
    object: str
    gate: str
    engine_run: str
    kind: str
    dry: bool
    at: datetime
    verdict: str
    records: int
    quarantined: int
    reasons: Sequence[str]
    at_risk: Mapping[str, str]
    report: str
    previous: Mapping[str, Any] | None
    rules: Sequence[RuleReport]
    trend: Sequence[Point]
    fates: Mapping[str, int]
    held: Sequence[HeldRecord]
    after: str | None = None

    @property
    def failing(self) -> list[RuleReport]:
        """The rules that do not hold, gravest first."""
        return [rule for rule in self.rules if not rule.holds]

    @property
    def fixed(self) -> list[RuleReport]:
        """The rules that hold and have let go of records since the run before."""
        return [rule for rule in self.rules if rule.holds and rule.standing]

    def as_dict(self) -> dict[str, Any]:
        """Its JSON, with each rule's standing."""
        body = asdict(self)
        for rule, told in zip(self.rules, body["rules"], strict=True):
            told["standing"] = rule.standing
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class GateStanding:
    """A gate of a flow as its last run left it; `open`: how many of its reviews count as open."""

    flow: str
    gate: str
    run: int
    at: datetime
    verdict: str
    records: int
    quarantined: int
    at_risk: Mapping[str, str]
    open: int
    trend: Sequence[Point] = field(default=())


_HEAD = """
SELECT r.id AS run, r.flow, f.declaration ->> 'object' AS object, r.engine_run, r.kind, r.dry, v.gate, v.at, v.verdict, v.records,
  v.quarantined, v.reasons, v.at_risk, coalesce(v.report, '') AS report, v.previous,
  p.at AS previous_at, p.verdict AS previous_verdict
FROM gate_verdict v JOIN run r ON r.id = v.run JOIN flow f ON f.name = r.flow
LEFT JOIN gate_verdict p ON p.run = v.previous AND p.gate = v.gate
WHERE v.run = %(run)s AND v.gate = %(gate)s
"""

# failures first: what could not be checked, then what holds records, then how many
_RULES = """
SELECT rule, title, part, severity, queue AS owner, category, consequence, checked, failed, errored, coalesce(message, '') AS message,
  fresh, recurring, fixed, before, at_risk, samples
FROM gate_result WHERE run = %(run)s AND gate = %(gate)s
ORDER BY errored DESC, failed = 0, severity, failed DESC, fixed DESC, part, rule
"""

# runs that read a window, not what somebody chose, and the run itself
_TREND = """
SELECT r.id AS run, v.at, v.verdict, v.records, v.quarantined,
  (SELECT coalesce(jsonb_object_agg(g.rule, g.failed), '{}') FROM gate_result g
   WHERE g.run = r.id AND g.gate = v.gate AND g.failed > 0) AS failed
FROM run r JOIN gate_verdict v ON v.run = r.id AND v.gate = %(gate)s
WHERE r.flow = %(flow)s AND r.id <= %(run)s AND (r.id = %(run)s OR NOT r.dry AND r.natives IS NULL)
ORDER BY r.id DESC LIMIT %(most)s
"""

_FATE = """
CASE WHEN %(refused)s THEN 'batch refused' WHEN %(dry)s THEN 'dry run' WHEN e.id IS NULL OR e.discarded THEN 'discarded'
     WHEN e.state = 'open' THEN 'still held' WHEN e.state = 'replaying' THEN 'being replayed'
     WHEN e.replay IS NOT NULL THEN 'replayed' ELSE 'released' END
"""
# object and target say no more than the number does: with them an index has all of it
_MATTER = "LEFT JOIN exception e ON e.id = f.exception AND e.object = %(object)s AND e.target = ''"

# those that failed one rule need no look at what else holds them, nor a sort of ten thousands
_FATES = f"""
SELECT fate, count(*) AS n FROM (
  SELECT {_FATE} AS fate FROM finding f {_MATTER} WHERE f.run = %(run)s AND f.gate = %(gate)s AND f.lone
  UNION ALL (
    SELECT DISTINCT ON (f.key) {_FATE} FROM finding f {_MATTER} WHERE f.run = %(run)s AND f.gate = %(gate)s AND NOT f.lone
    ORDER BY f.key, e.state = 'closed', e.id)) one
GROUP BY fate ORDER BY n DESC, fate
"""  # noqa: S608 - both are our own words

_HELD = f"""
SELECT f.key, array_agg(f.rule ORDER BY f.rule) AS rules, coalesce(min(f.correlation::text), '') AS correlation,
  min(f.currency) AS currency,
  round(max(f.at_risk), 2)::text AS at_risk, (array_agg({_FATE} ORDER BY e.state = 'closed', e.id))[1] AS fate,
  (array_agg(e.id ORDER BY e.state = 'closed', e.id))[1] AS exception, max(e.closed) AS settled
FROM (SELECT * FROM finding WHERE run = %(run)s AND gate = %(gate)s AND key IN (
        SELECT DISTINCT key FROM finding
        WHERE run = %(run)s AND gate = %(gate)s AND key > %(after)s ORDER BY key LIMIT %(most)s)) f {_MATTER}
GROUP BY f.key ORDER BY f.key
"""  # noqa: S608 - both are our own words

_STANDINGS = """
SELECT f.name AS flow, v.gate, r.id AS run, v.at, v.verdict, v.records, v.quarantined, v.at_risk
FROM flow f CROSS JOIN (VALUES ('source'), ('canonical')) AS g (gate)
CROSS JOIN LATERAL (
  SELECT r.id FROM run r JOIN gate_verdict x ON x.run = r.id AND x.gate = g.gate
  WHERE r.flow = f.name AND NOT r.dry AND r.natives IS NULL ORDER BY r.id DESC LIMIT 1) r
JOIN gate_verdict v ON v.run = r.id AND v.gate = g.gate
ORDER BY array_position(%(worst_first)s::text[], v.verdict), v.quarantined DESC, f.name, v.gate
"""


# of every gate at once; rule by rule only the report of one says it
_TRENDS = """
SELECT f.name AS flow, g.gate, t.* FROM flow f CROSS JOIN (VALUES ('source'), ('canonical')) AS g (gate)
CROSS JOIN LATERAL (
  SELECT r.id AS run, v.at, v.verdict, v.records, v.quarantined
  FROM run r JOIN gate_verdict v ON v.run = r.id AND v.gate = g.gate
  WHERE r.flow = f.name AND NOT r.dry AND r.natives IS NULL ORDER BY r.id DESC LIMIT %(most)s) t
ORDER BY t.run
"""


def gate_report(session: Session, run: int, gate: str, *, after: str = "", size: int = HELD) -> GateReport:
    """What `gate` found in `run`.

    Args:
        session: a session with the hub.
        run: the run's number.
        gate: source or canonical.
        after: the page of held records after this key.
        size: how many held records a page has.

    Raises:
        Stop: that run has not come to that gate.
    """
    place: dict[str, Any] = {"run": run, "gate": gate}
    head = session.execute(_HEAD, place).fetchone()
    if head is None:
        raise Stop(f"Run {run} has no {gate} gate.", cure="`accord reviews gates` names the last run of every gate.")
    place |= {"flow": head["flow"], "object": head["object"], "dry": head["dry"]}
    place |= {"refused": head["verdict"] in REFUSED, "after": after, "most": size + 1}
    trend = _trend(session, place)
    known = reviews_of(session, head["flow"], gate)
    rules = [
        RuleReport(**row, trend=[point.failed.get(row["rule"], 0) for point in trend], review=known.get(row["rule"]))
        for row in session.execute(_RULES, place).fetchall()
    ]
    fates = {row["fate"]: row["n"] for row in session.execute(_FATES, place).fetchall()}
    held = [HeldRecord(**row) for row in session.execute(_HELD, place).fetchall()]
    at, verdict = head.pop("previous_at"), head.pop("previous_verdict")
    previous = {"run": head["previous"], "at": at, "verdict": verdict} if verdict else None
    more = held[size - 1].key if len(held) > size else None
    return GateReport(
        **(head | {"previous": previous}), rules=rules, trend=trend, fates=fates, held=held[:size], after=more
    )


def standings(session: Session, *, trend: int = TREND) -> list[GateStanding]:
    """Every gate as its last run left it, those that let nothing pass first, with its last `trend` runs, of which it is not said which rule
    failed."""
    rows = session.execute(_STANDINGS, {"worst_first": list(WORST_FIRST)}).fetchall()
    known = counts(session)
    trends: dict[tuple[str, str], list[Point]] = {}
    for row in session.execute(_TRENDS, {"most": trend}).fetchall():
        trends.setdefault((row.pop("flow"), row.pop("gate")), []).append(Point(**row))
    return [
        GateStanding(
            **row,
            open=known.get((row["flow"], row["gate"]), 0),
            trend=trends.get((row["flow"], row["gate"]), []),
        )
        for row in rows
    ]


def _trend(session: Session, place: Mapping[str, Any]) -> list[Point]:
    """The last runs until this one, TREND at most, the oldest first."""
    asked = {name: place[name] for name in ("run", "gate", "flow")} | {"most": TREND}
    return [Point(**row) for row in reversed(session.execute(_TREND, asked).fetchall())]
