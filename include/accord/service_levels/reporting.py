"""What somebody reports instead of it being measured: a run that missed its deadline or failed, of any DAG."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from accord.errors import BadCredentials, Unavailable
from accord.runtime import Accord
from accord.service_levels.alerting import Alerted, alert
from accord.service_levels.breach import Breach, breach, instant
from accord.service_levels.channels import Send
from accord.service_levels.evaluation import Evaluation, evaluate
from accord.service_levels.targets import Measure, ServiceLevel, level_of, levels


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A run of the DAG `level.subject`. `run`: the engine's name of it, <dag id>/<run id>; `due`: when it should have been over;
    `failed`: the first task that did, if one did; `recovered`: it is well again."""

    level: ServiceLevel
    run: str
    due: datetime | None = None
    failed: str = ""
    recovered: bool = False


def level_of_dag(dag_id: str, **own: object) -> ServiceLevel:
    """The level of a DAG's runs: the declared one of a flow, or else one of its `own` (tier, owner, object, limit)."""
    return level_of(dag_id, Measure.RUN) or ServiceLevel(measure=Measure.RUN, subject=dag_id, **own)  # type: ignore[arg-type]


def report(accord: Accord, one: Report, send: Send) -> Alerted:
    """Take a report to the ledger and tell whom it concerns. Of a declared flow the hub is asked first: it knows the watermark, what
    waits and what failed, and whether a system's maintenance excuses it."""
    key = one.level.key(accord.alerting.environment)
    if one.recovered:
        return alert(accord, Evaluation(met=[key]), send)
    declared = level_of(one.level.subject, Measure.RUN) is not None
    if declared:
        try:
            # all of its levels: the gravest is told, the others are its symptoms
            measured = evaluate(accord, levels([one.level.subject]))
        except (Unavailable, BadCredentials):
            return alert(accord, Evaluation(), send)  # it is measured again when the hub is back
        if measured.breached or measured.excused:
            return alert(accord, measured, send)
    return alert(accord, Evaluation(breached=[_bare(accord, one)]), send, only_once=not declared)


def _bare(accord: Accord, one: Report) -> Breach:
    name = one.level.subject
    summary = f"{name}: the run failed at {one.failed}" if one.failed else f"{name}: the run has not succeeded in time"
    return breach(
        one.level,
        accord.alerting.environment,
        summary=summary,
        actual="failed" if one.failed else "not over",
        late=datetime.now(UTC) - one.due if one.due and not one.failed else timedelta(),
        due=instant(one.due),
        step=one.failed,
        category="run failed" if one.failed else "late",
        run=one.run,
    )
