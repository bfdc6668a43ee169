"""What the steps of a flow import, imported once in the parent of processes that are forked for them.

Great Expectations alone takes seconds, which every gate would pay. An executor or worker that forks its tasks (LocalExecutor,
Celery's prefork pool) imports `airflow_local_settings` in the parent: docs/scale-out.md has the lines to put there.
"""

from __future__ import annotations

import gc
import sys
from importlib import import_module

MODULES = (
    "accord.pipeline.flow_run",
    "accord.pipeline.reconcile",
    "accord.quality.docs",
    "accord.systems.interface_tables.adapter",
    "accord.systems.salesforce.adapter",
    "accord.systems.tryton.adapter",
    "great_expectations.data_context.data_context.ephemeral_data_context",
    "great_expectations.execution_engine.pandas_execution_engine",
    "great_expectations.validator.validator",
    "pandas",
    "psycopg",
    "pyarrow.parquet",
    "requests",
)


def preload_in(command: str) -> None:
    """Preload when this is the process of the Airflow command `command`, whose children carry out tasks: `scheduler` where
    LocalExecutor is used, `worker` with CeleryExecutor. Airflow imports its local settings in all the others too."""
    if command in sys.argv[1:3]:
        preload()


def preload() -> None:
    """Import it all, and keep the garbage collector of every process forked from here away from it: looking through so many
    objects takes a task that makes many of its own longer than the work, and copies their pages."""
    for module in MODULES:
        import_module(module)
    gc.collect()
    gc.freeze()
