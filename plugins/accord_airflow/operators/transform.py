"""From the source's words to canonical ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accord_airflow.operators.base import BatchOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class TransformOperator(BatchOperator):
    """Turn a gated batch as extracted into canonical records, references resolved to canonical ids.

        canonical = TransformOperator(task_id="transform", batch=gated.output)

    Hands on {"run", "flow", "manifest"}, the manifest being the canonical batch's.
    """

    def work(self, context: Context) -> dict[str, Any]:
        from accord.pipeline.transform import transform

        batch = self.given()
        self.say(batch, "transforming %s", batch["manifest"])
        with self.accord() as accord:
            manifest = transform(accord, batch["run"], batch["manifest"])
        return {"run": batch["run"], "flow": batch["flow"], "manifest": manifest}
