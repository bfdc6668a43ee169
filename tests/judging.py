"""Gates that said what a test wants, kept in the hub as the pipeline keeps it; no Great Expectations, so that it takes no time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa

from accord.categories import Category, Queue
from accord.flows import Flow
from accord.pipeline.approving import Approvals
from accord.pipeline.gate import _raise
from accord.pipeline.judged import keep_findings, keep_judgement
from accord.pipeline.runs import Params, RunKind, open_run, read_run
from accord.quality.gate import FAILURES, Judgement, RuleResult, Verdict
from accord.quality.rule import Severity
from accord.quality.samples import Sample
from accord.runtime import Accord

RULE = RuleResult(
    rule="total.sum", title="the total is the sum of the lines", part="records", severity=Severity.CRITICAL, queue=Queue.FINANCE,
    category=Category.AMOUNTS, consequence="The customer would be invoiced another amount.", checked=100, failed=0, errored=False,
    message="",
)  # fmt: skip
WARNING = replace(
    RULE, rule="due_date.late", title="due dates are possible", severity=Severity.WARNING, category=Category.DATES
)

Money = tuple[str, str]  # amount, currency


def judged(
    accord: Accord,
    flow: Flow,
    run_name: str,
    failing: Mapping[str, Money | None] | None = None,
    *,
    verdict: Verdict | None = None,
    warned: int = 0,
    met: Sequence[str] = (),
    dry: bool = False,
    keys: tuple[str, ...] = (),
    rule: RuleResult = RULE,
    also: Mapping[str, RuleResult] | None = None,
    **columns: Any,
) -> int:
    """A run whose canonical gate found that the records `failing` (key → money at risk) fail RULE, and that so many rows fail WARNING.
    `met`: held records it has read again; `also`: another rule that records among them fail; `columns`: of the run. Gives the run's
    number."""
    found = failing or {}
    number = open_run(accord, flow, engine_run=run_name, kind=RunKind.MANUAL, params=Params(dry_run=dry, keys=keys))
    run = read_run(accord.hub, number)
    second = also or {}
    failed = [(key, rule) for key in found] + list(second.items())
    rows = [{"key": key, "rule": one.rule, "category": one.category.value, "message": "wrong"} for key, one in failed]
    times = Counter(one.rule for one in second.values())
    failures = pa.Table.from_pylist(rows, schema=FAILURES)
    judgement = Judgement(
        object=flow.object,
        gate="canonical",
        verdict=verdict or (Verdict.QUARANTINE if found else Verdict.PASS),
        records=100,
        results=(
            replace(
                rule, failed=len(found), message="wrong", samples=tuple(Sample(key=key) for key in list(found)[:5])
            ),
            *(replace(one, failed=times[one.rule]) for one in {one.rule: one for one in second.values()}.values()),
            replace(WARNING, failed=warned),
        ),
        failures=failures,
        reasons=("too many",) if verdict is Verdict.STOP else (),
    )
    details = {
        key: {"amount": Decimal(money[0]), "currency": money[1]} for key, money in found.items() if money is not None
    }
    with accord.hub.session() as session:
        if columns:
            session.execute("UPDATE run SET amounts = %(amounts)s WHERE id = %(run)s", {"run": number, **columns})
        keep_judgement(
            session, run, judgement, failures, details=details, met=[(rule.rule, key) for key in met], report="r"
        )
        if not dry:
            _raise(session, run, judgement, failures, details, Approvals(frozenset(), {}))
        keep_findings(session, run, judgement)
    with accord.hub.session() as session:
        session.execute("UPDATE run SET state = 'succeeded', ended = now() WHERE id = %s", (number,))
    return number
