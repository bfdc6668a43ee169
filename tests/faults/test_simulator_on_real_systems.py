"""Stories against a real local Salesforce org and the real interface tables, judged by the same oracle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.faults.simulator import play
from tests.faults.simulator.oracle import CLASSES
from tests.faults.simulator.peaks import all_at_once, every_answer, late, late_commit, late_effect, late_invoice
from tests.faults.simulator.play import Theatre
from tests.faults.simulator.safeguards import SAFEGUARDS
from tests.faults.simulator.schedule import (
    ANSWERS,
    HUB_LOST,
    INVOICES,
    KILLED,
    ORDERS,
    ORG_AND_TABLES,
    TO_BOTH,
    TO_LEGACY,
    TOLD_OF_LEGACY,
    Schedule,
    of_legacy,
    schedule,
)
from tests.faults.simulator.soak import Table, theatre_at
from tests.faults.simulator.tables import comparing_nothing
from tests.faults.simulator.worlds import Place, legacy_dsn, places
from tests.hub import HubServer

SEEDS = (7, 11, 23, 27, 29)
SHOWN = {  # by what the tables, or the org, accept when a safeguard is missing
    "claim": of_legacy(all_at_once(runs=4)),
    "waiting for what is under way": of_legacy(late_effect()),
    "overlap": of_legacy(late_commit()),
    "send deadline": late_invoice(reading=False),
}


@pytest.fixture
def no_breakers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stories told on purpose go on at once after a failure."""
    patience = {failure: replace(one, failures=1000) for failure, one in play.RULES.patience.items()}
    monkeypatch.setattr(play, "RULES", replace(play.RULES, patience=patience))


@pytest.fixture(scope="module")
def place(hub_server: HubServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with places(hub_server.server, tmp_path_factory.mktemp("simulator"), ORG_AND_TABLES, 1) as (place,):
        yield place


@pytest.fixture(scope="module")
def theatre(place: Place) -> Iterator[Theatre]:
    with theatre_at(place) as theatre:
        yield theatre


def test_stories_end_well(theatre: Theatre) -> None:
    table, flows = Table(ORG_AND_TABLES), set()
    for seed in SEEDS:
        table.add(theatre.play(schedule(seed, ORG_AND_TABLES)))
        flows |= set(schedule(seed, ORG_AND_TABLES).flows)
    print(table)
    assert {kind: table.found[kind] for kind in CLASSES} == dict.fromkeys(CLASSES, 0), str(table)
    assert flows >= {TO_LEGACY, TO_BOTH, TOLD_OF_LEGACY, ORDERS, INVOICES}, "choose other seeds"
    assert any(what.startswith("reading meets") for what in table.happened), "choose other seeds"
    assert {"late commit", KILLED, HUB_LOST} <= table.happened.keys(), "choose other seeds"


@pytest.mark.usefixtures("no_breakers")
@pytest.mark.parametrize(
    "story", [of_legacy(every_answer("tryton")), every_answer("salesforce")], ids=("tables", "org")
)
def test_whatever_answers_a_request_meets(theatre: Theatre, story: Schedule) -> None:
    played = theatre.play(story)
    assert {name: played.happened[name] for name in ANSWERS} == dict.fromkeys(ANSWERS, 1)
    assert played.verdict.well, "\n".join((str(played.verdict), *played.diary))


@pytest.mark.usefixtures("no_breakers")
@pytest.mark.parametrize("name", SHOWN)
def test_without_a_safeguard_real_systems_take_harm(theatre: Theatre, name: str) -> None:
    takes_harm(theatre, name, SHOWN[name])


@pytest.mark.usefixtures("no_breakers")
def test_without_the_version_comparison_tables_that_compare_nothing_take_harm(place: Place, theatre: Theatre) -> None:
    with comparing_nothing(legacy_dsn(place)):
        takes_harm(theatre, "version comparison", of_legacy(late("salesforce")))


def takes_harm(theatre: Theatre, name: str, story: Schedule) -> None:
    """Without the safeguard the story ends badly, with it well."""
    guard = SAFEGUARDS[name]
    with guard.removed():
        verdict = theatre.play(story).verdict
    assert guard.expected & {kind for kind, n in verdict.counts.items() if n}, str(verdict)
    played = theatre.play(story)
    assert played.verdict.well, "\n".join((str(played.verdict), *played.diary))


def test_a_seed_is_a_whole_story(theatre: Theatre) -> None:
    story = schedule(7, ORG_AND_TABLES)
    assert theatre.play(story).diary == theatre.play(story).diary
