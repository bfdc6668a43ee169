"""What is not there or refuses the login: said clearly, with the cure, and nothing half-written."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from accord.categories import Category
from accord.errors import AccordError, BadCredentials, SchemaDrift, Stop, Unavailable
from tests.hub import HubServer
from tests.world import World

pytestmark = pytest.mark.usefixtures("open_gates")


@pytest.mark.parametrize(
    ("change", "error", "cure"),
    [
        ({"port": 1}, Unavailable, "host and port of connection accord_hub"),
        ({"password": "wrong"}, BadCredentials, "password of connection accord_hub"),
        ({"schema": "nothing_of_that_name"}, BadCredentials, "correct connection accord_hub"),
        ({"schema": "postgres"}, Stop, "accord hub upgrade"),
    ],
)
def test_the_hub(world: World, change: dict[str, object], error: type[AccordError], cure: str) -> None:
    world.customer("1")
    right = world.hub_connection
    world.hub_connection = replace(right, **change)  # type: ignore[arg-type]  # values of the fields named
    with pytest.raises(error) as raised:
        world.run()
    assert cure in str(raised.value)
    assert right.password not in str(raised.value)
    assert world.writes() == 0


@pytest.mark.parametrize("who", ["source", "tryton", "legacy", "salesforce"])
@pytest.mark.parametrize(
    ("switch", "value", "error"),
    [("down", True, Unavailable), ("bad_login", True, BadCredentials), ("drifted", "Phone", SchemaDrift)],
)
def test_a_system(world: World, who: str, switch: str, value: object, error: type[AccordError]) -> None:
    world.customer("1", entities=("NL01", "US01"))
    system = getattr(world, who)
    setattr(system, switch, value)
    with pytest.raises(error) as raised:
        world.run()
    assert raised.value.cure
    assert system is world.source or system.writes == []
    assert world.watermark() is None
    assert world.rows("SELECT key FROM link WHERE dispatch IS NOT NULL") == []
    assert [r["state"] for r in world.rows("SELECT state FROM run")] == ["failed"]
    told = [row["message"] for row in world.exceptions(category=Category.DRIFT)]
    assert told == ([f"customer__salesforce_to_erp stops: {raised.value}"] if error is SchemaDrift else [])

    setattr(system, switch, type(value)() if isinstance(value, bool) else None)
    assert world.run()["error"] is None
    assert world.exceptions() == []
    assert world.status("salesforce:1") == ("Synced", None)


def test_an_upgrade_can_be_run_again(hub_server: HubServer, world: World) -> None:
    accord = world.accord()
    assert accord.hub.upgrade() == accord.hub.expected_revision() == accord.hub.revision()
    assert json.dumps(accord.hub.revision())
