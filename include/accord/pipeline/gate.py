"""Gate: judge a batch before anything is loaded, store the verdict, quarantine what fails."""

from __future__ import annotations

import gc
import logging
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from accord.batch import RECORDS, Manifest
from accord.categories import Category, remedy
from accord.errors import GateStopped
from accord.hub.connection import Hub, Session
from accord.hub.exceptions import Raised, raise_exceptions
from accord.hub.gate_reports import gate_report
from accord.pipeline.approving import Approvals
from accord.pipeline.judged import Held, canonical_ids, keep_findings, keep_judgement, sampled_keys
from accord.pipeline.runs import Run, RunKind, read_run
from accord.pipeline.transform import amount_columns, said_of
from accord.quality.docs import build_docs
from accord.quality.gate import ChunkView, Gate, Judgement, Verdict
from accord.quality.report import report_path, write_report
from accord.quality.suites import suite_for
from accord.quality.verdict import REFUSED
from accord.runtime import Accord

log = logging.getLogger(__name__)


def gate(accord: Accord, run_id: int, manifest_path: str) -> dict[str, Any]:
    """Judge the staged batch at `manifest_path` (source or canonical stage) and return verdict, counts and the report's path.

    Failing records become exceptions and are left out of what is compared; the others go on. Raises GateStopped when the whole
    batch is refused or could not be checked: then there is one exception for the batch, not one per record.
    """
    run = read_run(accord.hub, run_id)
    manifest = accord.staging.manifest(manifest_path)
    suite = suite_for(run.definition, manifest.stage, accord.source(run.flow.source))
    if run.natives is not None:
        suite = suite.of_chosen()
    judge = Gate(suite, _earlier_counts(accord.hub, run, suite.looks_back))
    held = Held(accord.hub, run, manifest.stage)
    for judged, chunk in enumerate(manifest.chunks):
        if judged:  # Great Expectations leaves the chunk before in cycles; a batch of one chunk need not pay for it
            gc.collect()
        view = ChunkView(
            number=chunk.number, parts={name: accord.staging.read(file) for name, file in chunk.parts.items()}
        )
        judge.chunk(view)
        held.meet(view)
    judgement = judge.finish()
    failures = _keyed(judgement, run)
    details = _details(accord, run, manifest, {*failures["key"].to_pylist(), *sampled_keys(run, judgement)})
    approvals = Approvals.about(accord.hub, run, suite, failures, details)
    failures = approvals.without_approved(failures)
    report = report_path(run.flow.name, run.engine_run, judgement.gate)
    with accord.hub.session() as session:
        quarantined = keep_judgement(session, run, judgement, failures, details=details, met=held.met, report=report)
        if not run.dry:
            _raise(session, run, judgement, failures, details, approvals)
        keep_findings(session, run, judgement)
    with accord.hub.session() as session:
        told = gate_report(session, run.id, judgement.gate)
    write_report(told, judgement, folder=accord.reports)
    log.info(
        "run %d %s gate %s: %s, %d quarantined", run.id, run.flow.name, judgement.gate, judgement.verdict, quarantined
    )
    refused = judgement.verdict in REFUSED
    if refused or manifest.stage == "canonical":
        _publish(accord.reports)
    if refused:
        why = "could not be checked" if judgement.verdict is Verdict.UNCHECKED else "was refused"
        raise GateStopped(
            f"The batch {why} by gate {judgement.gate}: {judgement.reasons[0] if judgement.reasons else 'see the report'}.",
            cure=f"Read {report}; nothing was loaded.",
            report=report,
        )
    roots = (RECORDS,) if manifest.stage == "canonical" else accord.source(run.flow.source).roots(run.definition)
    checked = sum(chunk.parts[root].rows for chunk in manifest.chunks for root in roots if root in chunk.parts)
    return {
        "verdict": judgement.verdict.value,
        "checked": checked,
        "quarantined": quarantined,
        "report": report,
        "failed": {r.rule: r.failed for r in judgement.results if r.failed},
    }


def _earlier_counts(hub: Hub, run: Run, most: int) -> list[int]:
    """How many canonical records earlier runs had, at most `most` of them, newest first: windows of the schedule that ended in the
    same hour of the week, as nights and weekends are quiet; readings of everything for one that reads everything. None for a
    run that reads what somebody chose: its size says nothing."""
    if not most or run.kind is not RunKind.SCHEDULED or run.natives is not None:
        return []
    with hub.session() as session:
        rows = session.execute(
            """SELECT coalesce((counts ->> 'extracted')::bigint, 0) + coalesce((counts ->> 'released')::bigint, 0)
                      - coalesce((counts ->> 'superseded')::bigint, 0) AS records
               FROM run WHERE flow = %(flow)s AND id < %(run)s AND kind = %(kind)s AND state = 'succeeded' AND NOT dry AND natives IS NULL
                 AND (win_from IS NULL) = %(everything)s
                 AND (%(everything)s OR to_char(win_to AT TIME ZONE 'UTC', 'ID HH24') = to_char(%(until)s AT TIME ZONE 'UTC', 'ID HH24'))
               ORDER BY id DESC LIMIT %(most)s""",
            {
                "flow": run.flow.name,
                "run": run.id,
                "kind": run.kind,
                "everything": run.since is None,
                "until": run.until,
                "most": most,
            },
        ).fetchall()
    return [int(row["records"]) for row in rows]


def _publish(reports: str) -> None:
    """Bring the Data Docs up to date: here, where Great Expectations is loaded already. Data never waits for a page."""
    try:
        build_docs(reports)
    except Exception as error:
        log.warning("the Data Docs were not brought up to date (%s); the next gate does it", type(error).__name__)


def _keyed(judgement: Judgement, run: Run) -> pa.Table:
    """The failures with canonical ids."""
    failures = judgement.failures.select(["key", "rule", "category", "message"])
    return failures.set_column(0, "key", canonical_ids(run, judgement.gate, failures["key"].combine_chunks()))


def _details(accord: Accord, run: Run, manifest: Manifest, keys: set[str]) -> dict[str, dict[str, Any]]:
    """key → version, `said`, currency and amount of the records `keys`, as far as the stage knows them."""
    if not keys or manifest.stage == "source":
        return {}
    found: dict[str, dict[str, Any]] = {}
    for chunk in manifest.chunks:
        table = accord.staging.read(chunk.parts[RECORDS])
        currency, amount = amount_columns(run.definition, table)
        told = {"key": table["key"], "version": table["version"], "said": said_of(table)}
        columns = pa.table({**told, "currency": currency, "amount": amount})
        found |= {row["key"]: row for row in columns.to_pylist() if row["key"] in keys}
    return found


def _raise(
    session: Session,
    run: Run,
    judgement: Judgement,
    failures: pa.Table,
    details: Mapping[str, Mapping[str, Any]],
    approvals: Approvals,
) -> None:
    batch = f"{run.flow.name}/{judgement.gate}"
    if judgement.verdict in REFUSED:
        raised = [
            Raised(
                kind="quarantined",
                key=batch,
                category=Category.BATCH_REFUSED,
                message=remedy(Category.BATCH_REFUSED, run.flow.source),
                rule=", ".join(r.rule for r in judgement.results if r.failed or r.errored)[:200],
            )
        ]
    else:
        raised = []
        for row in failures.to_pylist():
            more = details.get(row["key"], {})
            raised.append(
                Raised(
                    kind="approval" if approvals.asks(row) else "quarantined",
                    key=row["key"],
                    category=Category(row["category"]),
                    rule=row["rule"],
                    message=approvals.told(row),
                    version=more.get("version"),
                    said=more.get("said"),
                    currency=more.get("currency") or None,
                    at_risk=more.get("amount") if more.get("currency") else None,
                )
            )
        session.execute(
            """UPDATE exception SET state = 'closed', closed = now(), resolution = 'a later batch passed the gate'
               WHERE object = %s AND target = '' AND key = %s AND state <> 'closed'""",
            (run.flow.object, batch),
        )
    raise_exceptions(session, run.flow.name, run.flow.object, run.id, raised)
