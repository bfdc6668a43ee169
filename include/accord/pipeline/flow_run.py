"""A whole run in one process, as `accord run` does it: the same steps the DAGs take."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from accord.errors import AccordError, SystemShut
from accord.flows import Flow
from accord.pipeline.acknowledge import acknowledge
from accord.pipeline.compare import compare
from accord.pipeline.extract import extract
from accord.pipeline.gate import gate
from accord.pipeline.load import load
from accord.pipeline.runs import Params, RunKind, Window, engine_run_name, open_run, starting
from accord.pipeline.settle import close_as_failed, settle
from accord.pipeline.transform import transform
from accord.runtime import Accord

T = TypeVar("T")

PATIENCE = timedelta(minutes=15)  # with a system that is coming back


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

    Raises what the failing step raises, after closing the run as failed; SystemShut, having opened none, when the source
    or every target takes no calls. A system that is coming back is waited for.
    """
    name = engine_run or engine_run_name(kind)
    run, staged = _patiently(lambda: _extracted(accord, flow, name, kind, interval, params))

    def judged() -> str:
        gate(accord, run, staged)
        canonical = transform(accord, run, staged)
        gate(accord, run, canonical)
        return canonical

    return carry_through(accord, flow, run, judged)


def carry_through(accord: Accord, flow: Flow, run: int, canonical: Callable[[], str]) -> dict[str, Any]:
    """Load the canonical batch that `canonical` makes into every target of the flow, acknowledge and settle; the summary.

    Raises what the failing step raises, after closing the run as failed.
    """
    try:
        failures = _load_everywhere(accord, flow, run, canonical())
        _patiently(lambda: acknowledge(accord, run))
        if failures:
            raise failures[0]
    except Exception as error:
        close_as_failed(accord, run, error)
        raise
    return settle(accord, run)


def _extracted(
    accord: Accord, flow: Flow, name: str, kind: RunKind, interval: Window | None, params: Params | None
) -> tuple[int, str]:
    with starting(accord, flow, kind=kind, params=params):
        run = open_run(accord, flow, engine_run=name, kind=kind, interval=interval, params=params)
        try:
            return run, extract(accord, run)
        except Exception as error:
            close_as_failed(accord, run, error)
            raise


def _load_everywhere(accord: Accord, flow: Flow, run: int, canonical: str) -> list[AccordError]:
    """Compare with and load every target; one that fails keeps no other from its records. The failures, first things first."""
    failures = []
    for target in flow.targets:
        try:
            for chunk in _patiently(partial(compare, accord, run, canonical, target=target)):
                _patiently(partial(load, accord, chunk))
        except AccordError as error:
            failures.append(error)
    return failures


def _patiently(step: Callable[[], T]) -> T:
    """`step`, tried again while a system that is coming back has no room for it."""
    patience = time.monotonic() + PATIENCE.total_seconds()
    while True:
        try:
            return step()
        except SystemShut as shut:
            if not shut.soon or time.monotonic() > patience:
                raise
            time.sleep(shut.wait.total_seconds())
