"""Orders as a target."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from accord.objects.definition import BusinessObject
from accord.ports import Safety, Sending
from accord.records import conform, part_type
from accord.routing import entities_of
from accord.systems.collapsing import collapse_text, flat
from accord.systems.converting import Converter
from accord.systems.erp import TargetHandler
from accord.systems.interface_tables.census import counted
from accord.systems.interface_tables.context import Context
from accord.systems.interface_tables.order.mapping import (
    HELD,
    HELD_LINE,
    INBOX,
    KEEPS,
    LINE_NOT_KEPT,
    LINES,
    NEEDS,
    ORDERS,
    PLACES,
)
from accord.systems.interface_tables.sending import Columns, Post
from accord.systems.nesting import nested
from accord.systems.order_lines import live_lines
from accord.systems.results import applied, results

_AT_ONCE = 20_000  # orders in one query
_HELD = sql.SQL(
    "SELECT {columns} FROM unnest(%s::text[], %s::text[]) AS w (key, native) "
    "JOIN {orders} o ON o.external_ref = w.key OR (o.external_ref IS NULL AND o.order_number = w.native)"
)
_LINES = sql.SQL("SELECT {columns} FROM {lines} WHERE order_number = ANY (%s) AND NOT cancelled ORDER BY line_number")


class Orders(TargetHandler[Context]):
    """Orders of the ERP, one for each order of Salesforce."""

    safety = Safety.ENFORCED_KEY  # external_ref is unique
    keeps = KEEPS
    places = PLACES
    needs = NEEDS

    def collapse(self, definition: BusinessObject, table: pa.Table) -> pa.Table:
        """What the ERP can't tell apart: blanks around text, empty and null; what it has no place for."""
        table = collapse_text(definition, table)
        lines = live_lines(flat(table["lines"]), LINE_NOT_KEPT)
        return table.set_column(table.column_names.index("lines"), "lines", lines)

    def send(self, definition: BusinessObject, changes: pa.Table, sending: Sending) -> pa.Table:
        """One batch. The lines sent are the whole set: what is cancelled is left out. What is gone and was never there needs nothing."""
        doubtful = changes.filter(pc.and_(pc.fill_null(changes["gone"], False), pc.is_null(changes["native"])))
        never = pa.nulls(0, pa.string())
        if doubtful.num_rows:
            there = self.read_back(definition, doubtful.select(["key", "native"]))["key"]
            keys = flat(doubtful["key"])
            never = keys.filter(pc.invert(pc.is_in(keys, value_set=flat(there))))
        rest = changes.filter(pc.invert(pc.is_in(changes["key"], value_set=never)))
        sent = Post(self._context.session, self._context.name, INBOX, self._own).send(rest, sending)
        return pa.concat_tables([sent, results((key, applied(None)) for key in never.to_pylist())])

    def read_back(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        """By external reference."""
        found = [self._held(definition, wanted.slice(n, _AT_ONCE)) for n in range(0, max(len(wanted), 1), _AT_ONCE)]
        return pa.concat_tables(found)

    def census(self) -> Iterator[pa.Table]:
        """By external reference."""
        return counted(self._context.session, ORDERS, "order_number", sql.SQL("status = 'Cancelled'"))

    def _own(self, changes: pa.Table) -> Columns:
        companies = {entity.code: entity.company for entity in entities_of(self._context.name)}
        codes = changes["legal_entity"].to_pylist()
        lists = changes["price_list__native"].to_pylist()
        return {
            "order_number": changes["native"],
            "company": pa.array([companies.get(code) for code in codes], pa.string()),
            "customer_number": changes["customer__native"],
            "customer_ref": changes["customer"],
            # a list's native id names its legal entity too
            "price_list": pa.array([one.rpartition("/")[2] if one else None for one in lists], pa.string()),
        }

    def _held(self, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        system, session = self._context.name, self._context.session
        names = ("order_number", "status", "customer_number", *HELD.values())
        columns = [sql.SQL("w.key"), *(sql.Identifier("o", name) for name in names)]
        query = _HELD.format(columns=sql.SQL(", ").join(columns), orders=sql.Identifier(*ORDERS.split(".")))
        asked = [wanted["key"].to_pylist(), wanted["native"].to_pylist()]
        parts = ("order_number", *HELD_LINE.values())
        lines = _LINES.format(
            columns=sql.SQL(", ").join(map(sql.Identifier, parts)), lines=sql.Identifier(*LINES.split("."))
        )
        with session.transaction() as cursor:
            rows = session.read(cursor, query, asked, ("key", *names))
            natives = flat(rows["order_number"])
            found = session.read(cursor, lines, [natives.to_pylist()], ("order_number", *HELD_LINE))
        entities = {entity.company: entity.code for entity in entities_of(system)}
        codes = [entities.get(company) for company in rows["company"].to_pylist()]
        place = pc.binary_join_element_wise(pa.array(codes, pa.string()), flat(rows["price_list"]), "/")
        texts = {name: flat(rows[column]) for name, column in HELD.items()} | {
            "legal_entity": pa.array(codes, pa.string()),
            "price_list": place,
            "customer": pc.coalesce(flat(rows["customer_ref"]), flat(rows["customer_number"])),
        }
        convert = Converter(system, rows.num_rows)
        columns_out = {name: convert.field(name, definition.field(name).type, text) for name, text in texts.items()}
        kinds = {field.name: field.type for field in definition.constituent("lines").fields}
        check = Converter(system, found.num_rows)
        values = {
            name: check.field(name, kind, found[name]) if name in HELD_LINE else pa.nulls(found.num_rows, pa.string())
            for name, kind in kinds.items()
        }
        parts_out = pa.table({**values, "order_number": found["order_number"]})
        columns_out |= {
            "key": flat(rows["key"]),
            "gone": pc.equal(flat(rows["status"]), "Cancelled"),
            "lines": nested(natives, parts_out, part_type(definition.constituent("lines")), root="order_number"),
        }
        table = self.collapse(definition, conform(definition, pa.table(columns_out)))
        return table.append_column("native", natives)
