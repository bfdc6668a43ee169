"""Where a run can die: at every commit in the hub and at every request to the target, just before and just after.

A place is named by the function that opens the session; `Watch` notes every place a run passes and ends it at a chosen one.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from accord.batch import Staging
from accord.hub.connection import Hub, Session
from accord.runtime import Accord
from accord.settings import dsn
from accord.systems.results import Outcome
from tests.fakes import FakeTarget
from tests.world import TwoWay, World

REQUEST = "request to the target"
LEASE = timedelta(milliseconds=300)


class Killed(BaseException):
    """The process ends here: nothing of ours may catch it, and no code of ours runs after it."""


@dataclass(frozen=True, slots=True)
class Place:
    """`name`: the function that opened the session, or REQUEST; `when`: before or after its commit; the `nth` time."""

    name: str
    when: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.when} {self.name}{f' #{self.nth}' if self.nth > 1 else ''}"


@dataclass(slots=True)
class Watch:
    """Notes the places that are passed; ends the process at `end_at`; calls what `meanwhile` has for a place."""

    end_at: Place | None = None
    meanwhile: dict[Place, Callable[[], object]] = field(default_factory=dict)
    passed: Counter[tuple[str, str]] = field(default_factory=Counter)
    writing: set[str] = field(default_factory=set)

    def at(self, name: str, when: str) -> None:
        self.passed[name, when] += 1
        place = Place(name, when, self.passed[name, when])
        if place in self.meanwhile:
            self.meanwhile[place]()
        if place == self.end_at:
            raise Killed(str(place))


class WatchedHub(Hub):
    """The hub, with a look at every commit."""

    def __init__(self, address: str, watch: Watch) -> None:
        super().__init__(address)
        self._watch = watch

    @contextmanager
    def session(self) -> Iterator[Session]:
        name = _caller()
        with super().session() as session:
            yield session
            row = session.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS wrote").fetchone()
            if row and row["wrote"]:
                self._watch.writing.add(name)
                self._watch.at(name, "before")
        if name in self._watch.writing:
            self._watch.at(name, "after")


class WatchedAccord(Accord):
    """A process that may be ended at a commit."""

    def __init__(self, world: World, watch: Watch, **knobs: Any) -> None:
        usual: dict[str, Any] = {"chunk_rows": 4, "lease": LEASE, "retries": 2, "backoff": 0.01}
        super().__init__(
            connection_of=lambda _: world.hub_connection,
            staging=Staging(f"file://{world.folder}/staging"),
            reports=f"{world.folder}/reports",
            open_system=lambda name, _: world.systems[name],
            **usual | knobs,
        )
        self._watched = WatchedHub(dsn(world.hub_connection), watch)

    @property
    def hub(self) -> Hub:
        return self._watched

    def close(self) -> None:
        self._watched.close()


class WatchedTarget(FakeTarget):
    """A target with a look at every request: before it takes effect, and after, when the answer has not come back yet."""

    watch: Watch = Watch()
    watches: threading.local = threading.local()  # a thread's own watch, where several share the target

    def _request(self, definition: Any, request: Any, dispatch: int) -> dict[str, Outcome]:
        watch = getattr(self.watches, "watch", self.watch)
        watch.at(REQUEST, "before")
        outcomes = super()._request(definition, request, dispatch)
        watch.at(REQUEST, "after")
        return outcomes


def watched_target(world: World, name: str = "tryton") -> WatchedTarget:
    """Put a watched target in the place of the world's."""
    old = world.systems[name].target
    made = WatchedTarget(**{f.name: getattr(old, f.name) for f in fields(old) if f.init and not f.name.startswith("_")})
    world.systems[name] = TwoWay(world.systems[name].source, made)
    setattr(world, name, made)
    return made


def _caller() -> str:
    frame = sys._getframe(1)
    while frame.f_code.co_filename == __file__ or Path(frame.f_code.co_filename).stem == "contextlib":
        assert frame.f_back
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_qualname}"
