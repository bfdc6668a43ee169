"""Starting runs: what takes a gate or asks a system is a run's work, not the API server's."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import HTTPException

from accord_airflow.console.security import Person


def start(person: Person, dag: str, conf: Mapping[str, Any]) -> str:
    """Start a run of `dag` on the person's behalf; <dag id>/<run id>. Raises HTTPException: 403 when they may not, 409 when there is no
    such DAG."""
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.exceptions import DagNotFound
    from airflow.utils.types import DagRunTriggeredByType

    person.must_run(dag)
    try:
        run = trigger_dag(dag, triggered_by=DagRunTriggeredByType.UI, triggering_user_name=person.name, conf=dict(conf))
    except DagNotFound:
        raise HTTPException(HTTPStatus.CONFLICT, f"Airflow knows no DAG {dag}: has it been parsed?") from None
    if run is None:
        raise HTTPException(HTTPStatus.CONFLICT, f"No run of {dag} was started.")
    return f"{dag}/{run.run_id}"


def paused(dag: str) -> bool:
    """Whether runs of `dag` wait until somebody unpauses it."""
    from airflow.models.dag import DagModel

    found = DagModel.get_dagmodel(dag)
    return bool(found and found.is_paused)
