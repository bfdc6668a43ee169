"""Customers as a target."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import BusinessObject
from accord.ports import Check, Safety, Sending
from accord.routing import entities_of
from accord.systems.collapsing import collapse_text, flat, rebuilt, trimmed
from accord.systems.erp import TargetHandler
from accord.systems.tryton.context import Context
from accord.systems.tryton.customer.mapping import ABOVE, BUYS, KEEPS, NEEDS, PLACES
from accord.systems.tryton.customer.reading import Parties
from accord.systems.tryton.customer.sending import PartySender
from accord.systems.tryton.customer.suspects import Suspects


class Customers(TargetHandler[Context]):
    """Parties of Tryton, kept as Salesforce's customers."""

    safety = Safety.ENFORCED_KEY  # party.code is unique
    keeps = KEEPS
    places = PLACES
    needs = NEEDS

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._parties = Parties(context)
        self._suspects = Suspects(context.client)

    def collapse(self, definition: BusinessObject, table: pa.Table) -> pa.Table:
        """What Tryton can't tell apart: blanks around text, line breaks and tabs in a single line, empty and null; no
        legal name and the name; first and last name of a contact, which are one; legal entities whose books are elsewhere."""
        table = collapse_text(definition, table, _single_line)
        legal_name = pc.coalesce(table["legal_name"], table["name"])
        table = table.set_column(table.column_names.index("legal_name"), "legal_name", legal_name)
        place = table.column_names.index("legal_entities")
        table = table.set_column(place, "legal_entities", _own(self._context.name, flat(table["legal_entities"])))
        place = table.column_names.index("contacts")
        return table.set_column(place, "contacts", _full_names(table["contacts"].combine_chunks()))

    def find_matches(self, definition: BusinessObject, candidates: pa.Table) -> pa.Table:
        """Same tax registration; same name and an address in the same country."""
        return self._suspects.matches(candidates)

    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        """See PartySender."""
        return PartySender(self._context, self._parties, sending).send(changes)

    def read_back(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        """By id where it is known, else by code."""
        return self._parties.canonical(definition, wanted)

    def census(self) -> Iterator[pa.Table]:
        """By party code."""
        return self._parties.census()

    def checks(self) -> Iterator[Check]:
        """The relations to a parent and to the companies."""
        search = "model.party.relation.type.search_read"
        for name in (ABOVE, BUYS):
            subject = f"{self._context.name}: relation {name!r}"
            found = self._context.client.call(search, [["name", "=", name]], 0, None, None, ["reverse"])
            if len(found) == 1 and found[0]["reverse"]:
                yield Check(subject=subject, ok=True, found="set up with its reverse")
            else:
                cure = "Create it, with its reverse, in the party configuration."
                yield Check(subject=subject, ok=False, found="not set up", cure=cure)


def _single_line(path: str, column: pa.Array) -> pa.Array:
    """Streets have lines; in any other text Tryton takes no control characters that move the cursor."""
    return trimmed(
        path, column if path == "addresses.street" else pc.replace_substring_regex(column, "[\t\n\r\v\f]+", " ")
    )


def _own(system: str, entities: pa.ListArray) -> pa.ListArray:
    """Of every record's legal entities those whose books `system` keeps, sorted; none is null."""
    own = [entity.code for entity in entities_of(system)]
    return pa.array([sorted({*row} & {*own}) or None if row else None for row in entities.to_pylist()], entities.type)


def _full_names(contacts: pa.ListArray) -> pa.ListArray:
    parts = pc.list_flatten(contacts)
    fields = list(contacts.type.value_type)
    columns = {field.name: pc.struct_field(parts, field.name) for field in fields}
    columns["last_name"] = pc.binary_join_element_wise(
        columns["first_name"], columns["last_name"], " ", null_handling="skip"
    )
    columns["first_name"] = pa.nulls(len(parts), pa.string())
    structs = pa.StructArray.from_arrays([columns[field.name] for field in fields], fields=fields)
    return rebuilt(contacts, structs)
