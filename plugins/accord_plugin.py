"""What Accord adds to Airflow: the gate reports among its pages, the deadline of scheduled runs. Registration only."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from accord_airflow.deadlines import ScheduledRunDue


class _AtFirstUse:
    """The web application, made when the API server asks for it: the other components load plugins too, and needn't pay."""

    def __get__(self, instance: object, owner: type) -> list[dict[str, Any]]:
        from accord_airflow.reports import app

        return [{"app": app(), "url_prefix": "/accord", "name": "Accord"}]


class AccordPlugin(AirflowPlugin):
    """Airflow finds it by its base class."""

    name = "accord"
    fastapi_apps = _AtFirstUse()
    deadline_references = [ScheduledRunDue]  # noqa: RUF012 - so the base class has it
    external_views = [  # noqa: RUF012 - so the base class has it
        {
            "name": "Gate reports",
            "href": "/accord/reports/",
            "url_route": "accord-reports",
            "destination": "nav",
            "category": "browse",
        }
    ]
