"""`accord systems`, and what `accord status` and `accord doctor` say of a system that takes no calls."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accord.breaker import State
from accord.cli import main
from accord.doctor import examine
from accord.hub import systems
from tests.world import World

TOMORROW = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%MZ}"
SUNDAYS = {"cron": "0 2 * * SUN", "minutes": 1, "zone": "Europe/Amsterdam"}


@pytest.fixture
def environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connections, as the command finds them."""
    hub = world.hub_connection
    body = {"conn_type": "postgres", "host": hub.host, "port": hub.port, "login": hub.login, "password": hub.password}
    monkeypatch.setenv("AIRFLOW_CONN_ACCORD_HUB", json.dumps(body | {"schema": hub.schema}))
    for name, extra in (("salesforce", {}), ("tryton", {"maintenance": [SUNDAYS]}), ("legacy", {"maintenance": 7})):
        monkeypatch.setenv(
            f"AIRFLOW_CONN_ACCORD_{name.upper()}",
            json.dumps({"conn_type": "generic", "host": "nowhere", "extra": extra}),
        )
    monkeypatch.setenv("ACCORD_HOME", str(world.folder))


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("environment")
def test_hold_and_release(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    held = said(capsys, "systems", "hold", "salesforce", "--until", TOMORROW, "--why", "migration")
    assert [(row["system"], row["shut"]) for row in held][:2] == [("salesforce", "held"), ("tryton", None)]
    (status,) = [row for row in said(capsys, "status")["systems"] if row["system"] == "salesforce"]
    assert "migration" in status["message"]
    assert main(["run", "customer__salesforce_to_erp"]) == 1
    assert "SystemShut: salesforce is held by" in capsys.readouterr().err
    assert main(["run", "customer__salesforce_to_erp", "--scheduled"]) == 0, "cron wakes nobody"
    assert "salesforce is held by" in capsys.readouterr().out

    released = said(capsys, "systems", "release", "salesforce")
    assert {row["shut"] for row in released} == {None}
    assert [row["what"] for row in world.rows("SELECT what FROM audit ORDER BY at")] == [
        "system held",
        "system released",
    ]
    assert main(["systems", "hold", "tryton", "--until", "2020-01-01", "--why", "x"]) == 1
    assert "Give --until an instant to come" in capsys.readouterr().err


@pytest.mark.usefixtures("environment")
def test_what_people_read(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    hub = world.accord().hub
    for _ in range(3):
        systems.failed(hub, "salesforce", "a", systems.Failure.OUTAGE, world.accord().rules)
    systems.told_usage(hub, "salesforce", 80, 100)
    assert main(["systems", "list"]) == 0
    salesforce, tryton, legacy = capsys.readouterr().out.splitlines()
    assert salesforce.startswith("salesforce: salesforce failed too often (outage): nothing is sent before")
    assert salesforce.endswith("80 of 100 requests used, kept back from bulk flows")
    assert tryton.startswith("tryton: takes calls; next maintenance 20")
    assert "maintenance of the connection accord_legacy: is no list" in legacy
    main(["status"])
    assert salesforce in capsys.readouterr().out

    assert said(capsys, "systems", "release", "salesforce", "--why", "it is back")[0]["breaker"] == "closed"
    assert systems.state_of(hub, "salesforce").breaker.state is State.CLOSED


def test_the_doctor_says_it_too(world: World) -> None:
    world.extras["accord_tryton"] = {"maintenance": [{"cron": "* * * * *", "minutes": 60, "zone": "UTC"}]}
    world.extras["accord_legacy"] = {"maintenance": [{"cron": "at night"}]}
    hub = world.accord().hub
    until = systems.state_of(hub, "salesforce").now + timedelta(hours=1)
    systems.hold(hub, "salesforce", until=until, who="ada", why="migration")
    found = {name: check for name, check in examine(world.accord()) if check.subject == "takes calls"}
    assert {name: check.ok for name, check in found.items()} == {"salesforce": False, "tryton": True, "legacy": False}
    assert "accord systems release salesforce" in found["salesforce"].cure
    assert "is in maintenance until" in found["tryton"].found, "declared, and no finding"
    assert "neither cron and minutes nor from and to" in found["legacy"].found
