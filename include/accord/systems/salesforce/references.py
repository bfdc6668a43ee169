"""References to other records: whether they can be written yet, and as which canonical ids they are read back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import Field, Reference, Unknown
from accord.systems.collapsing import flat
from accord.systems.results import Outcome, awaits_parent
from accord.systems.salesforce.mappings import WRITINGS


def key_path(kind: Reference, column: str) -> str | None:
    """Where a query finds the canonical key of the record that `column` refers to: in the external id it is written by.

    None for an object that is not written by external id: its records' own Ids are their keys. The relationship is
    called like the field (SOQL and SOSL Reference, "Understanding Relationship Names").
    """
    writing = WRITINGS.get(kind.object)
    if writing is None or writing.external_id is None:
        return None
    custom = column.endswith("__c")
    return f"{column[:-1]}r.{writing.external_id}" if custom else f"{column.removesuffix('Id')}.{writing.external_id}"


def key_paths(fields: Iterable[tuple[Field, str]]) -> dict[str, pa.DataType]:
    """The columns a query needs beside those of `fields` so that their references can be told."""
    found = [key_path(field.type, column) for field, column in fields if isinstance(field.type, Reference)]
    return {path: pa.string() for path in found if path}


def canonical_ids(name: str, kind: Reference, column: str, rows: pa.Table) -> pa.Array:
    """The canonical ids of the records `column` refers to: the key they are written by, else this org's own Id."""
    own = pc.binary_join_element_wise(name, flat(rows[column]), ":")
    path = key_path(kind, column)
    return own if path is None else pc.coalesce(flat(rows[path]), own)


def missing(fields: Iterable[Field], rows: pa.Table) -> dict[int, Outcome]:
    """Row → held, for rows that refer to a record that is not in Salesforce and may not go without it."""
    found: dict[int, Outcome] = {}
    for field in fields:
        if isinstance(field.type, Reference) and field.type.unknown is not Unknown.OMIT:
            absent = pc.and_(pc.is_valid(flat(rows[field.name])), pc.is_null(flat(rows[f"{field.name}__native"])))
            for at in pc.indices_nonzero(absent).to_pylist():
                found.setdefault(at, awaits(field.type, rows[field.name][at].as_py()))
    return found


def awaits(kind: Reference, key: str) -> Outcome:
    """Held until the record `key` is in Salesforce."""
    return replace(awaits_parent(key), message=f"The {kind.object} it belongs to is not in Salesforce yet.")


def gone_reference(
    fields: Iterable[tuple[Field, str]], named: frozenset[str], values: Iterable[str | None]
) -> Outcome | None:
    """Held for the reference Salesforce says is deleted: the one it named, else the first that is required.

    `values` are the record's canonical references, in the order of the reference fields among `fields`.
    """
    pairs = [(field, field.type, column) for field, column in fields if isinstance(field.type, Reference)]
    known = [(*pair, value) for pair, value in zip(pairs, values, strict=True) if value]
    chosen = [k for k in known if k[2] in named] or [k for k in known if k[0].required]
    return awaits(chosen[0][1], chosen[0][3]) if chosen else None
