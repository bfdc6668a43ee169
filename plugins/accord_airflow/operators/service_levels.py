"""Service levels: whether they are kept, and telling whom it concerns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.sdk import TriggerRule

from accord.errors import Stop
from accord_airflow.operators.base import AccordOperator

if TYPE_CHECKING:
    from airflow.sdk import Context, XComArg

    from accord.service_levels.targets import ServiceLevel


class SlaCheckOperator(AccordOperator):
    """Measure service levels from the hub, whatever became of the runs.

        check = SlaCheckOperator(task_id="check")
        check = SlaCheckOperator(task_id="check", levels=["order__salesforce_to_erp", "finance"])

    Args:
        levels: flows, processes and owner queues whose declared levels are measured, or ServiceLevels of your own
            (`of_flow(flow)` of accord.service_levels.targets gives those of a flow); everything declared when not given.

    Hands on what is not kept, with its figures, and the keys of what is; give it to SlaAlertOperator. It never fails because of what it
    finds: a hub that does not answer is a finding too.
    """

    def __init__(self, *, levels: Sequence[str | ServiceLevel] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.levels = None if levels is None else list(levels)

    def work(self, context: Context) -> dict[str, Any]:
        from accord.service_levels.alerting import check
        from accord.service_levels.targets import levels

        given = self.levels
        chosen = list(levels() if given is None else levels([one for one in given if isinstance(one, str)]))
        chosen += [one for one in given or () if not isinstance(one, str)]
        with self.accord() as accord:
            found = check(accord, chosen)
        for one in found.breached:
            self.log.warning("%s: %s", one.severity, one.summary)
        self.log.info(
            "%d kept, %d not, %d excused, %d unknown",
            len(found.met),
            len(found.breached),
            len(found.excused),
            len(found.unmeasured),
        )
        return found.as_dict()


class SlaAlertOperator(AccordOperator):
    """Take what a check found to the alert ledger, tell whom it concerns, and give the sign of life.

        SlaAlertOperator(task_id="alert", findings=check.output)

    One notice per change (opened, escalated, acknowledged, recovered) and channel; the setting [accord] alerts names the channels. What
    a channel does not take is tried again by later runs, also by those of other DAGs. While the hub is away it is told directly. It runs
    whatever became of the check.

    Args:
        findings: what SlaCheckOperator handed on.

    Hands on how many alerts changed, how many notices were told, and what was wrong. Raises Stop, after everything else is done, when
    nothing was checked or notices were tried in vain several times; then there is no sign of life either.
    """

    template_fields: Sequence[str] = (*AccordOperator.template_fields, "findings")

    def __init__(self, *, findings: Mapping[str, Any] | XComArg, **kwargs: Any) -> None:
        kwargs.setdefault("trigger_rule", TriggerRule.ALL_DONE)
        super().__init__(**kwargs)
        self.findings = findings

    def work(self, context: Context) -> dict[str, Any]:
        from accord.service_levels.alerting import alert, heartbeat
        from accord.service_levels.evaluation import Evaluation
        from accord_airflow.channels import sender

        checked = isinstance(self.findings, Mapping) and "breached" in self.findings
        found = Evaluation.from_dict(self.findings) if isinstance(self.findings, Mapping) and checked else Evaluation()
        with self.accord() as accord:
            alerted = alert(accord, found, sender(self.connections))
            told = "; ".join(f"{channel}: {problem}" for channel, problem in alerted.problems.items())
            if not checked:
                raise Stop("Nothing was checked.", cure="See the log of the check.")
            if alerted.overdue:
                raise Stop(
                    f"{alerted.overdue} notice(s) were not told, though tried several times: {told}.",
                    cure="Mend the channel's connection; they go by themselves then. `accord alerts list` shows them.",
                )
            beat = heartbeat(accord)
        self.log.info("%s; %d notice(s) told%s", asdict(alerted.recorded), alerted.notices, f"; {told}" if told else "")
        return asdict(alerted) | {"heartbeat": beat}
