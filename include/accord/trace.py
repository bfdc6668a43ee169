"""The whole life of a record across the systems, on one timeline: what was found, sent, refused, decided, undone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from accord.errors import Stop
from accord.hub.audit import audit
from accord.hub.history import found, history, related
from accord.images import GONE, field_changes, field_path
from accord.lineage import lineage
from accord.masking import masked
from accord.objects import business_object
from accord.objects.definition import BusinessObject
from accord.records import correlation_id
from accord.runtime import Accord
from accord.systems.places import systems


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field of a delivery: what it was and became, as the target was told; `read` and `written` name the systems' fields."""

    field: str
    before: Any
    after: Any
    read: str
    written: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a record. `who` is a person, or the run's kind; `basis` says where the values before are known
    from (created, applied, read, unknown)."""

    at: datetime
    what: str
    key: str
    object: str
    text: str
    who: str = ""
    run: int | None = None
    correlation: str | None = None
    basis: str = ""
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The life of `keys`, which is what was asked for, with that of `belonging` records."""

    asked: str
    keys: tuple[str, ...]
    belonging: tuple[str, ...]
    events: tuple[Event, ...]


def trace(accord: Accord, text: str, *, values: bool = False, who: str = "") -> Trace:
    """The life of the record `text` names: by canonical id, by a system's own id (`tryton:12`, or `12`), by its number.

    Personal and financial values are masked, unless `values`: that `who` looked at them is kept. Raises Stop when nothing is known
    of it.
    """
    with accord.hub.session() as session:
        keys = found(session, text, systems())
        if not keys:
            raise Stop(
                f"Nothing is known of {text}.",
                cure="Give the canonical id (salesforce:<id>), a system's own id, or the number of the document.",
            )
        whole = related(session, keys)
        if values:
            audit(session, who, "values looked at", whole, {})
        parts = history(session, whole)
    events = sorted(_events(parts, values=values), key=lambda e: e.at)
    return Trace(asked=text, keys=tuple(keys), belonging=tuple(k for k in whole if k not in keys), events=tuple(events))


def _events(parts: Mapping[str, list[dict[str, Any]]], *, values: bool) -> Iterator[Event]:
    changes: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for row in parts["changes"]:
        changes.setdefault((row["dispatch"], row["key"]), []).append(row)
    for row in parts["deliveries"]:
        yield _delivery(row, changes.get((row["dispatch"], row["key"]), []), values=values)
    for row in parts["findings"]:
        text = f"{row['gate']} gate: {row['title'] or row['category']} ({row['category']})"
        yield Event(
            at=row["at"], what="finding", key=row["key"], object=row["flow"].partition("__")[0], text=text,
            who=row["kind"], run=row["run"],
        )  # fmt: skip
    for row in parts["exceptions"]:
        yield from _exception(row)
    for row in parts["approvals"]:
        word = "approved" if row["approved"] else "refused"
        yield Event(
            at=row["at"], what="decision", key=row["key"], object=row["object"], who=row["who"],
            text=f"{word}: {row['rule']}" + (f" ({row['why']})" if row["why"] else ""),
        )  # fmt: skip
    for row in parts["steps"]:
        text = f"{row['step']}, {row['status']}" + (f": {row['why']}" if row["why"] else "")
        yield Event(at=row["at"], what="process", key=row["key"], object=row["name"], text=text, who=row["who"])
    for row in parts["audit"]:
        yield Event(at=row["at"], what="audit", key=row["key"], object="", text=_deed(row), who=row["who"])


def _deed(row: Mapping[str, Any]) -> str:
    detail = row["detail"] or {}
    text = f"{row['what']}: {', '.join(sorted(detail['fields']))}" if "fields" in detail else str(row["what"])
    return f"{text} ({detail['why']})" if detail.get("why") else text


def _delivery(row: Mapping[str, Any], changes: list[dict[str, Any]], *, values: bool) -> Event:
    text = f"{row['flow']} → {row['target']}: {row['outcome']}"
    if row["outcome"] == "applied":
        text += f" as {row['native']}"
    if row["undoes"]:
        text += f", undoing run {row['undoes']}"
    version = row["version"].astimezone(UTC).isoformat() if row["version"] else ""
    return Event(
        at=row["at"],
        what="delivery",
        key=row["key"],
        object=row["object"],
        text=text,
        who=row["kind"],
        run=row["run"],
        correlation=str(correlation_id(row["object"], row["key"], version)),
        basis=changes[0]["basis"] if changes else "",
        fields=tuple(_fields(row, changes, values=values)),
    )


def _fields(row: Mapping[str, Any], changes: list[dict[str, Any]], *, values: bool) -> Iterator[FieldChange]:
    definition = business_object(row["object"])
    source = row["flow"].partition("__")[2].partition("_to_")[0]
    ways = {way.field: way for way in lineage(row["object"]) if (way.source, way.target) == (source, row["target"])}
    for change in sorted(changes, key=lambda c: c["personal"]):
        for path, before, after in field_changes(change["before"], change["after"]):
            name = field_path(path)
            way = ways.get(name)
            yield FieldChange(
                field=path,
                before=before if values else _shown(definition, name, before),
                after=after if values else _shown(definition, name, after),
                read=way.read if way else "",
                written=way.written if way else "",
                rule=way.rule if way else "",
            )


def _shown(definition: BusinessObject, name: str, value: Any) -> Any:
    if name == GONE:
        return value
    try:
        return masked(definition, name, value)
    except KeyError:  # the definition has no such field any more, nor says how sensitive it was
        return None if value is None else "(not declared)"


def _exception(row: Mapping[str, Any]) -> Iterator[Event]:
    where = f" in {row['target']}" if row["target"] else ""
    common = {"key": row["key"], "object": row["object"], "run": row["run"], "correlation": row["correlation"]}
    answer = f" [{row['answer']}]" if row["answer"] else ""
    yield Event(
        at=row["opened"], what="exception",
        text=f"{row['kind']}{where}: {row['category']} ({row['queue']}): {row['message']}{answer}", **common,
    )  # fmt: skip
    if row["closed"]:
        tries = f" after {row['attempts']} tries" if row["attempts"] > 1 else ""
        text = f"closed{where}{tries}: {row['category']}: {row['resolution']}"
        yield Event(at=row["closed"], what="exception", text=text, **common)
