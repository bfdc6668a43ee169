"""What a story is played against: a hub, and real systems in the places of those in memory."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from accord.hub import Hub
from accord.objects.definition import Owner
from accord.settings import connection_from_environment, dsn
from accord.systems import open_system
from accord.systems.interface_tables.adapter import InterfaceTables
from sandbox.erp.legacy.install import install
from sandbox.stack import connections
from sandbox.stack.postgres import Server
from tests.faults.simulator import tables
from tests.faults.simulator.org import ACCORDS_VERSION, Ledger, OrgSource, OrgTarget
from tests.faults.simulator.org_orders import Orders
from tests.faults.simulator.play import Enter, in_memory_source
from tests.faults.simulator.schedule import MEMORY, ORG_AND_TABLES, Schedule
from tests.faults.simulator.stage import Stage
from tests.faults.simulator.tables import Books, BreakingSession, TablesTarget
from tests.salesforce_org import Org, start_org
from tests.world import TwoWay

HUB, LEGACY = "simulated_hub", "simulated_legacy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where stories are played one after the other. A process can be told of it. `against`: one of schedule.WORLDS; `environment`:
    the real systems' connections; `org`: the folder and the address of the local org."""

    against: str
    hub: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    org: tuple[Path, str] | None = None


@contextmanager
def places(server: Server, folder: Path, against: str, count: int) -> Iterator[list[Place]]:
    """That many places on one PostgreSQL, with what they need besides; ended at the end."""
    server.create_database(HUB, drop=True)
    Hub(server.dsn(HUB)).upgrade()
    with ExitStack() as stack:
        found = []
        for number in range(count):
            hub = f"{HUB}_{number}"
            server.create_database(hub, template=HUB, drop=True)
            if against == MEMORY:
                found.append(Place(against=against, hub=server.dsn(hub)))
                continue
            org = start_org(folder / f"org_{number}")
            stack.callback(shutil.rmtree, org.folder)
            stack.callback(org.stop)
            bodies = connections.of(server, None, org.http)
            bodies["accord_salesforce"]["extra"] |= {
                "api_version": ACCORDS_VERSION, "read_attempts": 2, "retry_wait_s": 0.001,
            }  # fmt: skip
            bodies["accord_legacy"]["schema"] = legacy = f"{LEGACY}_{number}"
            if against == ORG_AND_TABLES:
                server.create_database(legacy, drop=True)
                install(server.dsn(legacy))
                tables.watch(server.dsn(legacy))
            environment = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(body) for name, body in bodies.items()}
            found.append(
                Place(against=against, hub=server.dsn(hub), environment=environment, org=(org.folder, org.http))
            )
        yield found


@contextmanager
def real_systems(place: Place) -> Iterator[Mapping[str, Enter]]:
    """The systems of a place that are not in memory, each entering every story empty."""
    with ExitStack() as stack:
        real: dict[str, Enter] = {}
        if place.org:
            real["salesforce"] = stack.enter_context(_org(place))
        if place.against == ORG_AND_TABLES:
            real["legacy"] = stack.enter_context(_tables(place))
        yield real


@contextmanager
def _org(place: Place) -> Iterator[Enter]:
    assert place.org
    folder, http = place.org
    org = Org(folder=folder, options=[], http=http)
    adapter = open_system("salesforce", connection_from_environment("accord_salesforce", place.environment))
    with closing(adapter), org.session(admin=True) as people, closing(Ledger(org, people)) as ledger:

        def enter(stage: Stage, schedule: Schedule) -> TwoWay:
            org.reset()
            ledger.empty()
            orders = Orders(people, place.hub)
            source = OrgSource(
                org=org, people=people, adapter=adapter, stage=stage, skew=schedule.source_skew, orders=orders
            )
            target = OrgTarget(
                name="salesforce", side=Owner.SALESFORCE, adapter=adapter, stage=stage, witness=ledger, org=org
            )
            return TwoWay(source, target)  # type: ignore[arg-type]  # as good as those in memory

        yield enter


def legacy_dsn(place: Place) -> str:
    """The database of a place's legacy ERP."""
    return dsn(connection_from_environment("accord_legacy", place.environment))


@contextmanager
def _tables(place: Place) -> Iterator[Enter]:
    connection = connection_from_environment("accord_legacy", place.environment)
    session = BreakingSession(connection)
    adapter = InterfaceTables("legacy", session)
    with closing(adapter), closing(Books(legacy_dsn(place))) as books:

        def enter(stage: Stage, schedule: Schedule) -> TwoWay:
            books.empty()
            target = TablesTarget(name="legacy", adapter=adapter, stage=stage, witness=books, session=session)
            return TwoWay(in_memory_source("legacy", stage, schedule), target)  # type: ignore[arg-type]  # as above

        yield enter
