"""What the ERPs must hold of the org's accounts, and what they do hold: read past Accord, compared field by field.

Where a system can't tell things apart the expectation is written here again, on purpose not with Accord's own code: blanks
around a text vanish, empty is absent; Tryton keeps one line (but for streets) and one name of a contact.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.integration.real.world import RealWorld

ENTITIES = {"tryton": {"NL01", "GB01"}, "legacy": {"US01"}}
_RELATION, _BUYS = "is subsidiary of", "is customer of"
_ADDRESS = ("Street", "City", "State", "PostalCode", "CountryCode")
_SOQL = (  # our own words
    "SELECT Id, IsDeleted, Name, Legal_Name__c, ParentId, CurrencyIsoCode, Tax_Registration__c, Phone, Website, Legal_Entities__c, "  # noqa: S608
    + ", ".join(f"{kind}{part}" for kind in ("Billing", "Shipping") for part in _ADDRESS)
    + ", (SELECT Id, FirstName, LastName, Email, Phone, Title FROM Contacts) FROM Account"
)

Record = dict[str, Any]


def complaints(world: RealWorld, *, seeds: bool = True) -> list[str]:
    """What is lost, double or different in the ERPs among the customers no exception speaks of; [] when all is well.

    `seeds`: legal names were never changed in the org, so that what was typed first is still what must be there.
    """
    waiting = world.exceptions()
    found = []
    for target, entities in ENTITIES.items():
        said = {row["Id"]: row for row in world.people.soql(_SOQL)}
        held = tryton_customers(world, list(said)) if target == "tryton" else legacy_customers(world)
        for account, row in said.items():
            wanted = bool(entities & _entities(row))
            about = [e for e in waiting.get(f"salesforce:{account}", []) if e["target"] in ("", target)]
            there = held.get(account, [])
            if len(there) > 1:
                found.append(f"{target} has {account} {len(there)} times")
            elif about:
                found += [f"{target} has {account}, which is {about[0]['category']}"] * len(there)
                found += [f"{account} waits without a reason"] * (not about[0]["message"] or not about[0]["category"])
            elif wanted and not there:
                found.append(f"{target} has lost {account}")
            elif there and not wanted and there[0]["active"]:
                found.append(f"{target} has {account}, which does not buy there")
            elif wanted:
                found += _different(target, account, there[0], _expected(target, row, said), seeds)
        found += [
            f"{target} has {account}, which Salesforce has not"
            for account in held.keys() - said.keys()
            if held[account][0]["active"]
        ]
    return found


def _different(target: str, account: str, held: Record, expected: Record, seeds: bool) -> Iterator[str]:
    for name, value in expected.items():
        if (name != "legal_name" or seeds) and held[name] != value:
            yield f"{target}: {name} of {account} is {held[name]!r}, not {value!r}"


# ---------------------------------------------------------------------------------------------------- what must be there
def _expected(target: str, row: Record, said: dict[str, Record]) -> Record:
    line = _one_line if target == "tryton" else _plain
    above = said.get(row["ParentId"] or "")
    parent_there = above is not None and bool(ENTITIES[target] & _entities(above))
    people = {c["Id"]: c for c in (row["Contacts"] or {"records": []})["records"]}
    expected = {
        "active": True,
        "legal_name": line(row["Legal_Name__c"]) or line(row["Name"]),
        "parent": row["ParentId"] if parent_there else None,
        "tax_registration": line(row["Tax_Registration__c"]),
        "phone": line(row["Phone"]),
        "website": line(row["Website"]),
        "addresses": {
            role: parts
            for role, kind in (("bill_to", "Billing"), ("ship_to", "Shipping"))
            if any(parts := (_plain(row[f"{kind}Street"]), *(line(row[f"{kind}{part}"]) for part in _ADDRESS[1:])))
        },
    }
    if target == "tryton":
        return expected | {
            "legal_entities": sorted(ENTITIES[target] & _entities(row)),
            "contacts": {
                who: (
                    " ".join(filter(None, (line(c["FirstName"]), line(c["LastName"])))),
                    line(c["Email"]),
                    line(c["Phone"]),
                    line(c["Title"]),
                )
                for who, c in people.items()
            },
        }
    return expected | {
        "name": line(row["Name"]),
        "country": row["BillingCountryCode"],
        "currency": row["CurrencyIsoCode"],
        "contacts": {
            who: tuple(line(c[name]) for name in ("FirstName", "LastName", "Email", "Phone", "Title"))
            for who, c in people.items()
        },
    }


def _entities(account: Record) -> set[str]:
    return set((account["Legal_Entities__c"] or "").split(";"))


def _plain(text: str | None) -> str | None:
    return (text or "").strip() or None


def _one_line(text: str | None) -> str | None:
    return _plain(re.sub("[\t\n\r\v\f]+", " ", text or ""))


# ------------------------------------------------------------------------------------------------------- what is there
def legacy_customers(world: RealWorld) -> dict[str, list[Record]]:
    """The legacy ERP's customers by their account's id, from its own tables."""
    with psycopg.connect(world.server.dsn(world.legacy), row_factory=dict_row) as session:
        rows = session.execute(
            "SELECT c.*, p.external_ref AS parent FROM erp.customer c LEFT JOIN erp.customer p ON p.customer_number = c.parent_number"
        ).fetchall()
        addresses = session.execute("SELECT * FROM erp.customer_address").fetchall()
        contacts = session.execute("SELECT * FROM erp.customer_contact").fetchall()
    found: dict[str, list[Record]] = {}
    for row in rows:
        number = row["customer_number"]
        record = dict(row) | {
            "parent": _bare(row["parent"]),
            "addresses": {
                a["role"]: (a["street"], a["city"], a["region"], a["postal_code"], a["country"])
                for a in addresses
                if a["customer_number"] == number
            },
            "contacts": {
                _bare(c["external_ref"]): (c["first_name"], c["last_name"], c["email"], c["phone"], c["title"])
                for c in contacts
                if c["customer_number"] == number
            },
        }
        found.setdefault(_bare(row["external_ref"]) or number, []).append(record)
    return found


def tryton_customers(world: RealWorld, accounts: list[str]) -> dict[str, list[Record]]:
    """Tryton's parties of these accounts by the account's id, over its own interface. Others' parties are not looked at."""
    client = world.erp.client("admin")
    fields = ["code", "name", "active", "identifiers.code", "relations.type.name", "relations.to.code"]
    fields += [f"addresses.{f}" for f in ("street", "city", "postal_code", "invoice", "delivery")]
    fields += ["addresses.subdivision.name", "addresses.country.code"]
    fields += [f"contact_mechanisms.{f}" for f in ("type", "value", "name", "comment")]
    domain = [("code", "in", accounts), ("active", "in", [True, False])]
    found: dict[str, list[Record]] = {}
    for row in client.call("model.party.party.search_read", domain, 0, None, None, fields):
        found.setdefault(row["code"], []).append(_party(row))
    return found


def _party(row: Record) -> Record:
    mechanisms = row["contact_mechanisms."] or []
    own = {m["type"]: m["value"] for m in mechanisms if m["comment"] == f"salesforce:{row['code']}"}
    contacts: dict[str, list[str | None]] = {}
    for one in mechanisms:
        who, _, title = (one["comment"] or "").partition("\n")
        if who == f"salesforce:{row['code']}" or ":" not in who:
            continue
        known = contacts.setdefault(_bare(who) or "", [one["name"], None, None, title or None])
        if one["type"] in ("email", "phone"):
            known[1 if one["type"] == "email" else 2] = one["value"]
    above = [r["to."]["code"] for r in row["relations."] or [] if r["type."]["name"] == _RELATION]
    return {
        "active": row["active"],
        "legal_name": row["name"],
        "parent": above[0] if above else None,
        "legal_entities": sorted(r["to."]["code"] for r in row["relations."] or [] if r["type."]["name"] == _BUYS),
        "tax_registration": next((i["code"] for i in row["identifiers."] or []), None),
        "phone": own.get("phone"),
        "website": own.get("website"),
        "addresses": {
            "bill_to" if a["invoice"] else "ship_to": (
                a["street"] or None,
                a["city"] or None,
                (a["subdivision."] or {}).get("name"),
                a["postal_code"] or None,
                (a["country."] or {}).get("code"),
            )
            for a in row["addresses."] or []
        },
        "contacts": {who: tuple(values) for who, values in contacts.items()},
    }


def _bare(key: str | None) -> str | None:
    return key.partition(":")[2] if key else None
