"""Telling the source how its records fared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import TriggerRule

from accord_airflow.operators.base import BatchOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class AcknowledgeOperator(BatchOperator):
    """Write sync status and last error back to the source, where they changed. For flows that declare a status object.

        told = AcknowledgeOperator(task_id="acknowledge", batch=changed.output)
        loads >> told

    Runs when the loads succeeded or were skipped because nothing changed. After a failed load it does not: the next run
    reads the same again, and acknowledges then.

    Hands on the counts.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("trigger_rule", TriggerRule.NONE_FAILED)
        super().__init__(**kwargs)

    def work(self, context: Context) -> dict[str, Any]:
        from accord.pipeline.acknowledge import acknowledge

        batch = self.given()
        self.say(batch, "telling the source how its records fared")
        with self.accord() as accord:
            return acknowledge(accord, batch["run"])
