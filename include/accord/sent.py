"""What was sent when a target answered with an exception: the record as it was in the staged changes, as long as those are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accord.batch import StagedFile
from accord.errors import Stop
from accord.masking import masked
from accord.objects import business_object
from accord.objects.definition import BusinessObject
from accord.runtime import Accord


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request about one record: when, in which dispatch and remote job, and its fields, masked by their sensitivity. `gone` says why
    the fields can't be shown any more."""

    at: datetime
    target: str
    dispatch: int
    remote: str | None
    fields: tuple[tuple[str, Any], ...] = ()
    gone: str = ""


def sent(accord: Accord, row: Mapping[str, Any]) -> Sent | None:
    """What was sent about the record of the exception `row` (accord.hub.queue.one); None when nothing was: a gate held it back, or it
    waits."""
    if row["dispatch"] is None:
        return None
    with accord.hub.session() as session:
        found = session.execute(
            "SELECT d.opened, d.remote, d.file, s.target, s.object FROM dispatch d JOIN stream s ON s.id = d.stream WHERE d.id = %s",
            (row["dispatch"],),
        ).fetchone()
    if found is None:
        return None
    known = {
        "at": found["opened"], "target": found["target"], "dispatch": row["dispatch"], "remote": found["remote"],
    }  # fmt: skip
    try:
        changes = accord.staging.read(StagedFile(**found["file"]), key=row["key"])
    except Stop as gone:
        return Sent(**known, gone=str(gone.args[0]))
    definition = business_object(found["object"])
    for record in changes.to_pylist()[:1]:
        return Sent(**known, fields=tuple(_fields(definition, record)))
    return Sent(**known, gone="The staged changes have no such record.")


def _fields(definition: BusinessObject, record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for field in definition.fields:
        if record.get(field.name) is not None:
            yield field.name, masked(definition, field.name, record[field.name])
    for constituent in definition.constituents:
        for part in record.get(constituent.name) or ():
            for field in constituent.fields:
                if part.get(field.name) is not None:
                    path = f"{constituent.name}.{field.name}"
                    shown = masked(definition, path, part[field.name])
                    yield f"{constituent.name}[{part[constituent.key]}].{field.name}", shown
