"""An Airflow of the tests' own: its home is the session's, its metadata is a SQLite file, its DAGs are the checkout's."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from tests.dags.console import browser as browser
from tests.dags.console import console as console
from tests.dags.console import filled as filled
from tests.dags.console import parsed as parsed
from tests.dags.world import hub_dsn as hub_dsn
from tests.dags.world import upgraded as upgraded
from tests.dags.world import world as world
from tests.stack import dsn as dsn
from tests.stack import postgres_server as postgres_server
from tests.stack import stack as stack

if TYPE_CHECKING:
    from airflow.sdk import DAG

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"
HOME = Path(os.environ.get("ACCORD_TEST_HOME") or ROOT / ".local" / "test").resolve() / f"airflow/session-{os.getpid()}"

# before anything imports airflow: it reads these once
SETTINGS = {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
    "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(
        [
            {"name": path.name, "classpath": BUNDLE, "kwargs": {"path": str(path)}}
            for path in (ROOT / "dags", ROOT / "docs" / "examples")
        ]
    ),
    "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "false",
    "PYTHONPATH": f"{ROOT / 'include'}:{ROOT / 'plugins'}:{ROOT}",
}
HOME.mkdir(parents=True, exist_ok=True)
os.environ.update(SETTINGS)


@pytest.fixture(scope="session", autouse=True)
def home() -> Iterator[Path]:
    """Airflow's home for this session; its settings and its files are gone afterwards."""
    yield HOME
    for name in SETTINGS:
        os.environ.pop(name, None)
    shutil.rmtree(HOME, ignore_errors=True)


def load(path: Path) -> ModuleType:
    """The module in a DAG file, executed afresh as the DAG processor does."""
    name = f"parsed_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def dags_of(path: Path) -> dict[str, DAG]:
    """The DAGs a file declares, by id."""
    from airflow.sdk import DAG

    return {value.dag_id: value for value in vars(load(path)).values() if isinstance(value, DAG)}


@pytest.fixture(scope="session")
def dag_files() -> list[Path]:
    return sorted((ROOT / "dags").glob("*.py"))


@pytest.fixture(scope="session")
def dags(dag_files: list[Path]) -> dict[str, DAG]:
    """Every DAG of the checkout, by id."""
    found: dict[str, DAG] = {}
    for path in dag_files:
        found |= dags_of(path)
    return found


@pytest.fixture(scope="session")
def metadata(home: Path) -> None:
    """Airflow's own database."""
    ensure_metadata()


def ensure_metadata() -> None:
    """Make Airflow's own database in HOME."""
    from airflow.utils.db import initdb

    initdb()
