"""Tryton as a target of customers and a source of customer accounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from accord.errors import Stop
from accord.objects.customer import CUSTOMER
from accord.objects.customer_account import CUSTOMER_ACCOUNT
from accord.objects.definition import BusinessObject, Owner
from accord.ports import Check, Safety, Selection, Sending, Sink
from accord.settings import Connection
from accord.systems import erp_account
from accord.systems.collapsing import collapse_text, rebuilt, trimmed
from accord.systems.tryton.checking import check_tryton
from accord.systems.tryton.client import TrytonClient
from accord.systems.tryton.extracting import extract_accounts
from accord.systems.tryton.mapping import CUSTOMER_KEEPS
from accord.systems.tryton.places import Places
from accord.systems.tryton.reading import Parties, Suspects
from accord.systems.tryton.sending import PartySender


def open_tryton(name: str, connection: Connection) -> Tryton:
    """The adapter of the ERP called `name`; `connection` is of type http (see TrytonClient). It connects at first use."""
    return Tryton(name, TrytonClient(connection))


class Tryton:
    """`Target` of customer, `Source` of customer_account (accord.ports)."""

    side = Owner.ERP

    def __init__(self, name: str, client: TrytonClient) -> None:
        self._name, self._client = name, client
        self._places = Places(client)
        self._parties = Parties(client, self._places, name)
        self._suspects = Suspects(client)

    @property
    def name(self) -> str:
        return self._name

    @property
    def longest_request(self) -> timedelta:
        return self._client.longest

    def check(self, definitions: Mapping[str, BusinessObject]) -> Iterator[Check]:
        yield from check_tryton(self._client, self._name)

    def close(self) -> None:
        self._client.close()

    # ------------------------------------------------------------------------------------------- target of customer
    def safety(self, definition: BusinessObject) -> Safety:
        _only(definition, CUSTOMER)
        return Safety.ENFORCED_KEY  # party.code is unique

    def keeps(self, definition: BusinessObject) -> frozenset[str]:
        _only(definition, CUSTOMER)
        return CUSTOMER_KEEPS

    def collapse(self, definition: BusinessObject, table: pa.Table) -> pa.Table:
        """What Tryton can't tell apart: blanks around text, line breaks and tabs in a single line, empty and null; no
        legal name and the name; first and last name of a contact, which are one."""
        _only(definition, CUSTOMER)
        table = collapse_text(definition, table, _single_line)
        legal_name = pc.coalesce(table["legal_name"], table["name"])
        table = table.set_column(table.column_names.index("legal_name"), "legal_name", legal_name)
        place = table.column_names.index("contacts")
        return table.set_column(place, "contacts", _full_names(table["contacts"].combine_chunks()))

    def find_matches(self, definition: BusinessObject, candidates: pa.Table) -> pa.Table:
        return self._suspects.matches(self.collapse(definition, candidates))

    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        sender = PartySender(self._client, self._parties, self._places, sending)
        return sender.send(self.collapse(definition, changes))

    def read_back(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        _only(definition, CUSTOMER)
        return self._parties.canonical(wanted)

    def remote_ended(self, remote: str) -> bool:
        return True  # calls are synchronous: there are no jobs

    # ----------------------------------------------------------------------------------- source of customer_account
    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        _only(definition, CUSTOMER_ACCOUNT)
        return extract_accounts(self._client, self._name, selection, sink)

    def required_columns(self, definition: BusinessObject) -> Mapping[str, Mapping[str, pa.DataType]]:
        _only(definition, CUSTOMER_ACCOUNT)
        return erp_account.required_columns()

    def to_canonical(self, definition: BusinessObject, staged: Mapping[str, pa.Table], read_at: datetime) -> pa.Table:
        _only(definition, CUSTOMER_ACCOUNT)
        return erp_account.to_canonical(self._name, staged, read_at)

    def native_of(self, definition: BusinessObject, key: str) -> str:
        return key.partition(":")[2]


def _only(definition: BusinessObject, known: BusinessObject) -> None:
    if definition.name != known.name:
        raise Stop(f"Tryton has no {definition.name} in this direction.", cure="Correct the flow.")


def _single_line(path: str, column: pa.Array) -> pa.Array:
    """Streets have lines; in any other text Tryton takes no control characters that move the cursor."""
    return trimmed(
        path, column if path == "addresses.street" else pc.replace_substring_regex(column, "[\t\n\r\v\f]+", " ")
    )


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
