"""Real systems, one set for the session; a hub, a legacy ERP and an empty org for every test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from accord.hub import Hub
from accord.pipeline import flow_run
from sandbox.erp.legacy.install import install
from sandbox.erp.server import Erp
from sandbox.stack.postgres import Server
from tests.integration.real import watching
from tests.integration.real.world import RealWorld
from tests.salesforce_org import Org, start_org
from tests.stack import TestStack

HUB, LEGACY, TRYTON = "real_hub_template", "real_legacy_template", "real_tryton"


@dataclass(frozen=True, slots=True)
class Systems:
    """What runs for the session."""

    org: Org
    erp: Erp
    server: Server
    numbers: Iterator[int]


@pytest.fixture(scope="session")
def systems(stack: TestStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systems]:
    server, erp = stack.postgres(), stack.fresh_erp(TRYTON)
    watching.watch(server.dsn(TRYTON), watching.TRYTON)
    for name in (HUB, LEGACY):
        server.create_database(name, drop=True)
    Hub(server.dsn(HUB)).upgrade()
    install(server.dsn(LEGACY))
    watching.watch(server.dsn(LEGACY), watching.LEGACY)
    org = start_org(tmp_path_factory.mktemp("org"))
    try:
        yield Systems(org, erp, server, itertools.count(1))
    finally:
        org.stop()


@pytest.fixture
def open_gates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gates that let everything pass, where they are not what is tested: they take half of a small run's time."""
    monkeypatch.setattr(flow_run, "gate", lambda *_: {})


@pytest.fixture
def world(systems: Systems, tmp_path: Path) -> Iterator[RealWorld]:
    number = next(systems.numbers)
    hub, legacy = f"real_hub_{number}", f"real_legacy_{number}"
    systems.server.create_database(hub, template=HUB, drop=True)
    systems.server.create_database(legacy, template=LEGACY, drop=True)
    systems.org.reset()
    world = RealWorld(
        org=systems.org,
        erp=systems.erp,
        server=systems.server,
        number=number,
        hub=hub,
        legacy=legacy,
        folder=tmp_path,
        people=systems.org.session(admin=True),
    )
    yield world
    world.rest()
