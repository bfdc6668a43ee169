"""Deadlines of runs: when a run of the schedule should be over, and who is told when it is not.

Airflow's own references fire for every run of a backfill at once (its logical dates lie in the past), and count what somebody starts
by hand as late. This one knows the schedule's runs only.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import BaseDeadlineReference, DeadlineAlert

from accord_airflow.notifiers import AlertNotifier

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class ScheduledRunDue(BaseDeadlineReference):
    """The instant at which a run of the schedule is due: the end of its data interval, or when it may start. None, so no deadline, for
    a backfill, a run by hand and a run by an asset. The plugin registers it."""

    required_kwargs = {"dag_id", "run_id"}  # noqa: RUF012 - as Airflow reads it

    def _evaluate_with(self, *, session: Session, dag_id: str, run_id: str, **_: Any) -> datetime | None:
        # in the scheduler, which has them loaded
        from airflow.models.dagrun import DagRun
        from airflow.utils.types import DagRunType
        from sqlalchemy import select

        row = session.execute(
            select(DagRun.run_type, DagRun.data_interval_end, DagRun.run_after).where(
                DagRun.dag_id == dag_id, DagRun.run_id == run_id
            )
        ).one_or_none()
        if row is None or row.run_type != DagRunType.SCHEDULED:
            return None
        due: datetime | None = row.data_interval_end or row.run_after
        return due


def run_deadline(limit: timedelta, **notifier: Any) -> DeadlineAlert:
    """A deadline for a DAG: its scheduled runs are to have succeeded `limit` after they are due.

        DAG("nightly_export", schedule=…, deadline=[run_deadline(timedelta(minutes=30), tier="standard")])

    Args:
        limit: how long after the end of its data interval a run may take.
        notifier: what AlertNotifier takes: tier, owner, object.
    """
    return DeadlineAlert(
        name="run deadline",
        reference=ScheduledRunDue(),
        interval=limit,
        callback=AsyncCallback(AlertNotifier, kwargs=notifier),
    )
