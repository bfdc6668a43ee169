"""The steps of a run, each in a process of its own as a task has it, with its seconds and its peak memory.

The processes are forked from one that has imported everything, as those of an executor that preloads are: what is measured
is the work, not the imports (the part `delta` measures those).
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import resource
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from cProfile import Profile
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from typing import Any

from accord.flows import Flow
from tests import forking
from tests.benchmarks.report import Watch

FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["tests.benchmarks.preloaded"])
PROFILES = "ACCORD_BENCHMARK_PROFILES"  # a folder for a profile of every step
MB = 1024  # ru_maxrss is in kB on Linux


@dataclass(slots=True)
class Took:
    """What a step took: seconds by the clock from fork to end, processor seconds, the ERP's own part of the clock, peak RSS in MB."""

    seconds: float
    cpu: float
    posting: float
    peak: float
    result: Any


@dataclass(slots=True)
class RunTook:
    """What a run took. `load` is the clock over all chunks, though several go side by side."""

    steps: dict[str, Took] = field(default_factory=dict)
    posting: float = 0.0  # seconds of the clock in which the ERP was posting
    counts: dict[str, int] = field(default_factory=dict)
    chunks: int = 0  # to load, and
    loaded: int = 0

    @property
    def seconds(self) -> float:
        """All steps one after the other."""
        return sum(took.seconds for took in self.steps.values())

    @property
    def cpu(self) -> float:
        """Processor seconds of all steps."""
        return sum(took.cpu for took in self.steps.values())

    @property
    def peak(self) -> float:
        """The largest process, in MB."""
        return max(took.peak for took in self.steps.values())

    @property
    def run(self) -> int:
        """Its number in the hub."""
        return int(self.steps["extract"].result[0])


def start(environment: Mapping[str, str], home: Path) -> None:
    """Set what every step finds in its environment, and have the process that forks them ready."""
    os.environ.update(environment)
    os.environ["ACCORD_HOME"] = str(home)
    forking.ready()
    step("import", os.environ, None)


def step(name: str, environment: Mapping[str, str], flow: Flow | None, *arguments: Any) -> Took:
    """Carry out one step in a process of its own. Raises RuntimeError when it failed."""
    ours, theirs = FORKING.Pipe()
    accord = {key: value for key, value in environment.items() if key.startswith(("ACCORD_", "AIRFLOW_CONN_"))}
    watch = Watch()
    process = FORKING.Process(target=_carry_out, args=(theirs, name, accord, flow, arguments))
    process.start()
    theirs.close()
    try:
        error, result, posting, peak = ours.recv()
    except EOFError:
        error, result, posting, peak = "it died", None, 0.0, 0.0
    process.join()
    if error:
        raise RuntimeError(f"the step {name} failed: {error}")
    return Took(seconds=watch.seconds, cpu=watch.cpu, posting=posting, peak=peak, result=result)


def run(
    flow: Flow,
    *,
    full: bool,
    side_by_side: int = 1,
    most: int | None = None,
    tell: Callable[[str, Took], None] = lambda _name, _took: None,
) -> RunTook:
    """A run of `flow` as its DAG carries it out: a process per task, `side_by_side` chunks at a time; `tell` hears of each step.
    It ends with the loading when there are more chunks than `most`, of which no others are loaded."""
    took = RunTook()

    def keep(name: str, done: Took) -> None:
        took.steps[name] = done
        tell(name, done)

    def one(name: str, *arguments: Any) -> Any:
        keep(name, done := step(name, os.environ, flow, *arguments))
        return done.result

    number, staged = one("extract", full)
    one("gate_source", number, staged)
    canonical = one("transform", number, staged)
    one("gate_canonical", number, canonical)
    for target in flow.targets:
        chunks = one(f"compare_{target}", number, canonical, target)
        loads = _side_by_side(flow, chunks[:most], side_by_side)
        took.chunks += len(chunks)
        took.loaded += len(chunks[:most])
        keep(f"load_{target}", loads)
        took.posting += loads.posting
    if took.loaded < took.chunks:
        return took
    if flow.status:
        one("acknowledge", number)
    summary = one("settle", number)
    took.counts = {"extracted": summary["extracted"], **summary["targets"][flow.targets[0]]["counts"]}
    return took


def _side_by_side(flow: Flow, chunks: Sequence[Mapping[str, Any]], many: int) -> Took:
    watch = Watch()
    with ThreadPoolExecutor(max_workers=many) as together:
        loads = list(together.map(lambda chunk: step("load", os.environ, flow, chunk), chunks))
    seconds, cpu = watch.seconds, watch.cpu
    busy = sum(load.seconds for load in loads)
    posting = sum(load.posting for load in loads)
    return Took(
        seconds=seconds,
        cpu=cpu,
        posting=posting / busy * seconds if busy else 0.0,
        peak=max((load.peak for load in loads), default=0.0),
        result=None,
    )


def _carry_out(
    answer: Connection, name: str, environment: Mapping[str, str], flow: Flow | None, arguments: Sequence[Any]
) -> None:
    os.environ.update(environment)
    logging.disable(logging.WARNING)
    error, result = "", None
    posting = _watch_posting()
    profile = Profile() if os.environ.get(PROFILES) else None
    try:
        if profile:
            profile.enable()
        result = json.loads(json.dumps(_STEPS[name](flow, *arguments), default=str))
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}"
    if profile:
        profile.dump_stats(f"{os.environ[PROFILES]}/{name}-{os.getpid()}.prof")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB
    answer.send((error, result, sum(posting), peak))
    answer.close()


def _watch_posting() -> list[float]:
    """The seconds of every call of a procedure of the ERP from now on."""
    import psycopg

    seconds: list[float] = []
    execute = psycopg.Cursor.execute

    def timed(self: Any, query: Any, *more: Any, **named: Any) -> Any:
        text = query.as_string(None) if hasattr(query, "as_string") else str(query)
        begun = perf_counter()
        done = execute(self, query, *more, **named)
        if text.startswith("CALL "):
            seconds.append(perf_counter() - begun)
        return done

    psycopg.Cursor.execute = timed  # type: ignore[method-assign]
    return seconds


def _with_accord(work: Any) -> Any:
    from accord.runtime import Accord

    accord = Accord.from_environment()
    try:
        return work(accord)
    finally:
        accord.close()


def _extract(flow: Flow, full: bool) -> Any:
    from accord.pipeline.extract import extract
    from accord.pipeline.runs import Params, RunKind, engine_run_name, open_run

    def work(accord: Any) -> Any:
        params = Params(full_refresh=full)
        kind = RunKind.MANUAL
        number = open_run(accord, flow, engine_run=engine_run_name(kind), kind=kind, params=params)
        return number, extract(accord, number)

    return _with_accord(work)


def _call(place: str, *given: str) -> Any:
    """A step that is a function of the pipeline: (accord, run, …)."""

    def carry_out(_: Flow, *arguments: Any) -> Any:
        from importlib import import_module

        module, _, name = place.partition(":")
        function = getattr(import_module(module), name)
        named = dict(zip(given, arguments[len(arguments) - len(given) :], strict=True))
        return _with_accord(lambda accord: function(accord, *arguments[: len(arguments) - len(given)], **named))

    return carry_out


def _imported(_: Flow | None) -> None:
    """Nothing: the imports have been done."""


def _reconcile(flow: Flow, target: str) -> Any:
    from accord.pipeline.reconcile import Apply, reconcile

    return _with_accord(lambda accord: reconcile(accord, flow, target=target, apply=Apply.NONE, who="benchmark"))


def _whole(_: Flow | None, name: str, other: str, key: str) -> float:
    """The seconds of a run for the record `key`; a run for `other`, in which nothing changed, has opened and imported all before."""
    from accord.flows import flow
    from accord.pipeline.flow_run import run_flow
    from accord.pipeline.runs import Params

    def work(accord: Any) -> float:
        run_flow(accord, flow(name), params=Params(keys=(other,)))
        begun = perf_counter()
        run_flow(accord, flow(name), params=Params(keys=(key,)))
        return perf_counter() - begun

    return float(_with_accord(work))


_STEPS: dict[str, Any] = {
    "whole": _whole,
    "import": _imported,
    "extract": _extract,
    "gate_source": _call("accord.pipeline.gate:gate"),
    "gate_canonical": _call("accord.pipeline.gate:gate"),
    "transform": _call("accord.pipeline.transform:transform"),
    "compare_legacy": _call("accord.pipeline.compare:compare", "target"),
    "compare_salesforce": _call("accord.pipeline.compare:compare", "target"),
    "load": _call("accord.pipeline.load:load"),
    "acknowledge": _call("accord.pipeline.acknowledge:acknowledge"),
    "settle": _call("accord.pipeline.settle:settle"),
    "reconcile": _reconcile,
}
