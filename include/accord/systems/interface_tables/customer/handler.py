"""Customers as a target."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from accord.objects.definition import BusinessObject
from accord.ports import Safety, Sending
from accord.routing import entities_of
from accord.systems.collapsing import collapse_text
from accord.systems.erp import TargetHandler
from accord.systems.interface_tables.census import counted
from accord.systems.interface_tables.context import Context
from accord.systems.interface_tables.customer.mapping import INBOX, KEEPS, NEEDS, PLACES
from accord.systems.interface_tables.customer.reading import find_customers, held_customers
from accord.systems.interface_tables.sending import Columns, Post


class Customers(TargetHandler[Context]):
    """The ERP's customers, kept as Salesforce's."""

    safety = Safety.ENFORCED_KEY  # external_ref is unique, and a request's key is
    keeps = KEEPS
    places = PLACES
    needs = NEEDS

    def collapse(self, definition: BusinessObject, table: pa.Table) -> pa.Table:
        """Blanks around text and empty text vanish; a legal name nobody gave is the name."""
        table = collapse_text(definition, table)
        legal_name = pc.coalesce(table["legal_name"], table["name"])
        return table.set_column(table.column_names.index("legal_name"), "legal_name", legal_name)

    def find_matches(self, definition: BusinessObject, candidates: pa.Table) -> pa.Table:
        """By the ERP's search relation."""
        return find_customers(self._context.session, candidates)

    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        """One batch."""
        return Post(self._context.session, self._context.name, INBOX, self._own).send(changes, sending)

    def read_back(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        """By number where it is known, else by external reference."""
        return held_customers(self._context.session, self._context.name, definition, wanted)

    def census(self) -> Iterator[pa.Table]:
        """By external reference."""
        return counted(self._context.session, "outbound.customer", "customer_number", sql.SQL("NOT active"))

    def _own(self, changes: pa.Table) -> Columns:
        companies = ",".join(entity.company for entity in entities_of(self._context.name))
        return {
            "customer_number": changes["native"],
            "companies": pa.repeat(f"{{{companies}}}", changes.num_rows),
            "parent_ref": changes["parent"],
            "parent_number": changes["parent__native"],
        }
