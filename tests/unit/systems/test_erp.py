"""An ERP's adapter finds the handler of each object, and says what it has none for."""

from __future__ import annotations

import pytest

from accord.errors import Stop
from accord.objects import CUSTOMER, CUSTOMER_ACCOUNT
from accord.objects.definition import BusinessObject
from accord.ports import Selection
from accord.settings import Connection
from accord.systems import open_system
from accord.systems.erp import all_needs
from accord.systems.tryton.adapter import Tryton
from tests.fakes import CollectingSink
from tests.tables import wanted
from tests.things import THING


@pytest.mark.parametrize("system", ["tryton", "legacy"])
@pytest.mark.parametrize("definition", [THING, CUSTOMER_ACCOUNT], ids=lambda d: d.name)
def test_an_object_without_a_target_stops_with_a_cure(system: str, definition: BusinessObject) -> None:
    adapter = open_system(system, Connection(id="nowhere", host="127.0.0.1", port=1))
    with pytest.raises(Stop, match=f"{definition.name} is not written to {system}.*Add a handler"):
        adapter.keeps(definition)
    with pytest.raises(Stop):
        adapter.read_back(definition, wanted([]))


@pytest.mark.parametrize("system", ["tryton", "legacy"])
@pytest.mark.parametrize("definition", [THING, CUSTOMER], ids=lambda d: d.name)
def test_an_object_without_a_source_stops_with_a_cure(system: str, definition: BusinessObject) -> None:
    adapter = open_system(system, Connection(id="nowhere", host="127.0.0.1", port=1))
    with pytest.raises(Stop, match=f"{definition.name} is not read from {system}.*Add a handler"):
        adapter.extract(definition, Selection(), CollectingSink())
    with pytest.raises(Stop):
        adapter.required_columns(definition)


def test_what_handlers_need_adds_up() -> None:
    needs = all_needs([*Tryton.TARGETS.values(), *Tryton.SOURCES.values()])
    assert needs["party.party"] == ("read", "write", "create")
    assert needs["account.move.line"] == ("read",)


def test_the_places_of_an_object_are_its_handlers() -> None:
    assert Tryton.places("customer") == Tryton.TARGETS["customer"].places
    assert Tryton.places("thing") == {}
