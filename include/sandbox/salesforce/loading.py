"""Loads records from files into a new org, as the administrator.

- ``.json``: an sObject tree, ``{"records": [{"attributes": {"type": "Account", "referenceId": "a1"}, ...}]}``; a value
  ``"@a1"`` is the id of the record with that reference; children may be nested under their relationship name.
- ``.jsonl``: one such record per line.
- ``<Object>.csv``: a header of field names; ``Parent.External_Id__c`` columns refer to parents.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.org import Org
from sandbox.salesforce.records.drafts import Draft, Operation, Reader
from sandbox.salesforce.schema.model import Object

_AT_ONCE = 2000
_PLACE = ("LOAD", "/sandbox/load")


class LoadError(ValueError):
    """A file could not be loaded; the message names file, record and reason."""


def load(org: Org, paths: Sequence[Path]) -> int:
    """Load files in the order given and return the number of records.

    Raises:
        LoadError: A file is malformed or a record was refused; nothing of that file is kept.
    """
    total = 0
    references: dict[str, str] = {}
    for path in paths:
        try:
            with org.store.write():
                if path.suffix == ".csv":
                    total += _csv(org, path)
                else:
                    total += _records(org, _read(path), references)
        except ApiError as error:
            raise LoadError(f"{path}: {error.message}") from error
        except (KeyError, ValueError) as error:
            raise LoadError(f"{path}: {error}") from error
    return total


def _object(org: Org, name: str) -> Object:
    found = org.schema.object(name)
    if found is None:
        raise LoadError(f"there is no object {name}")
    return found


def _keep(org: Org, obj: Object, drafts: list[Draft]) -> None:
    org.save(org.admin, obj, Operation.INSERT, drafts, place=_PLACE)
    for number, draft in enumerate(drafts, 1):
        if draft.errors:
            raise LoadError(f"{obj.name} record {number} of its group: {draft.errors[0].as_bulk()}")


def _csv(org: Org, path: Path) -> int:
    obj = _object(org, path.stem.split(".")[-1])
    reader = Reader(org.schema, org.admin, obj, Operation.INSERT)
    count = 0
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        columns = reader.columns(next(rows))
        while batch := list(islice(rows, _AT_ONCE)):
            _keep(org, obj, reader.from_csv(columns, batch))
            count += len(batch)
    return count


def _read(path: Path) -> Iterator[dict[str, Any]]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        yield from (json.loads(line) for line in text.splitlines() if line.strip())
    else:
        yield from json.loads(text)["records"]


def _records(org: Org, records: Iterator[dict[str, Any]], references: dict[str, str]) -> int:
    count = 0
    group: list[dict[str, Any]] = []
    for record in records:
        # Runs of the same type go in together; a reference or nested children need the record's id at once.
        if group and (
            group[0]["attributes"]["type"] != record["attributes"]["type"]
            or len(group) >= _AT_ONCE
            or any(isinstance(v, str) and v.startswith("@") and v[1:] not in references for v in record.values())
        ):
            count += _group(org, group, references)
            group = []
        group.append(record)
    return count + (_group(org, group, references) if group else 0)


def _group(org: Org, group: list[dict[str, Any]], references: dict[str, str]) -> int:
    obj = _object(org, group[0]["attributes"]["type"])
    reader = Reader(org.schema, org.admin, obj, Operation.INSERT)
    plain = [
        {
            key: references.get(value[1:], value) if isinstance(value, str) and value.startswith("@") else value
            for key, value in record.items()
            if not _nested(value)
        }
        for record in group
    ]
    drafts = reader.from_json(plain)
    _keep(org, obj, drafts)
    count = len(group)
    for record, draft in zip(group, drafts, strict=True):
        name = record["attributes"].get("referenceId")
        if name and draft.id:
            references[name] = draft.id
        for key, value in record.items():
            if _nested(value):
                count += _children(org, obj, draft.id or "", key, value["records"], references)
    return count


def _nested(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("records"), list)


def _children(
    org: Org, parent: Object, record: str, name: str, children: list[dict[str, Any]], references: dict[str, str]
) -> int:
    relation = next(
        (c for c in org.schema.children(parent) if (c.field.child_relationship or "").lower() == name.lower()), None
    )
    if relation is None:
        raise LoadError(f"{parent.name} has no child relationship {name}")
    return _records(org, iter([{**child, relation.field.name: record} for child in children]), references)
