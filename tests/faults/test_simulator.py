"""Stories from seeds, judged by an oracle that knows nothing of the pipeline: with every safeguard all end well, and without any
one of them some do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from pathlib import Path

import pytest

from accord.objects import business_object
from accord.objects.definition import Reconciling
from accord.settings import Connection, dsn
from tests.faults.simulator.oracle import CLASSES
from tests.faults.simulator.peaks import quarter_end, replay_storm
from tests.faults.simulator.play import Theatre
from tests.faults.simulator.safeguards import SAFEGUARDS
from tests.faults.simulator.schedule import ANSWERS, HUB_LOST, KILLED, MEMORY, reconciled, schedule
from tests.faults.simulator.soak import Table, side_by_side
from tests.faults.simulator.worlds import Place
from tests.hub import HubServer

SCHEDULES = 200
RECONCILED = range(2)
MOST = 40  # schedules until one ends badly without a safeguard


@pytest.fixture
def theatre(hub: Connection, tmp_path: Path) -> Iterator[Theatre]:
    theatre = Theatre(dsn(hub), tmp_path)
    yield theatre
    theatre.close()


@pytest.mark.timeout(900)
def test_every_story_ends_well(hub_server: HubServer) -> None:
    table = Table()
    places = [Place(against=MEMORY, hub=dsn(hub_server.new())) for _ in range(2)]
    for part in side_by_side(places, range(SCHEDULES)):
        table.merge(part)
    print(table)
    assert table.schedules == SCHEDULES
    assert {kind: table.found[kind] for kind in CLASSES} == dict.fromkeys(CLASSES, 0), str(table)
    never = {
        *ANSWERS,
        KILLED,
        HUB_LOST,
        "stalled",
        "outage",
        "kept away",
        "record locked",
        "run again",
        "two at once",
    } - table.happened.keys()
    assert never == set()


@pytest.mark.parametrize("name", SAFEGUARDS)
def test_without_a_safeguard_some_story_ends_badly(theatre: Theatre, name: str) -> None:
    guard = SAFEGUARDS[name]
    for story in chain([guard.shown_by] if guard.shown_by else [], map(schedule, range(MOST))):
        with guard.removed():
            verdict = theatre.play(story).verdict
        if not verdict.well:
            break
    assert guard.expected & {kind for kind, n in verdict.counts.items() if n}, str(verdict)
    assert theatre.play(story).verdict.well


def test_a_seed_is_a_whole_story(theatre: Theatre) -> None:
    assert theatre.play(schedule(3)).diary == theatre.play(schedule(3)).diary


def test_reconciliations_in_the_middle_of_it_all(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    """They take nothing on its way for a difference, write nothing a second time and leave nothing to a person. They have no
    patience here: what did not arrive at once they bring themselves, beside the flows that are about to."""
    monkeypatch.setattr(
        "accord.pipeline.reconcile.sides.business_object",
        lambda name: replace(business_object(name), reconciling=Reconciling(lag=timedelta(0))),
    )
    brought = 0
    for seed in RECONCILED:
        verdict = theatre.play(reconciled(schedule(seed))).verdict
        assert verdict.well, f"seed {seed}: {verdict}"
        with theatre.hub.session() as session:
            brought += session.execute("SELECT FROM difference WHERE outcome = 'corrected'").rowcount
    assert brought


def test_a_storm_of_repeated_events(theatre: Theatre) -> None:
    played = theatre.play(replay_storm(1))
    assert played.verdict.well, str(played.verdict)


def test_the_erp_goes_away_at_the_end_of_the_quarter(theatre: Theatre) -> None:
    played = theatre.play(quarter_end(1))
    assert played.happened["outage"] == 1
    assert played.verdict.well, str(played.verdict)
