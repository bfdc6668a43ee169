"""Which canonical fields and constituents the org no longer has a place for, by its own description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from accord.errors import SchemaDrift
from accord.objects.definition import BusinessObject, FieldType, Owner
from accord.systems.salesforce.client import Client
from accord.systems.salesforce.describe import describe, retyped, unreadable
from accord.systems.salesforce.mapping import Reading, Writing, all_parts

Place = tuple[str, str, FieldType]  # object, its field (or Parent.Field), what is kept there


def places(reading: Reading, definition: BusinessObject) -> Iterator[tuple[str, Place]]:
    """(root field or constituent, one of its places) of everything that is read."""
    for name, column in reading.fields.items():
        yield name, (reading.sobject, column, definition.field(name).type)
    for group in reading.groups:
        kinds = {f.name: f.type for f in definition.constituent(group.constituent).fields}
        for columns in group.parts.values():
            for name, column in columns.items():
                yield group.constituent, (reading.sobject, column, kinds[name])
    for child in reading.children:
        kinds = {f.name: f.type for f in definition.constituent(child.constituent).fields}
        for name, column in child.fields.items():
            yield child.constituent, (child.sobject, column, kinds[name])


def kinds_of(readings: Sequence[Reading], definition: BusinessObject) -> dict[str, dict[str, FieldType]]:
    """Object → field → what is kept there. Not of fields whose words are translated: their type says nothing of what they mean."""
    kinds: dict[str, dict[str, FieldType]] = {}
    for reading in readings:
        for name, (sobject, column, kind) in places(reading, definition):
            if name not in reading.words:
                kinds.setdefault(sobject, {})[column] = kind
    return kinds


def not_as_was(client: Client, readings: Sequence[Reading], definition: BusinessObject) -> dict[str, list[str]]:
    """Object → its fields among those read that are missing, of another type or not permitted. Raises SchemaDrift for an object
    that is gone, if it is a root."""
    found = {}
    kinds = kinds_of(readings, definition)
    roots = {reading.sobject for reading in readings}
    for sobject, columns in all_parts(readings, definition).items():
        known = kinds.get(sobject, {})
        try:
            described = describe(client, sobject)
        except SchemaDrift:
            if sobject in roots:
                raise
            found[sobject] = [f"{sobject}.{column}" for column in known]
            continue
        found[sobject] = [*unreadable(client, described, columns), *retyped(described, known)]
    return found


def lacking_to_read(client: Client, readings: Sequence[Reading], definition: BusinessObject) -> dict[str, str]:
    """See accord.ports.Source.unreadable. What one of the readings lacks, the object goes without in all of them."""
    wrong = {column for columns in not_as_was(client, readings, definition).values() for column in columns}
    lacking: dict[str, str] = {}
    of_values = set()
    for name, (sobject, column, _) in (place for reading in readings for place in places(reading, definition)):
        # a field of the record referred to is named by that record's object
        said = {f"{sobject}.{column}", *(w for w in wrong if "." in column and w.endswith(f".{column.split('.')[-1]}"))}
        of_values |= said
        if said & wrong:
            lacking.setdefault(name, sorted(said & wrong)[0])
    return {} if wrong - of_values else lacking  # ids, stamps, parents: without them nothing can be read


def lacking_to_write(client: Client, writing: Writing, definition: BusinessObject) -> Mapping[str, str]:
    """See accord.ports.Target.unwritable: of the root's own fields, and of constituents that are records of their own. Where records
    are kept in several objects, what one of them has no place for is left out of all."""
    found: dict[str, str] = {}
    for one in (writing, *writing.instead.values()):
        lacking = _lacking_to_write(client, one, definition)
        if lacking is None:
            return {}
        found = lacking | found
    return found


def _lacking_to_write(client: Client, writing: Writing, definition: BusinessObject) -> dict[str, str] | None:
    """The same of one Salesforce object; None when what names a record is lacking."""
    sent = definition.sent_by(Owner.ERP, creating=True)
    right = "createable" if writing.external_id else "updateable"
    described = describe(client, writing.sobject)
    if writing.external_id and described.missing([writing.external_id], right):
        return None
    lacking = {
        name: f"{writing.sobject}.{column}"
        for name, column in writing.fields.items()
        if name in sent and described.missing([column], right)
    }
    for child in writing.children:
        if child.constituent in sent:
            try:
                part = describe(client, child.sobject)
            except SchemaDrift:
                lacking[child.constituent] = child.sobject
                continue
            columns = [*child.fields.values(), *([child.external_id] if child.external_id else [])]
            if missing := part.missing(columns, "createable" if child.external_id else "updateable"):
                lacking[child.constituent] = missing[0]
    return lacking
