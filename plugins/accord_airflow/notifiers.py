"""The notifier: what Airflow says of a run, taken to the alert ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier

if TYPE_CHECKING:
    from airflow.sdk import Context

    from accord.service_levels.alerting import Alerted


class AlertNotifier(BaseNotifier):
    """Take to the alert ledger what became of a run, and tell whom it concerns: once, however often it is called.

        DAG("nightly_export", deadline=[run_deadline(timedelta(minutes=30))],
            on_failure_callback=AlertNotifier(owner="finance"), on_success_callback=AlertNotifier(recovered=True, owner="finance"))

    Accord's own flows need neither callback: the DAG service_levels measures them.

    Args:
        recovered: the run is well: the DAG's open alert is over.
        tier: critical, standard or reference: how grave it is and when it is escalated.
        owner: whose it is, an owner queue.
        object: the business object, for what it means.
        connections: Airflow connection ids to use instead of Accord's names.

    In the triggerer (a deadline), where an alert must not be lost: when the hub is away it is told directly and kept in the spool; when
    the triggerer dies another one takes it up, and the DAG service_levels finds a late flow without it.
    """

    def __init__(
        self,
        *,
        recovered: bool = False,
        tier: str = "standard",
        owner: str = "integration",
        object: str = "",
        connections: Mapping[str, str] | None = None,
        context: Context | None = None,
    ) -> None:
        super().__init__(context=context)
        self.recovered, self.tier, self.owner, self.object = recovered, tier, owner, object
        self.connections = dict(connections or {})

    def notify(self, context: Context) -> None:
        """In the DAG processor or a worker."""
        self._report(context)

    async def async_notify(self, context: Context) -> None:
        """In the triggerer, whose loop must not wait for the hub."""
        from asgiref.sync import sync_to_async

        await sync_to_async(self._report)(context)

    def _report(self, context: Context) -> Alerted:
        from accord.service_levels.reporting import Report, level_of_dag, report
        from accord.service_levels.targets import Tier
        from accord_airflow.channels import sender
        from accord_airflow.runtime import opened

        dag_id, run_id = _run_of(context)
        deadline: Mapping[str, Any] = context.get("deadline") or {}  # type: ignore[assignment]  # of a missed one only
        level = level_of_dag(dag_id, tier=Tier(self.tier), owner=self.owner, object=self.object)
        one = Report(
            level=level,
            run=f"{dag_id}/{run_id}",
            due=_instant(deadline.get("deadline_time")),
            failed="" if deadline or self.recovered else _failed(context),
            recovered=self.recovered,
        )
        with opened(self.connections) as accord:
            alerted = report(accord, one, sender(self.connections))
        self.log.info("%s: %d notice(s) told", dag_id, alerted.notices)
        return alerted


def _run_of(context: Mapping[str, Any]) -> tuple[str, str]:
    """DAG and run: a deadline's context has what the REST API says of the run, any other the run itself."""
    run = context["dag_run"]
    if isinstance(run, Mapping):
        return run["dag_id"], run["dag_run_id"]
    return run.dag_id, run.run_id


def _failed(context: Mapping[str, Any]) -> str:
    task = context.get("ti") or context.get("task_instance")
    return str(getattr(task, "task_id", "") or "a task")


def _instant(value: Any) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(str(value))
