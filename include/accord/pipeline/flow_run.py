"""A whole run in one process, as `accord run` does it: the same steps the DAGs take."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from accord.errors import AccordError
from accord.flows import Flow
from accord.pipeline.acknowledge import acknowledge
from accord.pipeline.compare import compare
from accord.pipeline.extract import extract
from accord.pipeline.gate import gate
from accord.pipeline.load import load
from accord.pipeline.runs import Params, RunKind, Window, open_run
from accord.pipeline.settle import close_as_failed, settle
from accord.pipeline.transform import transform
from accord.runtime import Accord


def run_flow(
    accord: Accord,
    flow: Flow,
    *,
    params: Params | None = None,
    engine_run: str | None = None,
    kind: RunKind = RunKind.MANUAL,
    interval: Window | None = None,
) -> dict[str, Any]:
    """Run `flow` once and return its summary. An `engine_run` used before goes on with that run.

    Raises what the failing step raises, after closing the run as failed.
    """
    name = engine_run or f"{kind}__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}__{uuid.uuid4().hex[:8]}"
    run = open_run(accord, flow, engine_run=name, kind=kind, interval=interval, params=params)
    try:
        staged = extract(accord, run)
        gate(accord, run, staged)
        canonical = transform(accord, run, staged)
        gate(accord, run, canonical)
        failures = _load_everywhere(accord, flow, run, canonical)
        acknowledge(accord, run)
        if failures:
            raise failures[0]
    except Exception as error:
        close_as_failed(accord, run, error)
        raise
    return settle(accord, run)


def _load_everywhere(accord: Accord, flow: Flow, run: int, canonical: str) -> list[AccordError]:
    """Compare with and load every target; one that fails keeps no other from its records. The failures, first things first."""
    failures = []
    for target in flow.targets:
        try:
            for chunk in compare(accord, run, canonical, target=target):
                load(accord, chunk)
        except AccordError as error:
            failures.append(error)
    return failures
