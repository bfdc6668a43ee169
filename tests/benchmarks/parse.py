"""Parsing: all DAG files against the import of airflow.sdk, and what a hundred business objects would cost.

Each measurement is a process of its own, as a DAG file's parse is; the median of several.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from sandbox.stack.home import CHECKOUT
from tests.benchmarks.report import Report

PART = "parse"
TIMES = 3
OBJECTS = 100

# the floor: what any DAG file that uses these names pays, whoever wrote it
_PARSE = """
import json, runpy, sys, time
begun = time.perf_counter(), time.process_time()
from airflow.sdk import DAG, Asset, BaseOperator, CronDataIntervalTimetable, ExceptionRetryPolicy, Param
from airflow.sdk.definitions.deadline import DeadlineAlert
floor = time.perf_counter(), time.process_time()
for path in sys.argv[1:]:
    runpy.run_path(path)
ended = time.perf_counter(), time.process_time()
print(json.dumps([floor[0] - begun[0], ended[0] - floor[0], floor[1] - begun[1], ended[1] - floor[1]]))
"""
_ONE_OF_MANY = '''"""A business object of a company that has many."""

from dataclasses import replace

from accord.flows import flow
from accord_airflow.flow_dag import flow_dag

towards = flow_dag(replace(flow("{towards}"), name="object{number}__salesforce_to_erp"), doc_md=__doc__)
back = flow_dag(replace(flow("{back}"), name="object{number}__erp_to_salesforce"), doc_md=__doc__)
'''


def measure(report: Report, records: int) -> None:
    """Measure the checkout's DAG files, and a hundred objects' with two flows each."""
    files = sorted((CHECKOUT / "dags").glob("*.py"))
    floor, parsing, floor_cpu, parsing_cpu = _median(files)
    report.add(PART, "import airflow.sdk", floor, cpu=floor_cpu)
    report.add(PART, "all DAG files beyond it", parsing, len(files), "files", cpu=parsing_cpu)
    report.most(PART, "seconds of all DAG files beyond the import", parsing, 0.3)
    report.ratio(PART, "all DAG files against the import, by processor time", parsing_cpu / floor_cpu)
    with tempfile.TemporaryDirectory(prefix="accord-benchmark-") as folder:
        made = [Path(folder) / f"object{number}.py" for number in range(OBJECTS)]
        for number, path in enumerate(made):
            text = _ONE_OF_MANY.format(
                number=number, towards="customer__salesforce_to_erp", back="invoice__tryton_to_salesforce"
            )
            path.write_text(text, encoding="utf-8")
        _, many, _, many_cpu = _median(made)
        _, one, _, one_cpu = _median(made[:1])
    report.add(PART, f"{OBJECTS} objects of two flows each, one process", many, OBJECTS, "files", cpu=many_cpu)
    report.add(PART, "one object of two flows, in a process of its own", one, 1, "files", cpu=one_cpu)


def _median(paths: list[Path]) -> list[float]:
    paths_of = os.pathsep.join(str(CHECKOUT / name) for name in ("include", "plugins"))
    with tempfile.TemporaryDirectory(prefix="accord-benchmark-") as home:
        environment = os.environ | {
            "AIRFLOW_HOME": home,
            "PYTHONPATH": paths_of,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        }
        command = [sys.executable, "-c", _PARSE, *map(str, paths)]
        taken = []
        for turn in range(TIMES + 1):
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            if turn:  # the first one reads from disk
                taken.append(json.loads(done.stdout.strip().splitlines()[-1]))
    return [median(column) for column in zip(*taken, strict=True)]
