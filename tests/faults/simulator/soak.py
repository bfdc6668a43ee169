"""Thousands of stories: `python -m tests.faults.simulator.soak --schedules 2000`, or one: `--seed 17`; `--against org` has them
played against the local Salesforce org, `--against org+tables` against the interface tables too."""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path

from sandbox.stack import postgres
from sandbox.stack.processes import Processes
from tests.faults.simulator.oracle import CLASSES
from tests.faults.simulator.play import Played, Theatre
from tests.faults.simulator.schedule import MEMORY, WORLDS, Schedule, schedule
from tests.faults.simulator.worlds import Place, places, real_systems

SHOWN = 20  # failing seeds named in the table


@dataclass(slots=True)
class Table:
    """What came of any number of stories."""

    against: str = MEMORY
    schedules: int = 0
    runs: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    failed: dict[int, str] = field(default_factory=dict)

    def add(self, played: Played) -> None:
        """Count one more."""
        self.schedules += 1
        self.runs += played.runs
        self.happened.update(played.happened)
        self.found.update(played.verdict.counts)
        if not played.verdict.well:
            self.failed[played.schedule.seed] = str(played.verdict)

    def merge(self, other: Table) -> None:
        """Count those of another table."""
        self.schedules, self.runs = self.schedules + other.schedules, self.runs + other.runs
        self.happened.update(other.happened)
        self.found.update(other.found)
        self.failed |= other.failed

    def __str__(self) -> str:
        lines = [f"{self.schedules:9,} schedules", f"{self.runs:9,} runs"]
        lines += [f"{n:9,} {what}" for what, n in sorted(self.happened.items())]
        lines += ["", *(f"{self.found[kind]:9,} {kind}" for kind in CLASSES)]
        again = "make soak SEED={}" + (f" AGAINST={self.against}" if self.against != MEMORY else "")
        lines += [f"\nseed {seed} ({again.format(seed)}):\n{why}" for seed, why in sorted(self.failed.items())[:SHOWN]]
        return "\n".join(lines)


@contextmanager
def theatre_at(place: Place) -> Iterator[Theatre]:
    """A theatre at a place."""
    with (
        tempfile.TemporaryDirectory(prefix="accord-simulator-") as folder,
        real_systems(place) as real,
        closing(Theatre(place.hub, Path(folder), real)) as theatre,
    ):
        yield theatre


def play_all(place: Place, seeds: Iterable[int]) -> Table:
    """The stories of `seeds` one after the other."""
    table = Table(place.against)
    with theatre_at(place) as theatre:
        for seed in seeds:
            table.add(theatre.play(schedule(seed, place.against)))
    return table


def side_by_side(places: Sequence[Place], seeds: Sequence[int]) -> Iterator[Table]:
    """The same in a process per place, some stories at a time."""
    spawning = get_context("spawn")
    with spawning.Pool(len(places), initializer=_take_place, initargs=(_queue(spawning, places),)) as pool:
        yield from pool.imap_unordered(_play_some, [seeds[n : n + 10] for n in range(0, len(seeds), 10)])


def _queue(spawning, places):  # type: ignore[no-untyped-def]  # multiprocessing's queues have no useful type
    queue = spawning.Queue()
    for place in places:
        queue.put(place)
    return queue


def _take_place(queue) -> None:  # type: ignore[no-untyped-def]  # as above
    global _PLACE
    logging.disable()  # thousands of warnings that nobody reads
    _PLACE = queue.get()


def _play_some(seeds: Sequence[int]) -> Table:
    assert _PLACE
    return play_all(_PLACE, seeds)


_PLACE: Place | None = None


def smallest(theatre: Theatre, failing: Schedule) -> Schedule:
    """The story with everything left out without which it still ends badly."""
    kept = list(failing.actions)
    for action in reversed(failing.actions):
        fewer = [one for one in kept if one is not action]
        if not theatre.play(replace(failing, actions=tuple(fewer))).verdict.well:
            kept = fewer
    return replace(failing, actions=tuple(kept))


@contextmanager
def places_of_their_own(against: str, count: int) -> Iterator[list[Place]]:
    """Places on a PostgreSQL of their own."""
    with tempfile.TemporaryDirectory(prefix="accord-soak-") as folder:
        home = Path(folder)
        server = postgres.ensure_running(home, careless=True, free_port=True)
        try:
            with places(server, home, against, count) as found:
                yield found
        finally:
            Processes(home).stop("postgres")


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, print the table; 1 when a story ended badly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schedules", type=int, default=1000, help="how many stories")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="only this one, with its diary; made smaller when it ends badly")
    parser.add_argument("--against", choices=WORLDS, default=MEMORY, help="what is real of the systems")
    asked = parser.parse_args(arguments)
    if asked.seed is not None:
        return _one(asked.seed, asked.against)
    seeds = range(asked.first, asked.first + asked.schedules)
    table = Table(asked.against)
    with places_of_their_own(asked.against, min(os.cpu_count() or 1, 8)) as found:
        for part in side_by_side(found, seeds):
            table.merge(part)
            bad = f": {', '.join(map(str, sorted(table.failed)))}" if table.failed else ""
            print(f"{table.schedules:,} of {asked.schedules:,}, {len(table.failed)} ended badly{bad}", flush=True)
    print(f"\n{table}")
    return bool(table.failed)


def _one(seed: int, against: str) -> int:
    logging.disable()
    with places_of_their_own(against, 1) as (place,), theatre_at(place) as theatre:
        played = theatre.play(schedule(seed, against))
        if not played.verdict.well:
            played = theatre.play(smallest(theatre, played.schedule))
    print("\n".join(played.diary))
    print(f"\n{played.verdict}" if not played.verdict.well else "\nAll is well.")
    return not played.verdict.well


if __name__ == "__main__":
    raise SystemExit(main())
