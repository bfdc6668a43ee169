"""Which service listens where. All on 127.0.0.1.

A port is, in this order: ``ACCORD_PORT_<NAME>`` from the environment, the one this home remembers, the default below.
A home in *any free* mode (tests, or ``ACCORD_PORTS=any``) takes a free port at first use and remembers it.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import psutil

from sandbox.stack.errors import PortTaken, StackError
from sandbox.stack.home import locked, read_json, write_whole

LOOPBACK = "127.0.0.1"

DEFAULTS: Mapping[str, int] = MappingProxyType(
    {
        "postgres": 15432,
        "tryton": 18000,
        "salesforce_http": 8180,
        "salesforce_https": 8143,
        "salesforce_proxy": 8181,
        "airflow": 8080,
    }
)


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free for a server
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def any_free() -> int:
    """A port nobody listens on now, given by the kernel."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def variable(name: str) -> str:
    """The environment variable that moves a port."""
    return f"ACCORD_PORT_{name.upper()}"


def holder(port: int) -> str:
    """Who listens on a port, in words; empty when the machine does not tell."""
    try:
        listening = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return ""
    for connection in listening:
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
            try:
                return (
                    f" by {psutil.Process(connection.pid).name()} (process {connection.pid})" if connection.pid else ""
                )
            except psutil.Error:
                return ""
    return ""


def require_free(name: str, port: int) -> None:
    """Refuse a port that another program holds.

    Raises:
        PortTaken: naming the port, its holder where known, and the variable that moves it.
    """
    if not is_free(port):
        raise PortTaken(
            f"Port {port} ({name}) is already in use{holder(port)}: end that program or set {variable(name)} to another port."
        )


class Ports:
    """The ports of one home.

    Args:
        home: the sandbox home.
        free: choose free ports instead of the defaults, and remember that this home does so.
    """

    def __init__(self, home: Path, *, free: bool = False) -> None:
        self._home = home
        self._path = home / "ports.json"
        self._free = free or os.environ.get("ACCORD_PORTS") == "any"

    def get(self, name: str, *, held: bool = False) -> int:
        """The port of ``name``.

        Args:
            held: our own service listens there now, so a remembered port stays even though it is taken.

        Raises:
            StackError: an override is no port number, or the name is unknown.
        """
        override = os.environ.get(variable(name))
        if override:
            if not override.isdigit() or not 0 < int(override) < 65536:
                raise StackError(f"{variable(name)} must be a port number between 1 and 65535, not {override!r}.")
            return int(override)
        if name not in DEFAULTS:
            raise StackError(f"No port is called {name!r}: the names are {', '.join(DEFAULTS)}.")
        known = read_json(self._path)
        if not (self._free or known.get("free")):
            return DEFAULTS[name]
        remembered = known.get(name)
        if isinstance(remembered, int) and (held or is_free(remembered)):
            return remembered
        with locked(self._home, "ports"):
            known = read_json(self._path) | {"free": True}
            taken = {value for value in known.values() if isinstance(value, int)}
            port = any_free()
            while port in taken:
                port = any_free()
            write_whole(self._path, json.dumps(known | {name: port}, indent=1) + "\n")
        return port
