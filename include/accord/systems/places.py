"""Where each canonical field lives in each system, read off the mappings: for documentation and lineage."""

from __future__ import annotations

from importlib import import_module

from accord.routing import erps
from accord.systems import ADAPTERS
from accord.systems.salesforce.mappings import READINGS, WRITINGS


def places(system: str, object_name: str) -> dict[str, str]:
    """Dotted path of the canonical field → where `system` keeps it; {} where the system does not have the object."""
    if system == "salesforce":
        return _salesforce(object_name)
    if system not in ADAPTERS:
        raise KeyError(f"no mapping is known for system {system!r}")
    found: dict[str, str] = import_module(ADAPTERS[system].partition(":")[0]).places(object_name)
    return found


def systems() -> tuple[str, ...]:
    """Salesforce and every ERP of the routing."""
    return ("salesforce", *erps())


def _salesforce(object_name: str) -> dict[str, str]:
    read: dict[str, list[str]] = {}
    for reading in READINGS.get(object_name, ()):
        for name, column in reading.fields.items():
            read.setdefault(name, []).append(f"{reading.sobject}.{column}")
        for group in reading.groups:
            for columns in group.parts.values():
                for name, column in columns.items():
                    read.setdefault(f"{group.constituent}.{name}", []).append(f"{reading.sobject}.{column}")
        for child in reading.children:
            for name, column in child.fields.items():
                read.setdefault(f"{child.constituent}.{name}", []).append(f"{child.sobject}.{column}")
    found = {path: ", ".join(places) for path, places in read.items()}
    if writing := WRITINGS.get(object_name):
        found |= {name: f"{writing.sobject}.{column}" for name, column in writing.fields.items()}
        for part in writing.children:
            found |= {f"{part.constituent}.{name}": f"{part.sobject}.{c}" for name, c in part.fields.items()}
    return found
