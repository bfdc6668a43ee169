"""The systems Accord speaks to: one folder per kind of system, one registered opener per system of the landscape."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from accord.settings import Connection

# system → module:opener, imported when the system is first used
ADAPTERS: dict[str, str] = {
    "salesforce": "accord.systems.salesforce.adapter:open_salesforce",
    "tryton": "accord.systems.tryton.adapter:open_tryton",
    "legacy": "accord.systems.interface_tables.adapter:open_interface_tables",
}


def open_system(name: str, connection: Connection) -> Any:
    """The adapter of the system called `name`; it connects at first use.

    It is a `Source`, a `Target` or both (accord.ports). Raises KeyError naming the known systems.
    """
    try:
        module, _, opener = ADAPTERS[name].partition(":")
    except KeyError:
        raise KeyError(f"unknown system {name!r}; known: {', '.join(ADAPTERS)}") from None
    return getattr(import_module(module), opener)(name, connection)
