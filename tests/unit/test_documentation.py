"""The pages and contracts of the business objects are what the definitions say, and no contract breaks unnoticed."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from accord import documentation
from accord.documentation import documents, write_documents
from accord.errors import Stop
from accord.flows import FLOWS
from accord.objects import OBJECTS
from accord.objects.definition import BusinessObject, Text
from accord.routing import LEGAL_ENTITIES
from accord.settings import Connection
from accord.systems import open_system
from accord.systems.places import places, systems

PUBLISHED = Path(__file__).parents[2] / "docs" / "objects"


@pytest.mark.parametrize(("name", "content"), list(documents()), ids=lambda value: value if len(value) < 40 else "")
def test_what_is_published_is_what_the_definitions_say(name: str, content: str) -> None:
    assert (PUBLISHED / name).read_text() == content, "run `accord docs` and commit what it writes"


@pytest.mark.parametrize("system", systems())
@pytest.mark.parametrize("definition", OBJECTS.values(), ids=lambda d: d.name)
def test_every_documented_place_is_of_a_field_that_exists(system: str, definition: BusinessObject) -> None:
    known = {path for path, _ in definition.every_field()}
    assert set(places(system, definition.name)) <= known


@pytest.mark.parametrize(
    ("target", "object_name"),
    sorted({(target, flow.object) for flow in FLOWS.values() for target in flow.targets}),
)
def test_every_field_a_target_keeps_has_a_documented_place(target: str, object_name: str) -> None:
    definition = OBJECTS[object_name]
    adapter = open_system(target, Connection(id="unused", host="127.0.0.1", extra={"login_url": "http://127.0.0.1:1"}))
    parts = {c.name for c in definition.constituents}
    documented = {path.split(".")[0] for path in places(target, object_name)}
    kept = adapter.keeps(definition)
    assert kept - parts <= documented
    assert kept & parts <= documented


def test_a_contract_that_breaks_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_documents(tmp_path)
    customer = OBJECTS["customer"]
    published, next_version = tmp_path / f"customer.v{customer.version}.json", customer.version + 1
    before = published.read_text()
    shorter = dataclasses.replace(customer.field("name"), type=Text(limit=10))
    changed = dataclasses.replace(customer, fields=(shorter, *customer.fields[1:]))
    monkeypatch.setattr(documentation, "OBJECTS", {"customer": changed})
    with pytest.raises(Stop, match=rf"customer\.name became shorter.*Raise its version to {next_version}"):
        write_documents(tmp_path)
    assert published.read_text() == before
    raised = dataclasses.replace(changed, version=next_version)
    monkeypatch.setattr(documentation, "OBJECTS", {"customer": raised})
    assert f"customer.v{next_version}.json" in write_documents(tmp_path)
    assert json.loads(published.read_text())["x-version"] == customer.version


def test_every_erp_of_the_routing_has_a_mapping() -> None:
    for entity in LEGAL_ENTITIES:
        assert places(entity.system, "customer"), entity.system
