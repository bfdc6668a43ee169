"""Where each canonical field lives in each system, read off the mappings: for documentation and lineage."""

from __future__ import annotations

from accord.routing import LEGAL_ENTITIES
from accord.systems.interface_tables.contract import ACCOUNT_COLUMNS, CUSTOMER_COLUMNS, CUSTOMER_PARTS
from accord.systems.salesforce.mappings import READINGS, WRITINGS
from accord.systems.tryton.mapping import PLACES as TRYTON_PLACES


def places(system: str, object_name: str) -> dict[str, str]:
    """Dotted path of the canonical field → where `system` keeps it; {} where the system does not have the object."""
    if system == "salesforce":
        return _salesforce(object_name)
    if system == "tryton":
        return TRYTON_PLACES.get(object_name, {})
    if system == "legacy":
        return _interface_tables(object_name)
    raise KeyError(f"no mapping is known for system {system!r}")


def systems() -> tuple[str, ...]:
    """Salesforce and every ERP of the routing."""
    return ("salesforce", *dict.fromkeys(entity.system for entity in LEGAL_ENTITIES))


def _salesforce(object_name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    if reading := READINGS.get(object_name):
        found |= {name: f"{reading.sobject}.{column}" for name, column in reading.fields.items()}
        for group in reading.groups:
            for columns in group.parts.values():
                for name, column in columns.items():
                    path = f"{group.constituent}.{name}"
                    place = f"{reading.sobject}.{column}"
                    found[path] = f"{found[path]}, {place}" if path in found else place
        for child in reading.children:
            found |= {f"{child.constituent}.{name}": f"{child.sobject}.{c}" for name, c in child.fields.items()}
    if writing := WRITINGS.get(object_name):
        found |= {name: f"{writing.sobject}.{column}" for name, column in writing.fields.items()}
        for part in writing.children:
            found |= {f"{part.constituent}.{name}": f"{part.sobject}.{c}" for name, c in part.fields.items()}
    return found


def _interface_tables(object_name: str) -> dict[str, str]:
    if object_name == "customer":
        found = {name: f"inbound.customer.{column}" for name, column in CUSTOMER_COLUMNS.items()}
        found["parent"] = "inbound.customer.parent_ref, parent_number"
        for part, (table, columns) in CUSTOMER_PARTS.items():
            found |= {f"{part}.{name}": f"inbound.{table}.{column}" for name, column in columns.items()}
        return found
    if object_name == "customer_account":
        names = {"company": "legal_entity", "flagged": "credit_hold"}  # what the staged columns become
        found = {names.get(n, n): f"outbound.customer_account.{column}" for n, column in ACCOUNT_COLUMNS.items()}
        return found | {"risk": "derived from credit_hold, overdue and credit_limit", "risk_level": "derived from risk"}
    return {}
