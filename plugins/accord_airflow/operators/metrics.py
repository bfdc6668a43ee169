"""Taking the figures of the hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from accord.errors import Unavailable
from accord_airflow.operators.base import AccordOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class MetricsOperator(AccordOperator):
    """Take the business figures and keep them as those of the day.

        MetricsOperator(task_id="measure")

    What they are is declared in accord.metrics.definitions and told in `docs/metrics.md`. Within a quarter of an hour they are not taken
    again: run it as often as you like.

    Hands on how many values were taken. While the hub is away the task is skipped: that is an alert of its own.
    """

    def work(self, context: Context) -> dict[str, Any]:
        from accord.metrics.values import FRESH, measure

        with self.accord() as accord:
            try:
                return {"values": measure(accord.hub, fresh=FRESH)}
            except Unavailable as away:
                raise AirflowSkipException(str(away)) from None
