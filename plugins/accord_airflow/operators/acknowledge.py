"""Telling the source how its records fared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import TriggerRule
from airflow.sdk.exceptions import AirflowSkipException

from accord_airflow.operators.base import BatchOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class AcknowledgeOperator(BatchOperator):
    """Write sync status and last error back to the source, where they changed. For flows that declare a status object.

        told = AcknowledgeOperator(task_id="acknowledge", batch=sound.output)
        loads >> told

    Runs whatever became of the loads (trigger rule all_done): what a failed one left undone is told as pending. Skipped when
    a task up to the last gate failed, as then nothing became of any record.

    Args:
        batch: what the last gate handed on.

    Hands on the counts.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("trigger_rule", TriggerRule.ALL_DONE)
        super().__init__(**kwargs)

    def work(self, context: Context) -> dict[str, Any]:
        from accord.pipeline.acknowledge import acknowledge

        if self.batch is None:  # the gate handed on nothing
            raise AirflowSkipException("The batch never got through its gates: there is nothing to tell.")
        batch = self.given()
        self.say(batch, "telling the source how its records fared")
        with self.accord() as accord:
            return acknowledge(accord, batch["run"])
