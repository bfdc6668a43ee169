"""Time and turns: processes that take turns at their points, and one clock that moves only between them."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from random import Random
from typing import Any, TypeVar

from accord.errors import Unavailable
from accord.hub import Hub
from accord.hub.connection import Session
from tests.faults.simulator.schedule import KILLED, Strike

T = TypeVar("T")

LEASE = timedelta(seconds=3)
LONGEST = timedelta(seconds=1)  # a request of a target in memory
PATIENCE = 60.0  # real seconds after which a turn that does not end is given up


class Killed(BaseException):
    """The process ends here: nothing of ours may catch it, and no code of ours runs after it."""


class Stage:
    """Whose turn it is, and what time. The hub's and the workers' clocks may be ahead of the stage's."""

    def __init__(self, seed: int, start: datetime, *, hub_skew: float, worker_skew: float) -> None:
        self.random = Random(seed)  # noqa: S311 - a story, not a secret
        self.start, self.now = start, 0.0
        self.hub_skew, self.worker_skew = hub_skew, worker_skew
        self.happened: Counter[str] = Counter()
        self.diary: list[str] = []
        self.clocks: list[Callable[[], object]] = []  # told whenever time has moved on
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self.alive: set[Process] = set()

    def at(self, when: float, what: Callable[[], object]) -> None:
        """Let something happen at a second of the story."""
        heapq.heappush(self._due, (max(when, self.now), next(self._numbers), what))

    def play(self, until: float = float("inf")) -> None:
        """Let everything happen that is due, and what follows from it."""
        while self._due and self._due[0][0] <= until:
            when, _, what = heapq.heappop(self._due)
            self.move(when)
            what()

    def move(self, now: float) -> None:
        """Let time move on."""
        self.now = now
        for tell in self.clocks:
            tell()

    def clock(self, skew: float = 0.0) -> datetime:
        """The time of the story."""
        return self.start + timedelta(seconds=self.now + skew)

    def note(self, sentence: str) -> None:
        """Write into the diary: what is read when a story went wrong."""
        self.diary.append(f"{self.now:9.3f}  {sentence}")

    def close(self) -> None:
        """End what is still going on."""
        for process in list(self.alive):
            process.end()


class Process:
    """A process: runs `work` in turns, from point to point, until it returns, fails, or is struck."""

    def __init__(
        self, stage: Stage, name: str, work: Callable[[], object], strike: Strike | None = None, pace: float = 1.0
    ) -> None:
        self.stage, self.name, self.strike, self.pace = stage, name, strike, pace
        self.points = 0
        self.hasty = False  # between asking whether it may send, and the request's taking effect
        self.error: BaseException | None = None
        self.after: Callable[[Process], object] | None = None
        self._work = work
        self._mine, self._stages = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._carry_out, daemon=True)
        self._ending = self._dead = False
        stage.alive.add(self)
        self._thread.start()
        stage.at(stage.now, self._turn)

    def _turn(self) -> None:
        if self not in self.stage.alive:
            return
        self._mine.release()
        if not self._stages.acquire(timeout=PATIENCE):
            raise TimeoutError(f"{self.name} does not come to its next point")
        if self not in self.stage.alive and self.after:
            self.after(self)

    def _carry_out(self) -> None:
        CURRENT.process = self
        self._mine.acquire()
        try:
            if not self._ending:
                self._work()
        except BaseException as error:
            self.error = error
        self.stage.alive.discard(self)
        self._stages.release()

    def end(self) -> None:
        """End it wherever it is."""
        self._ending = True
        self._mine.release()
        self._thread.join(PATIENCE)

    def sleep(self, seconds: float) -> None:
        """Give the turn away for some time."""
        if self._ending:
            raise Killed
        self.stage.at(self.stage.now + seconds, self._turn)
        self._stages.release()
        self._mine.acquire()
        if self._ending:
            raise Killed

    def point(self, *, may_wait: bool = True, hub: bool = False) -> None:
        """Something another process may come before, and where this one may be struck; the hub is lost where it is at work."""
        if self._dead:  # what its `finally` would do, a killed process does not
            raise Killed
        self.points += 1
        strike = self.strike
        if strike and self.points >= strike.nth and (hub or strike.how == KILLED):
            self.strike = None
            self.stage.happened[strike.how] += 1
            self.stage.note(f"{self.name} {strike.how}")
            if strike.how == KILLED:
                self._dead = True
                raise Killed
            raise Unavailable("The hub can't be reached.", cure="Start it.")
        if may_wait:
            random = self.stage.random
            stalls = not self.hasty and random.random() < 0.01
            if stalls:
                self.stage.happened["stalled"] += 1
                self.stage.note(f"{self.name} stalls")
            self.sleep(
                random.uniform(2, 12) if stalls else random.uniform(0.001, 0.1) * (1 if self.hasty else self.pace)
            )


class Current(threading.local):
    """The process a thread is."""

    process: Process | None = None


CURRENT = Current()


class VirtualTime:
    """In the place of the module `time`."""

    def monotonic(self) -> float:
        process = CURRENT.process
        assert process
        return process.stage.now

    def sleep(self, seconds: float) -> None:
        process = CURRENT.process
        assert process
        process.sleep(seconds)


class VirtualDatetime(datetime):
    """In the place of `datetime.datetime`: a worker's clock."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # a plain datetime is what is wanted
        process = CURRENT.process
        return process.stage.clock(process.stage.worker_skew) if process else datetime.now(UTC)


class AtOnce(Executor):
    """In the place of `ThreadPoolExecutor`: a process of the story has one thread, which does what it gives away itself."""

    def __init__(self, max_workers: int) -> None: ...

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        done: Future[T] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


class StagedHub(Hub):
    """The hub: its clock is the stage's, and every transaction's begin and end is a point."""

    def __init__(self, address: str, stage: Stage) -> None:
        super().__init__(address)
        self._stage, self._depth = stage, 0

    @contextmanager
    def session(self) -> Iterator[Session]:
        process = CURRENT.process
        outermost = self._depth == 0
        if process and outermost:  # nobody waits while others may wait for its locks
            process.point(hub=True)
        self._depth += 1
        try:
            with super().session() as session:
                session.execute(
                    "SELECT set_config('simulated.now', %s, true)",
                    (self._stage.clock(self._stage.hub_skew).isoformat(),),
                )
                yield session
                if process:
                    process.point(may_wait=False, hub=True)
        finally:
            self._depth -= 1
        if process:
            process.point(may_wait=outermost, hub=True)


HUB_CLOCK = """
CREATE SCHEMA IF NOT EXISTS simulated;
CREATE OR REPLACE FUNCTION simulated.now() RETURNS timestamptz LANGUAGE sql STABLE AS
$$ SELECT coalesce(nullif(current_setting('simulated.now', true), '')::timestamptz, pg_catalog.now()) $$;
CREATE OR REPLACE FUNCTION simulated.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT simulated.now() $$;
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, simulated, pg_catalog', current_database()); END $$
"""
