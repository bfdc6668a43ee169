"""Housekeeping of the hub, staging and reports."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from accord_airflow.operators.base import AccordOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class HousekeepingOperator(AccordOperator):
    """Delete what is kept no longer, and make the partitions of the coming months.

        HousekeepingOperator(task_id="housekeep")

    How long what is kept is declared in accord.retention. Running it twice or side by side is safe.

    Hands on what was made and deleted: names of partitions, and counts.
    """

    def work(self, context: Context) -> dict[str, Any]:
        from accord.housekeeping import housekeep

        with self.accord() as accord:
            return asdict(housekeep(accord))
