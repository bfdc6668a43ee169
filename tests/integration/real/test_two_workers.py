"""Two workers, as two machines have them: what is staged is shared, all else is each one's own, and one of them dies at work."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Mapping
from dataclasses import replace
from multiprocessing.connection import Connection as Pipe
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from accord.batch import Staging
from accord.flows import Flow
from accord.pipeline.compare import compare
from accord.pipeline.extract import extract
from accord.pipeline.load import load
from accord.pipeline.runs import RunKind, open_run
from accord.pipeline.settle import settle
from accord.pipeline.transform import transform
from accord.runtime import Accord
from accord.settings import connection_from_environment
from tests import forking
from tests.integration.real.runner import SPAWNING, Call, at
from tests.integration.real.world import CUSTOMERS, LEASE, RealWorld, open_quickly

FLOW: Flow = replace(CUSTOMERS, name="customer__to_legacy", targets=("legacy",), status=None)
CHUNK_ROWS, CHUNKS = 4, 4
PLACES = [
    Call(what="accord.systems.interface_tables.sending:_results", nth=2),  # posted in the ERP, nobody told
    Call(what="accord.hub.dispatches:OpenDispatch.before_request", nth=4),  # the second chunk is copied in, not posted
]
STEPS = {"extract": extract, "transform": transform, "load": load, "settle": settle}


class Worker:
    """A process that carries out tasks one at a time, in a scratch folder that goes when it does."""

    def __init__(self, world: RealWorld, name: str, die: Call | None = None) -> None:
        self.scratch = world.folder / name
        self.scratch.mkdir()
        self._pipe, theirs = SPAWNING.Pipe()
        self.process: ForkServerProcess = SPAWNING.Process(
            target=work, args=(theirs, world.environment, world.folder / "shared", self.scratch, die)
        )
        self.process.start()
        theirs.close()

    def give(self, step: str, *arguments: Any) -> None:
        """Hand it a task."""
        self._pipe.send((step, arguments))

    def taken(self) -> Any:
        """What came of it. Raises EOFError when the worker died at it."""
        if not self._pipe.poll(60):
            raise TimeoutError("the worker says nothing")
        done, result = self._pipe.recv()
        assert done, result
        return result

    def do(self, step: str, *arguments: Any) -> Any:
        self.give(step, *arguments)
        return self.taken()

    def end(self) -> int:
        """Wait for it, and lose its disk."""
        self._pipe.close()
        self.process.join(30)
        shutil.rmtree(self.scratch)
        return self.process.exitcode or 0


def work(pipe: Pipe, environment: Mapping[str, str], shared: Path, scratch: Path, die: Call | None) -> None:
    """A worker's life."""
    os.chdir(scratch)
    os.environ["TMPDIR"] = str(scratch)
    if die:
        at(die, lambda: os.kill(os.getpid(), signal.SIGKILL))
    while True:
        try:
            step, arguments = pipe.recv()
        except EOFError:
            return
        accord = Accord(  # a task's own, as every task opens one
            connection_of=lambda name: connection_from_environment(name, environment),
            staging=Staging(f"file://{shared}"),
            reports=f"{scratch}/reports",
            chunk_rows=CHUNK_ROWS,
            lease=LEASE,
            open_system=open_quickly,
        )
        try:
            pipe.send((True, _carry_out(accord, step, arguments)))
        except Exception as error:
            pipe.send((False, f"{step}: {error}"))
        finally:
            accord.close()


def _carry_out(accord: Accord, step: str, arguments: tuple[Any, ...]) -> Any:
    if step == "open":
        return open_run(accord, FLOW, engine_run="the run", kind=RunKind.MANUAL)
    if step == "compare":
        return compare(accord, *arguments, target="legacy")
    return STEPS[step](accord, *arguments)


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_one_of_two_workers_dies(world: RealWorld, place: Call) -> None:
    accounts = {world.account(f"Alder {n}", entities="US01") for n in range(CHUNK_ROWS * CHUNKS)}
    forking.ready()
    first, second = Worker(world, "first", die=place), Worker(world, "second")
    run = first.do("open")
    staged = second.do("extract", run)
    canonical = first.do("transform", run, staged)
    waiting = list(second.do("compare", run, canonical))  # gates, which share nothing but the same files, are left out
    chunks = len(waiting)
    assert chunks >= CHUNKS

    alive, handed = True, 0
    while waiting:  # one chunk to each of those that live, as a queue does
        mine, theirs = waiting.pop(0), waiting.pop(0) if alive and waiting else None
        if theirs is not None:
            first.give("load", theirs)
        second.do("load", mine)
        handed += 1
        if theirs is not None:
            try:
                first.taken()
            except EOFError:
                alive = False
                assert first.end() == -signal.SIGKILL  # and its disk is gone
                waiting.append(theirs)
    assert not alive
    assert handed == chunks - 1  # the first worker had got one chunk through

    summary = second.do("settle", run)
    assert second.end() == 0
    assert summary["error"] is None
    assert summary["targets"]["legacy"]["counts"] == {"applied": len(accounts)}
    created = [
        n for (t, operation, _), n in world.written("legacy").items() if (t, operation) == ("erp.customer", "INSERT")
    ]
    assert created == [1] * len(accounts)
    assert world.rows("SELECT id FROM dispatch WHERE closed IS NULL") == []
    assert world.rows("SELECT key FROM link WHERE dispatch IS NOT NULL") == []
    assert world.exceptions() == {}
    again = world.run(FLOW, kind=RunKind.MANUAL)
    assert again["targets"]["legacy"]["counts"] == {"unchanged": len(accounts)}
