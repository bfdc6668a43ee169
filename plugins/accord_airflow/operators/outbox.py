"""What happened, told to subscribers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accord_airflow.operators.base import AccordOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class PublishEventsOperator(AccordOperator):
    """Send every subscriber the events that are new for it, as signed webhooks.

        PublishEventsOperator(task_id="publish")

    In order, at least once, each subscriber at its own pace; the setting [accord] subscribers names them. One that does not
    take its events is tried again with back-off by later runs and fails no task: after some failures there is one exception.
    Running it twice or side by side is safe.

    Hands on, per subscriber, how many events it took and what was wrong.
    """

    def work(self, context: Context) -> dict[str, Any]:
        from accord.outbox.publish import publish

        with self.accord() as accord:
            published = publish(accord)
        return {one.subscriber: {"events": one.events, "problem": one.problem} for one in published}
