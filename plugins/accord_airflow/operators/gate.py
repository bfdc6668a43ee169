"""A quality gate: the barrier before a batch goes on."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any

from accord.errors import GateStopped
from accord_airflow.links import GateReportLink
from accord_airflow.operators.base import BatchOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class QualityGateOperator(BatchOperator):
    """Judge a staged batch by the gate of its stage; records that fail are quarantined, the rest goes on.

        gated = QualityGateOperator(task_id="gate_source", batch=changed.output)

    The suite follows from the batch: its object, and whether it is as extracted (source) or canonical.

    Hands on the batch with "verdict". Raises GateStopped, which is not tried again, when the batch as a whole is
    refused or could not be checked. The task has a link to the gate's report.
    """

    operator_extra_links = (GateReportLink(),)
    report = ""  # path of the report below the reports folder, once there is one

    def work(self, context: Context) -> dict[str, Any]:
        from accord.pipeline.gate import gate

        batch = self.given()
        _quieten()
        self.say(batch, "judging %s", batch["manifest"])
        try:
            with self.accord() as accord:
                outcome = gate(accord, batch["run"], batch["manifest"])
        except GateStopped as stopped:
            self.report = stopped.report
            raise
        self.report = outcome["report"]
        for rule, count in outcome["failed"].items():
            self.say(batch, "%s failed %s records", rule, f"{count:,}")
        return batch | {"verdict": outcome["verdict"]}


def _quieten() -> None:
    """Keep Great Expectations' 220 lines about its own innards out of the task's log; a task has its process to itself."""
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="great_expectations")
