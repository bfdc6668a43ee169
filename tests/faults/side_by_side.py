"""Runs that meet: the steps of a run one by one, and processes as threads with an Accord of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeVar

from accord.flows import Flow
from accord.pipeline.compare import compare
from accord.pipeline.extract import extract
from accord.pipeline.load import load
from accord.pipeline.runs import RunKind, open_run
from accord.pipeline.settle import settle
from accord.pipeline.transform import transform
from tests.faults.watching import Watch, WatchedAccord, WatchedTarget
from tests.world import CUSTOMERS, World

T = TypeVar("T")

PATIENCE = 30.0  # seconds after which a test that hangs is given up

TO_TRYTON: Flow = replace(CUSTOMERS, name="customer__to_tryton", targets=("tryton",), status=None)


class Process:
    """A run in a process of its own, step by step."""

    def __init__(self, world: World, name: str, watch: Watch | None = None, flow: Flow = TO_TRYTON) -> None:
        self.watch = watch or Watch()
        self.accord = WatchedAccord(world, self.watch)
        self.run = open_run(self.accord, flow, engine_run=name, kind=RunKind.SCHEDULED, interval=world.interval())
        self.canonical = ""
        self.chunks: list[dict[str, Any]] = []

    def prepare(self, target: str | None = None) -> Process:
        """Up to the comparison with every target, or with one: what is to be sent is decided, nothing is claimed."""
        self.canonical = transform(self.accord, self.run, extract(self.accord, self.run))
        self.chunks = self.compare(target)
        return self

    def compare(self, target: str | None = None) -> list[dict[str, Any]]:
        """What is to be sent."""
        return compare(self.accord, self.run, self.canonical, target=target)

    def load(self) -> dict[str, int]:
        """Send every chunk."""
        counts: dict[str, int] = {}
        before = getattr(WatchedTarget.watches, "watch", None)
        WatchedTarget.watches.watch = self.watch
        try:
            for chunk in self.chunks:
                for bucket, n in load(self.accord, chunk).items():
                    counts[bucket] = counts.get(bucket, 0) + n
        finally:  # the thread may be a test's, or another process's that this one came by in
            if before is None:
                del WatchedTarget.watches.watch
            else:
                WatchedTarget.watches.watch = before
        return counts

    def settle(self) -> dict[str, Any]:
        """Prove the equation."""
        try:
            return settle(self.accord, self.run)
        finally:
            self.accord.close()


def beside(work: Callable[[], T]) -> Future[T]:
    """Start `work` in a thread of its own."""
    future: Future[T] = Future()

    def carry_out() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=carry_out, daemon=True).start()
    return future
