"""The interface tables as a target of customers and a source of customer accounts."""

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
from accord.routing import entities_of
from accord.settings import Connection
from accord.systems import erp_account
from accord.systems.collapsing import collapse_text
from accord.systems.interface_tables.checking import check_tables
from accord.systems.interface_tables.contract import CUSTOMER_KEEPS
from accord.systems.interface_tables.extracting import extract_accounts
from accord.systems.interface_tables.reading import find_customers, held_customers
from accord.systems.interface_tables.sending import send_customers
from accord.systems.interface_tables.session import Session


def open_interface_tables(name: str, connection: Connection) -> InterfaceTables:
    """The adapter of the ERP called `name`; `connection` is of type postgres. It connects at first use."""
    return InterfaceTables(name, Session(connection))


class InterfaceTables:
    """`Target` of customer, `Source` of customer_account (accord.ports)."""

    side = Owner.ERP

    def __init__(self, name: str, session: Session) -> None:
        self._name = name
        self._session = session

    @property
    def name(self) -> str:
        return self._name

    @property
    def longest_request(self) -> timedelta:
        return self._session.timeout + timedelta(seconds=5)  # the server gives a statement up by itself

    def check(self, definitions: Mapping[str, BusinessObject]) -> Iterator[Check]:
        yield from check_tables(self._session, self._name)

    def close(self) -> None:
        self._session.close()

    # ------------------------------------------------------------------------------------------- target of customer
    def safety(self, definition: BusinessObject) -> Safety:
        _only(definition, CUSTOMER)
        return Safety.ENFORCED_KEY  # external_ref is unique, and a request's key is

    def keeps(self, definition: BusinessObject) -> frozenset[str]:
        _only(definition, CUSTOMER)
        return CUSTOMER_KEEPS

    def collapse(self, definition: BusinessObject, table: pa.Table) -> pa.Table:
        """Blanks around text and empty text vanish; a legal name nobody gave is the name."""
        _only(definition, CUSTOMER)
        table = collapse_text(definition, table)
        legal_name = pc.coalesce(table["legal_name"], table["name"])
        return table.set_column(table.column_names.index("legal_name"), "legal_name", legal_name)

    def find_matches(self, definition: BusinessObject, candidates: pa.Table) -> pa.Table:
        return find_customers(self._session, self.collapse(definition, candidates))

    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        companies = [entity.company for entity in entities_of(self._name)]
        return send_customers(self._session, self._name, companies, self.collapse(definition, changes), sending)

    def read_back(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        _only(definition, CUSTOMER)
        return held_customers(self._session, self._name, wanted)

    def remote_ended(self, remote: str) -> bool:
        return True  # nothing runs on after the connection: the server ends the statement with it

    # ----------------------------------------------------------------------------------- source of customer_account
    def extract(self, definition: BusinessObject, selection: Selection, sink: Sink) -> datetime:
        _only(definition, CUSTOMER_ACCOUNT)
        return extract_accounts(self._session, self._name, selection, sink)

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
        raise Stop(f"The interface tables have no {definition.name} in this direction.", cure="Correct the flow.")
