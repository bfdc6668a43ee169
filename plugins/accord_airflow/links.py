"""Buttons on a task's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseOperatorLink, conf

from accord.service_levels.settings import CONSOLE

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

REPORTS = f"{CONSOLE}/reports"  # where accord_airflow.console.reports serves them


class GateReportLink(BaseOperatorLink):
    """To the report of what a gate found."""

    @property
    def name(self) -> str:
        return "Gate report"

    @property
    def xcom_key(self) -> str:
        return "gate_report"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        # called in the task's own process when it has ended, well or not; the address is stored for the UI
        report = getattr(operator, "report", "")
        return f"{conf.get('api', 'base_url', fallback='').rstrip('/')}{REPORTS}/{report}" if report else ""
