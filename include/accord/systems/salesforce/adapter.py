"""Salesforce behind the ports: a source of customers, a target of customer accounts and sync status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from accord.errors import Stop
from accord.objects.definition import BusinessObject, Owner
from accord.ports import Check, Safety, Selection, Sending, Sink
from accord.settings import Connection
from accord.systems.collapsing import flat
from accord.systems.salesforce.bulk_ingest import ingest_ended
from accord.systems.salesforce.census import census
from accord.systems.salesforce.client import Client
from accord.systems.salesforce.collapsing import collapsed
from accord.systems.salesforce.doctor import check
from accord.systems.salesforce.extract import affected, extract
from accord.systems.salesforce.ids import long_id
from accord.systems.salesforce.kinds import by_kind, own_lookups
from accord.systems.salesforce.lacking import lacking_to_read, lacking_to_write
from accord.systems.salesforce.mapping import Writing, all_parts
from accord.systems.salesforce.mappings import readings_of, writing_of
from accord.systems.salesforce.options import options_of
from accord.systems.salesforce.read_back import read_back
from accord.systems.salesforce.requests import requests
from accord.systems.salesforce.send import send


def open_salesforce(name: str, connection: Connection) -> Salesforce:
    """The adapter of one org; it logs in at first use. Raises Stop when the connection's settings are unusable."""
    return Salesforce(name, Client(options_of(connection)))


class Salesforce:
    """`accord.ports.Source` and `accord.ports.Target` for one org.

    It can't tell blanks around text, empty text from null, an unchecked box from none, or fractions of a second: see
    `collapse`.
    """

    side = Owner.SALESFORCE

    def __init__(self, name: str, client: Client) -> None:
        self.name, self.client = name, client

    def check(self, definitions: Mapping[str, BusinessObject]) -> Iterator[Check]:
        """The lines of `accord doctor`."""
        return check(self.client, self.name, definitions)

    def close(self) -> None:
        """Let go of connections."""
        self.client.close()

    @property
    def usage(self) -> tuple[int, int] | None:
        """(used, allowed) requests of the day, as the org's last answer told."""
        return self.client.usage

    def current_usage(self) -> tuple[int, int] | None:
        """The same as of now, for one request more."""
        self.client.json("/limits")
        return self.client.usage

    # --------------------------------------------------------------------------------------------------- source
    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        """Whole roots that changed in the window, or those named; see accord.systems.salesforce.extract."""
        return extract(self.client, definition, readings_of(definition), selection, sink)

    def affected(self, definition: BusinessObject, natives: Sequence[str], selection: Selection) -> tuple[str, ...]:
        """Those whose reading takes a field of another record that changed in the window."""
        return affected(self.client, readings_of(definition), natives, selection)

    def roots(self, definition: BusinessObject) -> tuple[str, ...]:
        """The Salesforce objects it is read from."""
        return tuple(reading.sobject for reading in readings_of(definition))

    def unreadable(self, definition: BusinessObject) -> Mapping[str, str]:
        """What the org no longer shows, or shows as another type."""
        return lacking_to_read(self.client, readings_of(definition), definition)

    def required_columns(self, definition: BusinessObject) -> Mapping[str, Mapping[str, pa.DataType]]:
        """Salesforce object → column → staged type, the root's first."""
        return all_parts(readings_of(definition), definition)

    def to_canonical(self, definition: BusinessObject, staged: Mapping[str, pa.Table], read_at: datetime) -> pa.Table:
        """The staged chunk as a canonical table with `problems`."""
        return requests(self.name, definition, readings_of(definition), staged, read_at)

    def native_of(self, definition: BusinessObject, key: str) -> str:
        """The 18-character id in a canonical id of this org. Raises Stop for any other text."""
        origin, _, native = key.partition(":")
        if origin != self.name:
            raise Stop(f"A key of {definition.name} does not come from {self.name}.", cure=f"Write {self.name}:<id>.")
        return long_id(native)

    # --------------------------------------------------------------------------------------------------- target
    @property
    def longest_request(self) -> timedelta:
        """As long as Salesforce lets a request run."""
        return self.client.options.longest_request

    def safety(self, definition: BusinessObject) -> Safety:
        """The external id is unique in the org; what has none is only ever updated. Parts are always a full set."""
        return Safety.ENFORCED_KEY if writing_of(definition).external_id else Safety.FULL_SET_UPDATE

    def keeps(self, definition: BusinessObject) -> frozenset[str]:
        """The fields the mapping has a place for."""
        return writing_of(definition).kept

    def fills_in(self, definition: BusinessObject) -> frozenset[str]:
        """Nothing."""
        return frozenset()

    def collapse(self, definition: BusinessObject, table: pa.Table) -> pa.Table:
        """`table` with everything Salesforce can't distinguish made equal."""
        return collapsed(definition, writing_of(definition), table)

    def find_matches(self, definition: BusinessObject, candidates: pa.Table) -> pa.Table:
        """None: what is created here belongs to a record that is known, and its external id is unique."""
        writing_of(definition)
        if definition.duplicate_rules:
            raise Stop(f"{definition.name} can't be searched for duplicates in Salesforce yet.", cure="Add a search.")
        return pa.schema([("key", pa.string()), ("native", pa.string()), ("rule", pa.string())]).empty_table()

    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        """Create, update or deactivate; see accord.systems.salesforce.send."""
        writing = writing_of(definition)
        table = own_lookups(definition, self._with_natives(writing, collapsed(definition, writing, changes)))
        return pa.concat_tables(
            send(self.client, self.name, definition, one, rows, sending) for one, rows in by_kind(writing, table)
        )

    def unwritable(self, definition: BusinessObject) -> Mapping[str, str]:
        """What the org no longer takes."""
        return lacking_to_write(self.client, writing_of(definition), definition)

    def read_back(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        """What the org holds for `wanted`."""
        writing = writing_of(definition)
        table = self._with_natives(writing, wanted)
        found = (read_back(self.client, self.name, definition, one, rows) for one, rows in by_kind(writing, table))
        return collapsed(definition, writing, pa.concat_tables(found))

    def census(self, definition: BusinessObject) -> Iterator[pa.Table]:
        """Every record with a key, where records have one of their own."""
        return census(self.client, writing_of(definition))

    def remote_ended(self, remote: str) -> bool:
        """Whether the bulk jobs of a sending can no longer change anything; aborts those that have not begun."""
        return ingest_ended(self.client, remote)

    def _with_natives(self, writing: Writing, table: pa.Table) -> pa.Table:
        """`native` of the record to write on where none is created: the one referred to, or the one the key names."""
        if writing.external_id:
            return table
        natives = flat(table["native"])
        if writing.addressed_by is None:
            own = pa.array([self._own_id(key) for key in flat(table["key"]).to_pylist()], pa.string())
            natives = pc.coalesce(flat(table["native"]), own)
        elif (column := f"{writing.addressed_by}__native") in table.column_names:
            natives = flat(table[column])
        return table.set_column(table.column_names.index("native"), "native", natives)

    def _own_id(self, key: str) -> str | None:
        """The id in a key of this org; None for any other key."""
        origin, _, native = key.partition(":")
        try:
            return long_id(native) if origin == self.name else None
        except Stop:
            return None
