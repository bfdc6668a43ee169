"""What a gate said, kept in the hub: the verdict, what each rule found, every record it holds, and how that compares with before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql
from psycopg.types.json import Jsonb

from accord.hub.connection import Hub, Session, only
from accord.hub.copying import copy_into
from accord.hub.reviews import judged
from accord.pipeline.runs import Run
from accord.quality.gate import ChunkView, Judgement, RuleResult
from accord.quality.rule import CANONICAL, ROOT, SOURCE
from accord.quality.verdict import REFUSED
from accord.records import correlation_id
from accord.systems.converting import prefixed

Details = Mapping[str, Mapping[str, Any]]

# runs that read a window, not what somebody chose
_PREVIOUS = """
SELECT r.id, v.verdict, coalesce(r.ended, v.at) AS ended FROM run r JOIN gate_verdict v ON v.run = r.id AND v.gate = %(gate)s
WHERE r.flow = %(flow)s AND r.id < %(run)s AND NOT r.dry AND r.natives IS NULL ORDER BY r.id DESC LIMIT 1
"""

# unique by record and rule
_FOUND = """
CREATE TEMP TABLE found (key text, rule text, category text, currency text, at_risk numeric, correlation uuid) ON COMMIT DROP
"""

_FINDINGS = """
INSERT INTO finding (run, gate, key, rule, category, currency, at_risk, correlation, exception, lone)
SELECT %(run)s::bigint, %(gate)s, f.key, f.rule, f.category, f.currency, f.at_risk, f.correlation, e.id,
  count(*) OVER (PARTITION BY f.key) = 1
FROM found f LEFT JOIN LATERAL (
  SELECT id FROM exception e
  WHERE %(raised)s AND e.object = %(object)s AND e.target = '' AND e.key = f.key AND e.category = f.category
  ORDER BY e.id DESC LIMIT 1) e ON true
"""

# a first try of this very run may have raised exceptions: those are not from before
_RECURRING = """
SELECT rule, count(*) AS records, count(*) FILTER (WHERE before) AS recurring FROM (
  SELECT f.rule,
    EXISTS (SELECT FROM exception e WHERE e.object = %(object)s AND e.target = '' AND e.key = f.key AND e.category = f.category
      AND (e.state <> 'closed' OR e.discarded) AND (e.run IS DISTINCT FROM %(run)s OR e.attempts > 1))
    OR EXISTS (SELECT FROM finding p WHERE p.run = %(previous)s AND p.gate = %(gate)s AND p.key = f.key AND p.rule = f.rule) AS before
  FROM found f) known
GROUP BY rule
"""

# settled between the runs: replayed, deleted, needed no more. Of a refused batch nothing was raised, and the next run reads all of it
_FIXED = """
SELECT rule, count(DISTINCT key) AS fixed FROM (
  SELECT f.rule, f.key FROM exception e
  JOIN finding f ON f.run = e.run AND f.gate = %(gate)s AND f.key = e.key AND f.category = e.category
  WHERE e.flow = %(flow)s AND e.state = 'closed' AND e.closed > %(since)s AND NOT e.discarded AND e.target = ''
    AND e.kind IN ('quarantined', 'approval')
  UNION ALL
  SELECT p.rule, p.key FROM finding p WHERE %(refused)s AND p.run = %(previous)s AND p.gate = %(gate)s AND p.rule = ANY(%(checked)s)
  UNION ALL
  SELECT m.rule, m.key FROM unnest(%(rules)s::text[], %(keys)s::text[]) AS m (rule, key) WHERE m.rule = ANY(%(checked)s)) gone
WHERE NOT EXISTS (SELECT FROM found x WHERE x.key = gone.key AND x.rule = gone.rule)
GROUP BY rule
"""

_HELD = """
SELECT DISTINCT f.key, f.rule FROM exception e
JOIN finding f ON f.run = e.run AND f.gate = %(gate)s AND f.key = e.key AND f.category = e.category
WHERE e.flow = %(flow)s AND e.state <> 'closed' AND e.target = '' AND e.kind IN ('quarantined', 'approval') AND e.run <> %(run)s
"""

_RESULT = """
INSERT INTO gate_result (run, gate, rule, title, part, severity, queue, category, consequence, checked, failed, errored, message,
  fresh, recurring, fixed, at_risk, samples, before)
VALUES (%(run)s, %(gate)s, %(rule)s, %(title)s, %(part)s, %(severity)s, %(queue)s, %(category)s, %(consequence)s, %(checked)s,
  %(failed)s, %(errored)s, %(message)s, %(fresh)s, %(recurring)s, %(fixed)s, %(at_risk)s, %(samples)s,
  (SELECT failed FROM gate_result WHERE run = %(previous)s AND gate = %(gate)s AND rule = %(rule)s))
"""

_VERDICT = """
INSERT INTO gate_verdict (run, gate, verdict, quarantined, report, records, reasons, at_risk, previous)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


class Held:
    """The records that were held for a rule of `gate` when a run came to it, and which of them the run meets again."""

    def __init__(self, hub: Hub, run: Run, gate: str) -> None:
        self._run, self._gate = run, gate
        with hub.session() as session:
            place = {"run": run.id, "gate": gate, "flow": run.flow.name}
            self._pairs = [(row["rule"], row["key"]) for row in session.execute(_HELD, place).fetchall()]
        self._keys = pa.array(sorted({key for _, key in self._pairs}), pa.string())
        self._met: set[str] = set()

    def meet(self, view: ChunkView) -> None:
        """Look which of them are in a chunk."""
        if not len(self._keys):
            return
        for table in view.parts.values():
            name = "key" if self._gate == CANONICAL else ROOT
            keys = (
                canonical_ids(self._run, self._gate, table[name].combine_chunks()) if name in table.column_names else []
            )
            self._met |= set(pc.filter(keys, pc.is_in(keys, value_set=self._keys)).to_pylist() if len(keys) else ())

    @property
    def met(self) -> list[tuple[str, str]]:
        """(rule, key) of those the run met."""
        return [pair for pair in self._pairs if pair[1] in self._met]


def keep_judgement(
    session: Session,
    run: Run,
    judgement: Judgement,
    failures: pa.Table,
    *,
    details: Details,
    met: Sequence[tuple[str, str]],
    report: str,
) -> int:
    """Write verdict and results, replacing those of an earlier try, which loses its findings: `keep_findings` writes these once the
    exceptions are raised, in the same transaction. The number of quarantined records.

    Args:
        session: the transaction.
        run: the run.
        judgement: what the gate said.
        failures: the failing records, by canonical id, without those somebody approved.
        met: (rule, canonical id) of records that were held before, and that the run has met.
        details: canonical id → version, currency and amount, as far as the stage knows them.
        report: where the page is, below the reports' folder.
    """
    place = {"run": run.id, "gate": judgement.gate, "flow": run.flow.name, "object": run.flow.object}
    for table in ("gate_result", "gate_verdict", "finding"):
        session.execute(
            sql.SQL("DELETE FROM {} WHERE run = %(run)s AND gate = %(gate)s").format(sql.Identifier(table)), place
        )
    previous = session.execute(_PREVIOUS, place).fetchone()
    place["previous"] = previous["id"] if previous else None
    by_rule, quarantined = _found(session, place, failures, details)
    compared = _compared(session, place, judgement, previous, met)
    with session.cursor() as cursor:
        cursor.executemany(
            _RESULT,
            [place | _row(place, run, result, details) | compared[result.rule] | {"at_risk": Jsonb(_texts(by_rule[result.rule]))}
             for result in judgement.results],
        )  # fmt: skip
    at_risk = _whole_batch(session, run, judgement) if judgement.verdict in REFUSED else by_rule[""]
    session.execute(
        _VERDICT,
        (run.id, judgement.gate, judgement.verdict.value, quarantined, report, judgement.records,
         Jsonb(list(judgement.reasons)), Jsonb(_texts(at_risk)), place["previous"]),
    )  # fmt: skip
    if not run.dry:
        judged(session, run.id, run.flow.name, judgement.gate, closes=run.natives is None)
    return quarantined


def keep_findings(session: Session, run: Run, judgement: Judgement) -> None:
    """Write what `keep_judgement` found, each with the exception that holds its record: those were raised in between."""
    raised = not run.dry and judgement.verdict not in REFUSED
    place = {"run": run.id, "gate": judgement.gate, "object": run.flow.object, "raised": raised}
    session.execute(_FINDINGS, place)


def _found(
    session: Session, place: Mapping[str, Any], failures: pa.Table, details: Details
) -> tuple[defaultdict[str, dict[str, Decimal]], int]:
    """Set every failing record down; rule → currency → money at risk ('' for all rules together), and how many records they are."""
    sums: defaultdict[str, dict[str, Decimal]] = defaultdict(dict)
    rows, counted = [], set[tuple[str, str]]()
    for row in failures.select(["key", "rule", "category"]).to_pylist():
        more = details.get(row["key"], {})
        currency = more.get("currency") or None
        amount = more.get("amount") if currency else None
        if (row["key"], row["rule"]) not in counted:
            correlation = _correlation(place, row["key"], more)
            rows.append(row | {"currency": currency, "at_risk": amount, "correlation": correlation})
        for rule in (row["rule"], ""):
            if currency and amount and (row["key"], rule) not in counted:
                sums[rule][currency] = sums[rule].get(currency, Decimal(0)) + amount
            counted.add((row["key"], rule))
    session.execute(_FOUND)
    if rows:
        names = ("key", "rule", "category", "currency", "correlation")
        schema = pa.schema([*((name, pa.string()) for name in names), ("at_risk", pa.decimal128(30, 2))])
        copy_into(session, "found", pa.Table.from_pylist(rows, schema=schema))
    return sums, len({row["key"] for row in rows})


def _compared(
    session: Session,
    place: Mapping[str, Any],
    judgement: Judgement,
    previous: Mapping[str, Any] | None,
    met: Sequence[tuple[str, str]],
) -> dict[str, dict[str, int]]:
    """Rule → how many records are new, recurring and fixed."""
    found = {result.rule: {"fresh": 0, "recurring": 0, "fixed": 0} for result in judgement.results}
    for row in session.execute(_RECURRING, place).fetchall():
        found[row["rule"]] |= {"recurring": row["recurring"], "fresh": row["records"] - row["recurring"]}
    if previous is None:
        return found
    asked = {
        "since": previous["ended"],
        "refused": previous["verdict"] in REFUSED,
        "rules": [rule for rule, _ in met],
        "keys": [key for _, key in met],
        "checked": [result.rule for result in judgement.results if result.checked],
    }
    for row in session.execute(_FIXED, {**place, **asked}).fetchall():
        if row["rule"] in found:
            found[row["rule"]]["fixed"] = row["fixed"]
    return found


def sampled_keys(run: Run, judgement: Judgement) -> set[str]:
    """Canonical ids of the records shown as samples."""
    keys = pa.array([one.key for result in judgement.results for one in result.samples], pa.string())
    return set(canonical_ids(run, judgement.gate, keys).to_pylist())


def canonical_ids(run: Run, gate: str, keys: pa.Array) -> pa.Array:
    """Canonical ids from those a gate knows: the source gate has native ones."""
    return prefixed(run.flow.source, keys) if gate == SOURCE else keys


def _row(place: Mapping[str, Any], run: Run, result: RuleResult, details: Details) -> dict[str, Any]:
    keys = canonical_ids(run, place["gate"], pa.array([one.key for one in result.samples], pa.string())).to_pylist()
    samples = [
        {"key": key, "correlation": _correlation(place, key, details.get(key, {})), "fields": dict(one.fields)}
        for key, one in zip(keys, result.samples, strict=True)
    ]
    return {
        "rule": result.rule,
        "title": result.title,
        "part": result.part,
        "severity": str(result.severity),
        "queue": str(result.queue),
        "category": str(result.category),
        "consequence": result.consequence,
        "checked": result.checked,
        "failed": result.failed,
        "errored": result.errored,
        "message": result.message,
        "samples": Jsonb(samples),
    }


def _correlation(place: Mapping[str, Any], key: str, details: Mapping[str, Any]) -> str:
    version = details.get("version")
    return str(correlation_id(place["object"], key, version.isoformat() if version else ""))


def _whole_batch(session: Session, run: Run, judgement: Judgement) -> dict[str, Decimal]:
    """Currency → amount of everything that came, once that is known: nothing of it goes on."""
    row = only(session.execute("SELECT amounts FROM run WHERE id = %s", (run.id,)))
    came, superseded = (row["amounts"].get(name, {}) for name in ("came", "superseded"))
    return {currency: Decimal(amount) - Decimal(superseded.get(currency, 0)) for currency, amount in came.items()}


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: f"{amount:.2f}" for currency, amount in sorted(amounts.items()) if amount}
