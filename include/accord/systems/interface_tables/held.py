"""What the ERP holds of documents that were sent to it: one row each, one per line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from accord.objects.definition import BusinessObject
from accord.records import conform, part_type
from accord.routing import entities_in
from accord.systems.collapsing import flat
from accord.systems.converting import Converter
from accord.systems.interface_tables.context import Context
from accord.systems.interface_tables.contract import Needs
from accord.systems.nesting import nested

_AT_ONCE = 20_000  # documents in one query
_ROWS = sql.SQL(
    "SELECT {columns} FROM unnest(%s::text[], %s::text[]) AS w (key, native) "
    "JOIN {relation} o ON o.external_ref = w.key OR (o.external_ref IS NULL AND o.{number} = w.native)"
)
_LINES = sql.SQL("SELECT {columns} FROM {relation} WHERE {number} = ANY (%s) AND NOT cancelled ORDER BY line_number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Where documents are shown: `relation` and `lines`, both with the column `number` that names a document. `fields` and
    `line_fields` are canonical field → column. `within_company` are fields whose reference is named by the company too.

    The relation has a `status`, Cancelled of one that is void, the `company`, and the customer's number and reference.
    """

    relation: str
    lines: str
    number: str
    fields: Mapping[str, str]
    line_fields: Mapping[str, str]
    within_company: frozenset[str] = frozenset()

    @property
    def needs(self) -> Needs:
        """What must be there, for `accord doctor`."""
        shown = (self.number, "external_ref", "customer_number", "customer_ref", "company", "status")
        return {
            self.relation: tuple(dict.fromkeys((*shown, *self.fields.values()))),
            self.lines: (self.number, "cancelled", *self.line_fields.values()),
        }

    def read(self, context: Context, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        """What is there of `wanted` (columns key, native), by external reference, as a canonical table with `native`; not collapsed."""
        found = [
            self._some(context, definition, wanted.slice(n, _AT_ONCE)) for n in range(0, max(len(wanted), 1), _AT_ONCE)
        ]
        return pa.concat_tables(found)

    def _some(self, context: Context, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
        system, session = context.name, context.session
        names = tuple(
            dict.fromkeys((self.number, "status", "company", "customer_number", "customer_ref", *self.fields.values()))
        )
        columns = [sql.SQL("w.key"), *(sql.Identifier("o", name) for name in names)]
        number = sql.Identifier(self.number)
        query = _ROWS.format(
            columns=sql.SQL(", ").join(columns), relation=sql.Identifier(*self.relation.split(".")), number=number
        )
        asked = [wanted["key"].to_pylist(), wanted["native"].to_pylist()]
        parts = (self.number, *self.line_fields.values())
        lines = _LINES.format(
            columns=sql.SQL(", ").join(map(sql.Identifier, parts)),
            relation=sql.Identifier(*self.lines.split(".")),
            number=number,
        )
        with session.transaction() as cursor:
            rows = session.read(cursor, query, asked, ("key", *names))
            natives = flat(rows[self.number])
            found = session.read(cursor, lines, [natives.to_pylist()], (self.number, *self.line_fields))
        entities = {entity.company: entity.code for entity in entities_in(system)}
        codes = pa.array([entities.get(company) for company in rows["company"].to_pylist()], pa.string())
        texts = {name: flat(rows[column]) for name, column in self.fields.items()}
        texts |= {name: pc.binary_join_element_wise(codes, texts[name], "/") for name in self.within_company}
        texts |= {
            "legal_entity": codes,
            "customer": pc.coalesce(flat(rows["customer_ref"]), flat(rows["customer_number"])),
        }
        convert = Converter(system, rows.num_rows)
        out = {name: convert.field(name, definition.field(name).type, text) for name, text in texts.items()}
        kinds = {field.name: field.type for field in definition.constituent("lines").fields}
        check = Converter(system, found.num_rows)
        values = {
            name: check.field(
                name, kind, found[name] if name in self.line_fields else pa.nulls(found.num_rows, pa.string())
            )
            for name, kind in kinds.items()
        }
        of_lines = pa.table({**values, self.number: found[self.number]})
        out |= {
            "key": flat(rows["key"]),
            "gone": pc.equal(flat(rows["status"]), "Cancelled"),
            "lines": nested(natives, of_lines, part_type(definition.constituent("lines")), root=self.number),
        }
        return conform(definition, pa.table(out)).append_column("native", natives)
