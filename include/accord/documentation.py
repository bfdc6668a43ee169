"""The documentation of the business objects, derived from definitions and mappings: a page and a contract per object."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from accord.errors import Stop
from accord.flows import flows_of
from accord.objects import OBJECTS
from accord.objects.definition import (
    BusinessObject,
    Choice,
    ChoiceSet,
    DuplicateRule,
    Field,
    Money,
    Number,
    Reference,
    Text,
)
from accord.objects.schema_contract import breaking_changes, contract
from accord.systems.places import places, systems


def documents() -> Iterator[tuple[str, str]]:
    """(file name, content) of every page and contract."""
    yield "README.md", _index()
    for definition in OBJECTS.values():
        yield f"{definition.name}.md", page(definition)
        yield f"{definition.name}.v{definition.version}.json", json.dumps(contract(definition), indent=2) + "\n"


def write_documents(folder: Path) -> list[str]:
    """Write what differs below `folder` and return its names.

    Raises Stop, having written nothing, when a contract would change incompatibly under the same version.
    """
    for definition in OBJECTS.values():
        published = folder / f"{definition.name}.v{definition.version}.json"
        if published.exists() and (broken := breaking_changes(json.loads(published.read_text()), contract(definition))):
            raise Stop(
                f"The contract of {definition.name} changes incompatibly: {'; '.join(broken)}.",
                cure=f"Raise its version to {definition.version + 1}, so that readers can choose.",
            )
    changed = []
    for name, content in documents():
        path = folder / name
        if not path.exists() or path.read_text() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            changed.append(name)
    return changed


def page(definition: BusinessObject) -> str:
    """The page of one object in Markdown."""
    where = {system: places(system, definition.name) for system in systems()}
    lines = [f"# {definition.name}", "", definition.meaning, "", f"Contract version {definition.version}: "
             f"[{definition.name}.v{definition.version}.json]({definition.name}.v{definition.version}.json).", ""]  # fmt: skip
    if flows := flows_of(definition.name):
        lines += ["| flow | from | to | schedule (UTC) |", "|---|---|---|---|"]
        lines += [f"| `{f.name}` | {f.source} | {', '.join(f.targets)} | `{f.schedule}` |" for f in flows]
        lines.append("")
    lines += _table("Fields", "", definition.fields, where)
    for part in definition.constituents:
        lines += _table(f"{part.name}: {part.meaning}", f"{part.name}.", part.fields, where)
    if definition.duplicate_rules:
        rules = "; ".join(_duplicates(rule) for rule in definition.duplicate_rules)
        lines += [f"Held as possible duplicates before they are created: the same {rules}.", ""]
    counting = [
        *definition.amounts,
        *([f"{definition.worth.name} ({definition.worth.meaning})"] if definition.worth else []),
    ]
    if counting:
        lines += [f"Counts for completeness: {', '.join(counting)}, per currency.", ""]
    if definition.ordered:
        lines += ["Delivered in order: what comes after a refusal waits until that is replayed or discarded.", ""]
    return "\n".join(lines)


def _duplicates(rule: DuplicateRule) -> str:
    unless = f", unless both have a {rule.unless_differ} and these differ" if rule.unless_differ else ""
    return f"{' and '.join(rule.fields)}{unless}"


def _table(title: str, prefix: str, fields: tuple[Field, ...], where: dict[str, dict[str, str]]) -> list[str]:
    shown = [system for system, found in where.items() if found]
    head = ["field", "meaning", "type", "owner", "sensitivity", *shown]
    lines = [f"## {title}", "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for field in fields:
        owner = field.owner.value + (f", seeded by {field.seeded_by.value}" if field.seeded_by else "")
        kept = [f"`{where[s][prefix + field.name]}`" if prefix + field.name in where[s] else "" for s in shown]
        required = " (required)" if field.required else ""
        row = [f"`{field.name}`{required}", field.meaning, _type(field), owner, field.sensitivity.value, *kept]
        lines.append(f"| {' | '.join(row)} |")
    return [*lines, ""]


def _type(field: Field) -> str:
    match field.type:
        case Text(limit=limit):
            return f"text, {limit}"
        case Choice(values=values) | ChoiceSet(values=values):
            kind = "one of" if isinstance(field.type, Choice) else "any of"
            return f"{kind} {', '.join(values)}" if len(values) <= 6 else f"{kind} {len(values)} codes"
        case Money(digits=digits, scale=scale, currency=currency):
            return f"decimal({digits}, {scale}) in `{currency}`"
        case Number(digits=digits, scale=scale):
            return f"number({digits}, {scale})"
        case Reference(object=name):
            return f"→ {name}"
        case _:
            return type(field.type).__name__.lower()


def _index() -> str:
    lines = ["# Business objects", "", "Made by `accord docs` from the definitions and mappings; don't edit by hand.", "",
             "| object | version | meaning |", "|---|---|---|"]  # fmt: skip
    lines += [f"| [{o.name}]({o.name}.md) | {o.version} | {o.meaning} |" for o in OBJECTS.values()]
    return "\n".join([*lines, ""])
