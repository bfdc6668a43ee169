"""The end of a run: the completeness proof, and whether the run is well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import TriggerRule
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from accord_airflow.operators.base import BatchOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

FAILED = ("failed", "upstream_failed")


class SettleOperator(BatchOperator):
    """Prove that a run lost nothing, move the watermark and say what happened. Always the last task.

        SettleOperator(task_id="settle", batch=changed.output)

    It runs whatever became of the tasks before (trigger rule all_done), also when there was nothing to load, and fails
    when any of them failed: a run is as well as its last task. Skipped when the extraction was: then no run began.

    Args:
        batch: what the extraction handed on.

    Hands on the summary. Raises Unproven when the completeness equation does not balance.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("trigger_rule", TriggerRule.ALL_DONE)
        super().__init__(**kwargs)

    def work(self, context: Context) -> dict[str, Any]:
        from accord.pipeline.settle import settle

        failed = self.failed_before(context)
        if failed and not self.batch:
            raise AirflowFailException(f"Nothing was extracted: see the log of {failed[0]}.")
        if self.batch is None:
            raise AirflowSkipException("The run did not begin: see the log of the extraction. The watermark stays.")
        batch = self.given()
        self.say(batch, "settling")
        with self.accord() as accord:
            summary = settle(accord, batch["run"], failed=failed)
        if failed:
            raise AirflowFailException(f"{', '.join(failed)} failed: see the log there. The watermark was not moved.")
        return summary

    def failed_before(self, context: Context) -> list[str]:
        """The tasks before this one that failed by themselves, or, if none did, that something else stopped."""
        run = context["dag_run"]
        before = sorted(self.get_flat_relative_ids(upstream=True))
        states = context["ti"].get_task_states(dag_id=run.dag_id, task_ids=before, run_ids=[run.run_id])
        # a mapped task instance is called <task>_<map index>
        found = {task: str(getattr(state, "value", state)) for task, state in states.get(run.run_id, {}).items()}
        by_state = {bad: sorted(task for task, state in found.items() if state == bad) for bad in FAILED}
        return next((tasks for tasks in by_state.values() if tasks), [])
