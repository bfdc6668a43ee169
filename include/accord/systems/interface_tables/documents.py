"""Documents sent to the ERP with their lines: orders, contracts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from accord.objects.definition import BusinessObject
from accord.ports import Safety, Sending
from accord.routing import entities_in
from accord.systems.collapsing import flat
from accord.systems.erp import TargetHandler
from accord.systems.interface_tables.census import counted
from accord.systems.interface_tables.context import Context
from accord.systems.interface_tables.contract import Inbox
from accord.systems.interface_tables.held import Held
from accord.systems.interface_tables.sending import Columns, Post
from accord.systems.results import applied, results


class DocumentTarget(TargetHandler[Context]):
    """Sends what `inbox` declares, one document for each record of Salesforce, and reads back what `held` declares."""

    safety = Safety.ENFORCED_KEY  # external_ref is unique
    inbox: ClassVar[Inbox]
    held: ClassVar[Held]

    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        """One batch. The lines sent are the whole set: what is left out is dropped. What is gone and was never there needs nothing."""
        doubtful = changes.filter(pc.and_(pc.fill_null(changes["gone"], False), pc.is_null(changes["native"])))
        never = pa.nulls(0, pa.string())
        if doubtful.num_rows:
            there = self.read_back(definition, doubtful.select(["key", "native"]))["key"]
            keys = flat(doubtful["key"])
            never = keys.filter(pc.invert(pc.is_in(keys, value_set=flat(there))))
        rest = changes.filter(pc.invert(pc.is_in(changes["key"], value_set=never)))
        sent = Post(self._context.session, self._context.name, self.inbox, self._own).send(rest, sending)
        return pa.concat_tables([sent, results((key, applied(None)) for key in never.to_pylist())])

    def read_back(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        """By external reference."""
        found = self.held.read(self._context, definition, wanted)
        return self.collapse(definition, found.drop_columns(["native"])).append_column("native", found["native"])

    def census(self) -> Iterator[pa.Table]:
        """By external reference."""
        cancelled = sql.SQL("status = 'Cancelled'")
        return counted(self._context.session, self.held.relation, self.held.number, cancelled)

    def _own(self, changes: pa.Table) -> Columns:
        """What of a request is filled in a way of its own: which document, whose books, whose customer."""
        companies = {entity.code: entity.company for entity in entities_in(self._context.name)}
        codes = changes["legal_entity"].to_pylist()
        return {
            self.held.number: changes["native"],
            "company": pa.array([companies.get(code) for code in codes], pa.string()),
            "customer_number": changes["customer__native"],
            "customer_ref": changes["customer"],
        }
