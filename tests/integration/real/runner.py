"""A run in a process of its own, which may be ended by SIGKILL at a chosen call: no handler, no clean-up, no last word.

Processes are forked from a server that has imported everything once (importing takes longer than a run).
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.context import ForkServerProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from accord.flows import Flow
from accord.pipeline import flow_run
from accord.pipeline.runs import RunKind
from tests import forking
from tests.integration.real.world import RealWorld, build

SPAWNING = multiprocessing.get_context("forkserver")
SPAWNING.set_forkserver_preload(
    ["tests.integration.real.runner", "accord.systems.salesforce.adapter", "accord.systems.tryton.adapter"]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The `nth` call of `what` (module:function or module:Class.method), just before it or when it has returned."""

    what: str
    when: str = "before"
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.when} {self.what.rpartition('.')[2]}{f' #{self.nth}' if self.nth > 1 else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a process is to do. At `meet` it waits for the others of `barrier`."""

    environment: Mapping[str, str]
    folder: Path
    flow: Flow
    engine_run: str
    interval: tuple[datetime, datetime]
    knobs: Mapping[str, Any]
    die: Call | None = None
    meet: Call | None = None
    barrier: Barrier | None = None


def start(world: RealWorld, flow: Flow, engine_run: str, **more: Any) -> ForkServerProcess:
    """Start a run in a process of its own."""
    forking.ready()
    job = Job(
        environment=world.environment,
        folder=world.folder,
        flow=flow,
        engine_run=engine_run,
        interval=world.interval(),
        **({"knobs": {}} | more),
    )
    process = SPAWNING.Process(target=carry_out, args=(job,))
    process.start()
    return process


def end(process: ForkServerProcess, seconds: float = 60) -> int:
    """Wait for a process and give its exit code; one that hangs is ended and fails the test."""
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise TimeoutError(f"the run did not end within {seconds:.0f} s")
    return process.exitcode


def carry_out(job: Job) -> None:
    """What the process does. Its gates are open, as in the tests that use it."""
    setattr(flow_run, "gate", lambda *_: {})  # noqa: B010 - it is not an attribute mypy knows
    if job.die:
        at(job.die, lambda: os.kill(os.getpid(), signal.SIGKILL))
    if job.meet and job.barrier:
        barrier = job.barrier
        at(job.meet, lambda: barrier.wait(30))
    accord = build(job.environment, job.folder, **job.knobs)
    try:
        flow_run.run_flow(accord, job.flow, kind=RunKind.SCHEDULED, engine_run=job.engine_run, interval=job.interval)
    finally:
        accord.close()


def at(call: Call, then: Any) -> None:
    """Have `then` called at `call`, in this process."""
    module, _, path = call.what.partition(":")
    owner: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    inner, passed = getattr(owner, name), 0

    def wrapped(*arguments: Any, **named: Any) -> Any:
        nonlocal passed
        passed += 1
        mine = passed == call.nth
        if mine and call.when == "before":
            then()
        result = inner(*arguments, **named)
        if mine and call.when == "after":
            then()
        return result

    setattr(owner, name, wrapped)
