"""What `up` starts, in order: PostgreSQL with its databases, Tryton, the Salesforce org.

Airflow is in a module of its own (``airflow``), as it also needs the connections file written here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from sandbox.erp import server as erp_server
from sandbox.erp.legacy.install import install as install_legacy
from sandbox.erp.server import Erp
from sandbox.stack import connections, postgres
from sandbox.stack.errors import StackError
from sandbox.stack.home import CHECKOUT, folder, locked
from sandbox.stack.ports import LOOPBACK, Ports
from sandbox.stack.postgres import Server
from sandbox.stack.probe import answers
from sandbox.stack.processes import Processes

POSTGRES, TRYTON, SALESFORCE = "postgres", "tryton", "salesforce"
NAMES = (POSTGRES, TRYTON, SALESFORCE)
HUB, LEGACY, AIRFLOW = "accord_hub", "legacy", "airflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What was started; asking for a service that was not is a StackError."""

    home: Path
    found_postgres: Server | None = None
    found_erp: Erp | None = None
    salesforce_port: int | None = None

    @property
    def postgres(self) -> Server:
        """The PostgreSQL server."""
        if self.found_postgres is None:
            raise StackError("PostgreSQL was not started: add postgres to the services.")
        return self.found_postgres

    @property
    def erp(self) -> Erp:
        """The Tryton server."""
        if self.found_erp is None:
            raise StackError("Tryton was not started: add tryton to the services.")
        return self.found_erp

    @property
    def salesforce_url(self) -> str:
        """The Salesforce org over plain HTTP."""
        if self.salesforce_port is None:
            raise StackError("The Salesforce org was not started: add salesforce to the services.")
        return f"http://{LOOPBACK}:{self.salesforce_port}"


def up(
    home: Path,
    services: Collection[str] = NAMES,
    *,
    careless: bool = False,
    free_ports: bool = False,
    shared: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Running:
    """Have these services run, and write ``<home>/connections.env`` for them. What runs already is left as it is.

    Args:
        home: the sandbox home.
        services: names out of ``NAMES``; Tryton brings PostgreSQL with it.
        careless: test settings of PostgreSQL: faster, nothing survives a crash of the machine.
        free_ports: take any free ports instead of the configured ones.
        shared: the home whose ERP template and environment are used; ``home`` when not given.
        tell: hears, in words, what takes long.

    Raises:
        StackError: with the cure in its message.
    """
    unknown = set(services) - set(NAMES)
    if unknown:
        raise StackError(f"No service is called {', '.join(sorted(unknown))}: the names are {', '.join(NAMES)}.")
    with locked(home, "up", waiting=tell):
        server = erp = port = None
        if POSTGRES in services or TRYTON in services:
            server = postgres.ensure_running(home, careless=careless, free_port=free_ports, tell=tell)
            for database in (HUB, LEGACY, AIRFLOW):
                server.create_database(database)
            install_legacy(server.dsn(LEGACY))
        if TRYTON in services and server:
            erp = erp_server.ensure_running(home, server, shared=shared, free_port=free_ports, tell=tell)
        if SALESFORCE in services:
            port = _salesforce(home, free_ports)
        running = Running(home=home, found_postgres=server, found_erp=erp, salesforce_port=port)
        found = connections.of(server, erp, running.salesforce_url if port else None)
        connections.write(home, found | (connections.metrics(home) if server else {}))
        return running


def _salesforce(home: Path, free_ports: bool) -> int:
    """Start the org, with its data and our metadata; the port it answers on over HTTP."""
    keeper, ports = Processes(home), Ports(home, free=free_ports)
    held = keeper.is_running(SALESFORCE)
    port, https_port, proxy_port = (
        ports.get(name, held=held) for name in ("salesforce_http", "salesforce_https", "salesforce_proxy")
    )
    data = folder(home, SALESFORCE)
    argv: list[str | Path] = [sys.executable, "-m", "sandbox.salesforce"]
    argv += ["--data", data / "org.sqlite", "--metadata", CHECKOUT / "include" / "salesforce_metadata"]
    argv += ["--http-port", str(port), "--https-port", str(https_port), "--proxy-port", str(proxy_port)]
    argv += ["--port-file", data / "ports.json"]
    keeper.start(
        SALESFORCE,
        argv,
        env={"PYTHONPATH": str(CHECKOUT / "include")} | connections.salesforce_login(os.environ),
        cwd=data,
        ready=lambda: answers(f"http://{LOOPBACK}:{port}/services/data"),
        timeout=30,
        ports={"salesforce_http": port, "salesforce_https": https_port, "salesforce_proxy": proxy_port},
    )
    return port
