"""The composition root in Airflow: the domain's, over Airflow's connections and settings."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accord.runtime import Accord


@contextmanager
def opened(connections: Mapping[str, str] | None = None, *, engine_run: str = "") -> Iterator[Accord]:
    """An Accord for the length of one task.

    Args:
        connections: Airflow connection ids to use instead of Accord's names, e.g. {"accord_salesforce": "sales_org"}.
        engine_run: the run it works in, <dag id>/<run id>; empty outside one.
    """
    from airflow.sdk import conf

    from accord.runtime import Accord
    from accord.service_levels.settings import Alerting
    from accord_airflow.connections import renamed

    accord = Accord.build(
        renamed(connections or {}),
        staging=staging_url(),
        reports=reports_folder(),
        subscribers=_setting("subscribers") or "",
        alerting=Alerting.of(_setting, _home(), site=conf.get("api", "base_url", fallback="") or ""),
        engine_run=engine_run,
    )
    try:
        yield accord
    finally:
        accord.close()


def staging_url() -> str:
    """Where batches rest: Airflow's setting [accord] staging, else ACCORD_STAGING, else a folder below ACCORD_HOME."""
    return _setting("staging") or f"file://{_home()}/staging"


def reports_folder() -> str:
    """Where gate reports are kept: Airflow's setting [accord] reports, else ACCORD_REPORTS, else below ACCORD_HOME."""
    return _setting("reports") or f"{_home()}/reports"


def _setting(name: str) -> str | None:
    from airflow.sdk import conf

    value: str | None = conf.get("accord", name, fallback=None)
    return value or os.environ.get(f"ACCORD_{name.upper()}")


def _home() -> Path:
    return Path(os.environ.get("ACCORD_HOME") or ".local").resolve()
