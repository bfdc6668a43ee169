"""A party as Accord wants it and as Tryton holds it, and the values that lead from one to the other. No calls happen here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from accord.categories import Category
from accord.errors import Recovery
from accord.systems.results import Outcome
from accord.systems.tryton.customer.mapping import (
    ADDRESS_FIELDS,
    CONTACT_MECHANISMS,
    MECHANISM_FIELDS,
    OTHER,
    OWN_MECHANISMS,
    ROLES,
    code_of,
    identifier_type,
    key_of,
)
from accord.systems.tryton.customer.relations import Operation, Relation, Relations, changes, creations
from accord.systems.tryton.places import Places

Values = dict[str, Any]


class Impossible(Exception):
    """The record can't be said in Tryton's terms; `outcome` says why."""

    def __init__(self, category: Category, message: str) -> None:
        super().__init__(message)
        self.outcome = Outcome(outcome=Recovery.REJECT, category=category, message=message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """What Accord keeps of a party. Parts have an identity: the role of an address, (owner, type) of a mechanism."""

    name: str | None
    parent: int | None
    buys_from: frozenset[int] = frozenset()  # the companies' parties
    addresses: Mapping[str, Values] = field(default_factory=dict)
    mechanisms: Mapping[tuple[str, str], Values] = field(default_factory=dict)
    identifier: Values | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Party):
    """A party as Tryton holds it: with the ids of its parts. `spare` are mechanisms that say again what another says."""

    id: int
    code: str
    active: bool
    ids: Mapping[Any, int]  # identity of a part → its id
    parents: Mapping[int, int] = field(default_factory=dict)  # parent → id of the relation
    buying: tuple[Relation, ...] = ()  # relations to companies
    parent_code: str | None = None
    spare: tuple[int, ...] = ()


def wanted_party(row: Mapping[str, Any], parent: int | None, relations: Relations, places: Places) -> Party:
    """The party a canonical customer (collapsed) asks for. Raises Impossible."""
    mechanisms: dict[tuple[str, str], Values] = {}
    for name, kind in OWN_MECHANISMS.items():
        if row[name]:
            mechanisms[row["key"], kind] = _mechanism(kind, row[name], None, row["key"])
    for contact in row["contacts"] or ():
        comment = contact["id"] if contact["title"] is None else f"{contact['id']}\n{contact['title']}"
        ways = [(kind, contact[name]) for name, kind in CONTACT_MECHANISMS.items() if contact[name]]
        for kind, value in ways or [(OTHER, contact["last_name"])]:
            if (contact["id"], kind) in mechanisms:
                raise Impossible(Category.DUPLICATE_KEY, "Two contacts have the same id.")
            mechanisms[contact["id"], kind] = _mechanism(kind, value, contact["last_name"], comment)
    addresses: dict[str, Values] = {}
    for address in row["addresses"] or ():
        if address["role"] in addresses:
            raise Impossible(Category.DUPLICATE_KEY, "Two addresses have the same role.")
        addresses[address["role"]] = address_values(address, places)
    code = row["tax_registration"]
    identifier = {"type": identifier_type(code), "code": code} if code else None
    return Party(
        name=row["legal_name"],
        parent=parent,
        buys_from=frozenset(relations.companies[code] for code in row["legal_entities"] or ()),
        addresses=addresses,
        mechanisms=mechanisms,
        identifier=identifier,
    )


def held_party(row: Mapping[str, Any], relations: Relations) -> Held:
    """A party as `search_read` of PARTY_FIELDS gives it."""
    ids: dict[Any, int] = {}
    addresses: dict[str, Values] = {}
    for address in _oldest_first(row["addresses."]):
        for role, flag in ROLES.items():
            if address[flag] and role not in addresses and address["id"] not in ids.values():
                addresses[role] = {name: address[name] for name in ADDRESS_FIELDS}
                ids[role] = address["id"]
    mechanisms: dict[tuple[str, str], Values] = {}
    spare = []
    for mechanism in _oldest_first(row["contact_mechanisms."]):
        owner = (mechanism["comment"] or "").partition("\n")[0]
        identity = (owner, mechanism["type"])
        if ":" not in owner:
            continue  # the ERP's own
        if identity in mechanisms:
            spare.append(mechanism["id"])
            continue
        mechanisms[identity] = {name: mechanism[name] for name in MECHANISM_FIELDS}
        ids[identity] = mechanism["id"]
    identifier = next(iter(_oldest_first(row["identifiers."])), None)
    if identifier:
        ids["identifier"] = identifier["id"]
    related = _oldest_first(row["relations."])
    parents = {r["to"]: r["id"] for r in related if r["type"] == relations.above}
    companies = frozenset(relations.companies.values())
    buying = tuple(
        Relation(id=r["id"], to=r["to"], since=r["start_date"])
        for r in related
        if r["type"] == relations.buys and r["to"] in companies
    )
    codes = {r["to"]: (r["to."] or {}).get("code") for r in related}
    parent = next(iter(parents), None)
    return Held(
        id=row["id"],
        code=row["code"],
        active=row["active"],
        name=row["name"],
        parent=parent,
        parent_code=codes.get(parent) if parent is not None else None,
        addresses=addresses,
        mechanisms=mechanisms,
        identifier={"type": identifier["type"], "code": identifier["code"]} if identifier else None,
        ids=ids,
        parents=parents,
        buys_from=frozenset(one.to for one in buying),
        buying=buying,
        spare=tuple(spare),
    )


def creation(key: str, party: Party, relations: Relations) -> Values:
    """The values that create `party`."""
    return {
        "code": code_of(key),
        "name": party.name,
        "addresses": _creates(party.addresses.values()),
        "contact_mechanisms": _creates(party.mechanisms.values()),
        "identifiers": _creates([party.identifier] if party.identifier else []),
        "relations": creations(relations, party.parent, party.buys_from),
    }


def update(held: Held, party: Party, relations: Relations, today: date) -> Values:
    """The values that make `held` what `party` is, without the name, which is the ERP's; empty when nothing differs."""
    identifiers: dict[Any, Values] = {"identifier": held.identifier} if held.identifier else {}
    identifier: dict[Any, Values] = {"identifier": party.identifier} if party.identifier else {}
    values = {
        "addresses": _operations(held.addresses, party.addresses, held.ids),
        "contact_mechanisms": _operations(held.mechanisms, party.mechanisms, held.ids, held.spare),
        "identifiers": _operations(identifiers, identifier, held.ids),
        "relations": changes(relations, (held.parents, held.buying), (party.parent, party.buys_from), today),
    }
    return {name: operations for name, operations in values.items() if operations}


def canonical_row(key: str, held: Held, relations: Relations, places: Places, system: str) -> dict[str, Any]:
    """What `held` says, in canonical words."""
    own = {name: held.mechanisms.get((key, kind), {}).get("value") for name, kind in OWN_MECHANISMS.items()}
    parent = None
    if held.parent is not None:
        parent = key_of(held.parent_code) if held.parent_code else f"{system}:{held.parent}"
    return {
        "key": key,
        "native": str(held.id),
        "gone": not held.active,
        "legal_name": held.name,
        "parent": parent,
        "legal_entities": sorted(code for code, party in relations.companies.items() if party in held.buys_from)
        or None,
        "tax_registration": held.identifier["code"] if held.identifier else None,
        **own,
        "addresses": [canonical_address(role, values, places) for role, values in held.addresses.items()] or None,
        "contacts": _canonical_contacts(key, held.mechanisms) or None,
    }


def address_values(address: Mapping[str, Any], places: Places) -> Values:
    """The values of an address of a party, flagged for its role. Raises Impossible."""
    country = subdivision = None
    if address["country"]:
        country = places.country(address["country"])
        if country is None:
            raise Impossible(Category.REFERENCE_UNKNOWN, "The ERP does not know the country of an address.")
    if address["region"]:
        if country is None:
            raise Impossible(Category.MISSING_VALUE, "The ERP keeps no region of an address without its country.")
        subdivision = places.region(country, address["region"])
        if subdivision is None:
            raise Impossible(
                Category.REFERENCE_UNKNOWN, "The ERP does not know the region of an address in its country."
            )
    flags = {flag: role == address["role"] for role, flag in ROLES.items()}
    plain = {name: address[name] for name in ("street", "city", "postal_code")}
    return plain | {"country": country, "subdivision": subdivision} | flags


def canonical_address(role: str, values: Mapping[str, Any], places: Places) -> dict[str, Any]:
    """An address of a party in canonical words."""
    country, subdivision = values["country"], values["subdivision"]
    return {
        "role": role,
        "street": values["street"] or None,
        "city": values["city"] or None,
        "region": places.region_code(country, subdivision) if country and subdivision else None,
        "postal_code": values["postal_code"] or None,
        "country": places.country_code(country),
    }


def _mechanism(kind: str, value: str, name: str | None, comment: str) -> Values:
    return {"type": kind, "value": value, "name": name, "comment": comment}


def _canonical_contacts(key: str, mechanisms: Mapping[tuple[str, str], Values]) -> list[dict[str, Any]]:
    contacts: dict[str, dict[str, Any]] = {}
    fields = {kind: name for name, kind in CONTACT_MECHANISMS.items()}
    for (owner, kind), values in mechanisms.items():
        if owner == key:
            continue
        title = values["comment"].partition("\n")[2] or None
        blank = {
            "id": owner,
            "first_name": None,
            "last_name": values["name"],
            "email": None,
            "phone": None,
            "title": title,
        }
        contact = contacts.setdefault(owner, blank)
        if kind in fields:
            contact[fields[kind]] = values["value"]
    return list(contacts.values())


def _oldest_first(rows: Iterable[Mapping[str, Any]] | None) -> list[Mapping[str, Any]]:
    by_id: Callable[[Mapping[str, Any]], int] = lambda row: row["id"]  # noqa: E731 - typed for mypy
    return sorted(rows or (), key=by_id)


def _creates(values: Iterable[Values]) -> list[Operation]:
    made = list(values)
    return [["create", made]] if made else []


def _operations(
    held: Mapping[Any, Values], wanted: Mapping[Any, Values], ids: Mapping[Any, int], spare: tuple[int, ...] = ()
) -> list[Operation]:
    writes: list[Operation] = [
        ["write", [ids[identity]], changed]
        for identity, values in wanted.items()
        if identity in held
        and (changed := {n: v for n, v in values.items() if (held[identity][n] or None) != (v or None)})
    ]
    archived = [*(ids[identity] for identity in held if identity not in wanted), *spare]
    if archived:
        writes.append(["write", archived, {"active": False}])
    return writes + _creates(values for identity, values in wanted.items() if identity not in held)
