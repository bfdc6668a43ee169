"""Reading the DAG files and the plugin costs little: nothing heavy is imported, nothing is opened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.dags.conftest import ROOT

HEAVY = ("great_expectations", "pandas", "numpy", "psycopg", "pyarrow", "simple_salesforce", "fastapi", "requests")
ENTRIES = sorted((ROOT / "dags").glob("*.py")) + sorted((ROOT / "docs" / "examples").glob("*.py"))

# One process for all files, as starting one costs seconds. The sdk itself may do what it likes; after it, reading files
# and importing light modules is all a parse may do.
PARSE = f"""
import json, runpy, sys
from airflow.sdk import DAG, Asset, BaseOperator, CronDataIntervalTimetable, ExceptionRetryPolicy, Param  # lazy: load them
opened = []
def audit(event, arguments):
    if event in ("socket.connect", "socket.bind", "subprocess.Popen", "os.system", "os.posix_spawn", "sqlite3.connect"):
        opened.append(event)
sys.addaudithook(audit)
found = {{}}
for path in sys.argv[1:]:
    opened.clear()
    runpy.run_path(path)
    found[path] = {{"heavy": [name for name in {HEAVY} if name in sys.modules], "opened": list(opened)}}
print(json.dumps(found))
"""

PLUGINS = f"""
import json, sys
from airflow import plugins_manager
plugins, errors = plugins_manager._get_plugins()
print(json.dumps({{
    "names": [plugin.name for plugin in plugins],
    "errors": errors,
    "heavy": [name for name in {HEAVY} if name in sys.modules],
    "bare": [name for name in sys.modules if name in ("retries", "window", "links", "flow_dag", "runtime")],
}}))
"""


def python(code: str, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", code, *words], env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


@pytest.fixture(scope="module")
def parsed() -> dict[str, Any]:
    return python(PARSE, *map(str, ENTRIES))


def test_there_is_something_to_parse() -> None:
    assert {path.stem for path in ENTRIES} >= {"customer", "customer_account", "one_way_customers"}


@pytest.mark.parametrize("path", ENTRIES, ids=lambda path: path.stem)
def test_a_dag_file_imports_nothing_heavy(path: Path, parsed: dict[str, Any]) -> None:
    assert parsed[str(path)]["heavy"] == []


@pytest.mark.parametrize("path", ENTRIES, ids=lambda path: path.stem)
def test_a_dag_file_opens_nothing(path: Path, parsed: dict[str, Any]) -> None:
    assert parsed[str(path)]["opened"] == []


def test_the_plugin_loads_alone_and_light() -> None:
    found = python(PLUGINS)
    assert found["errors"] == {}
    assert "accord" in found["names"]
    assert found["heavy"] == []
    assert found["bare"] == [], "plugins/.airflowignore keeps the package's files from being run under their bare names"
