"""What Accord adds to Airflow: the console among its pages, the deadline of scheduled runs. Registration only."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from accord.service_levels.settings import CONSOLE
from accord_airflow.console.navigation import views
from accord_airflow.deadlines import ScheduledRunDue


class _AtFirstUse:
    """The web application, made when the API server asks for it: the other components load plugins too, and needn't pay."""

    def __get__(self, instance: object, owner: type) -> list[dict[str, Any]]:
        from accord_airflow.console.app import app

        return [{"app": app(), "url_prefix": CONSOLE, "name": "Accord"}]


class AccordPlugin(AirflowPlugin):
    """Airflow finds it by its base class."""

    name = "accord"
    fastapi_apps = _AtFirstUse()
    deadline_references = [ScheduledRunDue]  # noqa: RUF012 - so the base class has it
    external_views = views()
