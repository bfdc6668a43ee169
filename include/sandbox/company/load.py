"""Brings rows into an org as an administrator would: through its API, and only what is not there yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.company.org import Org
from sandbox.company.rows import Fields, Row


@dataclass(slots=True, kw_only=True)
class Loaded:
    """What loading did. `refused` has the org's reason for each row number it would not take."""

    accounts: int = 0
    contacts: int = 0
    there_before: int = 0
    ids: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        told = f"{self.accounts} accounts and {self.contacts} contacts created, {self.there_before} accounts were there"
        return f"{told}, {len(self.refused)} refused by the org" if self.refused else told


def load(org: Org, rows: Sequence[Row], *, key: str = "AccountNumber", prefix: str = "MI-") -> Loaded:
    """Have every row in the org. What is there is left as it is, so that loading twice changes nothing.

    Parents are created before their children; a row that is its own ancestor gets its parent afterwards.

    Args:
        key: the Account field that holds a row's number.
        prefix: what the numbers of this sample begin with, and nobody else's.

    Raises:
        OrgRefused: the org can't be reached or refused a whole call.
    """
    done = Loaded()
    soql = f"SELECT Id, ParentId, {key} FROM Account WHERE {key} LIKE '{prefix}%'"  # noqa: S608 - our own words
    known = {one[key]: one for one in org.query(soql)}
    done.ids = {number: one["Id"] for number, one in known.items()}
    done.there_before = len(known)
    new = [row for row in rows if row.number not in known]
    level: list[Row]
    waiting = new
    while level := [
        row for row in waiting if row.parent is None or row.parent in done.ids or row.parent in done.refused
    ]:
        _create_accounts(org, level, key, done)
        waiting = [row for row in waiting if row.number not in done.ids and row.number not in done.refused]
    _create_accounts(org, waiting, key, done, with_parent=False)  # what is left stands in loops
    looped = [row for row in waiting if row.number in done.ids] + [
        row for row in rows if row.parent and row.number in known and not known[row.number]["ParentId"]
    ]
    _set_parents(org, looped, done)
    _create_contacts(org, rows, key, prefix, done)
    return done


def _create_accounts(org: Org, rows: Sequence[Row], key: str, done: Loaded, *, with_parent: bool = True) -> None:
    records: list[dict[str, object]] = []
    for row in rows:
        record: dict[str, object] = {"attributes": {"type": "Account"}, key: row.number, **row.fields}
        if with_parent and row.parent and row.parent in done.ids:
            record["ParentId"] = done.ids[row.parent]
        records.append(record)
    for row, result in zip(rows, org.create(records), strict=True):
        if result["success"]:
            done.ids[row.number] = result["id"]
            done.accounts += 1
        else:
            done.refused[row.number] = _reason(result)


def _set_parents(org: Org, rows: Sequence[Row], done: Loaded) -> None:
    pairs = [(row, done.ids[row.parent]) for row in rows if row.parent and row.parent in done.ids]
    records = [
        {"attributes": {"type": "Account"}, "id": done.ids[row.number], "ParentId": parent} for row, parent in pairs
    ]
    for (row, _), result in zip(pairs, org.update(records), strict=True):
        if not result["success"]:
            done.refused[row.number] = _reason(result)


def _create_contacts(org: Org, rows: Iterable[Row], key: str, prefix: str, done: Loaded) -> None:
    soql = f"SELECT AccountId, FirstName, LastName FROM Contact WHERE Account.{key} LIKE '{prefix}%'"  # noqa: S608 - our own words
    known = {(one["AccountId"], *_name(one)) for one in org.query(soql)}
    wanted: list[tuple[Row, Fields]] = [
        (row, contact)
        for row in rows
        if row.number in done.ids
        for contact in row.contacts
        if (done.ids[row.number], *_name(contact)) not in known
    ]
    records = [
        {"attributes": {"type": "Contact"}, "AccountId": done.ids[row.number], **contact} for row, contact in wanted
    ]
    for (row, _), result in zip(wanted, org.create(records), strict=True):
        if result["success"]:
            done.contacts += 1
        else:
            done.refused[f"{row.number} contact"] = _reason(result)


def _name(contact: Mapping[str, Any]) -> tuple[str, str]:
    """What tells an account's contacts apart, as the org keeps it: without blanks around it."""
    return (contact.get("FirstName") or "").strip(), contact["LastName"].strip()


def _reason(result: dict[str, object]) -> str:
    errors = result["errors"]
    assert isinstance(errors, list)  # noqa: S101 - the shape of a save result
    return "; ".join(f"{error['statusCode']}: {error['message']}" for error in errors)
