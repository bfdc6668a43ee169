"""What of a batch a target does not have yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accord_airflow.operators.base import BatchOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class CompareOperator(BatchOperator):
    """Compare a canonical batch with what was last applied in one target, and cut what differs into chunks to load.

        changes = CompareOperator(task_id="compare_tryton", target="tryton", batch=gated.output)
        ErpUpsertOperator.partial(task_id="load_tryton").expand(chunk=changes.output)

    Args:
        target: the system, e.g. "tryton".

    Hands on a list with one small dict per chunk; an empty one when nothing changed and in a dry run.
    """

    def __init__(self, *, target: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target = target

    def work(self, context: Context) -> list[dict[str, Any]]:
        from accord.pipeline.compare import compare

        batch = self.given()
        self.say(batch, "comparing with what %s was last sent", self.target)
        with self.accord() as accord:
            chunks = compare(accord, batch["run"], batch["manifest"], target=self.target)
        return [{**chunk, "flow": batch["flow"]} for chunk in chunks]
