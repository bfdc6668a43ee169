"""Settle: prove that every record that came in is accounted for, then move the watermark."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from accord.errors import AccordError, Unproven
from accord.hub.connection import Session, only
from accord.pipeline import drift
from accord.pipeline.runs import MOVES_WATERMARK, Run, read_run
from accord.pipeline.sweep import sweep
from accord.runtime import Accord

log = logging.getLogger(__name__)

IN = ("extracted", "released")
OUT = ("unchanged", "applied", "superseded", "excluded", "quarantined", "rejected", "parked")

_BUCKETS = """
SELECT bucket, sum(n)::bigint AS n FROM (
  SELECT c.key AS bucket, c.value::bigint AS n FROM comparison p, jsonb_each_text(p.counts) c
  WHERE p.run = %(run)s AND p.stream = %(stream)s AND (%(dry)s OR c.key <> 'changed')
  UNION ALL
  SELECT c.key, c.value::bigint FROM dispatch d, jsonb_each_text(d.counts) c
  WHERE d.run = %(run)s AND d.stream = %(stream)s
    AND d.attempt = (SELECT attempt FROM comparison WHERE run = %(run)s AND stream = %(stream)s)) b
GROUP BY bucket
"""

_AMOUNTS = """
SELECT bucket, currency, sum(amount) AS amount FROM (
  SELECT b.key AS bucket, c.key AS currency, c.value::numeric AS amount
  FROM comparison p, jsonb_each(p.amounts) b, jsonb_each_text(b.value) c
  WHERE p.run = %(run)s AND p.stream = %(stream)s AND (%(dry)s OR b.key <> 'changed')
  UNION ALL
  SELECT b.key, c.key, c.value::numeric FROM dispatch d, jsonb_each(d.amounts) b, jsonb_each_text(b.value) c
  WHERE d.run = %(run)s AND d.stream = %(stream)s
    AND d.attempt = (SELECT attempt FROM comparison WHERE run = %(run)s AND stream = %(stream)s)) a
GROUP BY bucket, currency
"""

# forward only: a run that ends late does not take back what a later one has read
_MOVE_WATERMARK = """
UPDATE flow SET watermark = %(until)s, moved_at = now(), moved_by = %(run)s
WHERE name = %(flow)s AND (watermark IS NULL OR watermark < %(until)s)
"""


def settle(accord: Accord, run_id: int, *, failed: Sequence[str] = ()) -> dict[str, Any]:
    """Close the run: sum what the hub stored, prove the equation per target in records and amounts, move the watermark.

    `failed` names the steps that failed before; then the run is closed as failed, nothing moves and nothing is raised, as the step
    that failed has told why. Raises Unproven when the equation does not balance. Returns the summary: per target counts and amounts
    per currency.
    """
    run = read_run(accord.hub, run_id)
    with accord.hub.session() as session:
        summary = summarize(accord, session, run)
        gaps = [] if run.dry else _gaps(summary)
        if run.canonical_manifest is None:
            gaps = ["the batch never got through its gates"]
        error = f"failed before: {', '.join(failed)}" if failed else "; ".join(gaps) or None
        session.execute(
            "UPDATE run SET state = %s, error = %s, ended = now() WHERE id = %s",
            ("failed" if error else "succeeded", error, run.id),
        )
        if error is None and run.kind in MOVES_WATERMARK and not run.dry and run.natives is None:
            session.execute(_MOVE_WATERMARK, {"until": run.until, "run": run.id, "flow": run.flow.name})
            drift.settled(session, run)
    if error and not failed:
        raise Unproven(
            f"Run {run.id} of {run.flow.name} is not complete: {error}.",
            cure="Mend what the failed task names, then clear it or run the flow again; the watermark did not move.",
        )
    sweep(accord, run.flow.name, done=None if error else run.id)
    log.info("run %d %s: %s", run.id, run.flow.name, describe(summary))
    return summary | {"error": error}


def close_as_failed(accord: Accord, run: int, error: Exception) -> None:
    """Close a run that `error` ended; that is the error to be told, whatever closing meets."""
    try:
        settle(accord, run, failed=(str(error) if isinstance(error, AccordError) else type(error).__name__,))
    except AccordError:
        pass


def summarize(accord: Accord, session: Session, run: Run) -> dict[str, Any]:
    """What came in and what became of it, per target, from stored rows only."""
    row = only(session.execute("SELECT counts, amounts FROM run WHERE id = %s", (run.id,)))
    counts, amounts = row["counts"], row["amounts"]
    before = {"superseded": counts.get("superseded", 0)}
    targets = {}
    for name in run.flow.targets:
        place = {"run": run.id, "stream": accord.hub.stream(name, run.flow.object), "dry": run.dry}
        buckets = {r["bucket"]: int(r["n"]) for r in session.execute(_BUCKETS, place).fetchall()}
        buckets["superseded"] = buckets.get("superseded", 0) + before["superseded"]
        sums: dict[str, dict[str, str]] = {}
        for r in session.execute(_AMOUNTS, place).fetchall():
            sums.setdefault(r["bucket"], {})[r["currency"]] = str(r["amount"])
        for currency, amount in (amounts.get("superseded") or {}).items():
            held = sums.setdefault("superseded", {})
            held[currency] = str(Decimal(held.get(currency, "0")) + Decimal(amount))
        targets[name] = {"counts": {b: n for b, n in buckets.items() if n}, "amounts": sums}
    return {
        "run": run.id,
        "flow": run.flow.name,
        "kind": run.kind.value,
        "dry_run": run.dry,
        "since": run.since.isoformat() if run.since else None,
        "until": run.until.isoformat() if run.until else None,
        "extracted": counts.get("extracted", 0),
        "released": counts.get("released", 0),
        "amounts": amounts.get("came") or {},
        "targets": targets,
    }


def _gaps(summary: Mapping[str, Any]) -> list[str]:
    """Where the equation does not balance, in words; [] when it does."""
    came = summary["extracted"] + summary["released"]
    gaps = []
    for target, part in summary["targets"].items():
        accounted = sum(part["counts"].get(bucket, 0) for bucket in OUT)
        if accounted != came:
            gaps.append(f"{came} records came in, {accounted} are accounted for in {target}")
        sums: dict[str, Decimal] = {}
        for bucket in part["amounts"].values():
            for currency, amount in bucket.items():
                sums[currency] = sums.get(currency, Decimal(0)) + Decimal(amount)
        expected = {c: Decimal(a) for c, a in summary["amounts"].items()}
        for currency in sorted(sums.keys() | expected.keys()):
            if sums.get(currency, Decimal(0)) != expected.get(currency, Decimal(0)):
                gaps.append(
                    f"{expected.get(currency, 0)} {currency} came in, {sums.get(currency, 0)} is accounted for in {target}"
                )
    return gaps


def describe(summary: Mapping[str, Any]) -> str:
    """The summary in one line a person can read."""
    came = f"{summary['extracted']} extracted" + (f" + {summary['released']} released" if summary["released"] else "")
    parts = [
        f"{target}: " + (", ".join(f"{part['counts'][b]} {b}" for b in OUT if part["counts"].get(b)) or "nothing")
        for target, part in summary["targets"].items()
    ]
    return f"{came} → {'; '.join(parts)}"
