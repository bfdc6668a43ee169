"""Reading the ERP: what it holds of given customers, and customers that may be the same as given ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from accord.matching import normalized_code, normalized_name
from accord.objects.definition import BusinessObject
from accord.records import conform, part_type
from accord.systems.collapsing import collapse_text, flat
from accord.systems.erp import MATCHES
from accord.systems.interface_tables.customer.mapping import INBOX, PARTS
from accord.systems.interface_tables.session import Session
from accord.systems.nesting import nested

_AT_ONCE = 20_000  # identities in one query

# by the customer number where it is known, else by the external reference
_HELD = sql.SQL(
    "SELECT {columns} FROM unnest(%s::text[], %s::text[]) AS w (key, native) "
    "JOIN outbound.customer c ON c.customer_number = w.native "
    "UNION ALL "
    "SELECT {columns} FROM unnest(%s::text[]) AS w (key) JOIN outbound.customer c ON c.external_ref = w.key"
)
_PARTS = sql.SQL("SELECT {columns} FROM {table} WHERE customer_number = ANY (%s) ORDER BY {order}")

_BY_CODE = sql.SQL(
    "SELECT w.key, s.customer_number, NULL, NULL, NULL FROM unnest(%s::text[], %s::text[]) AS w (key, code) "
    "JOIN outbound.customer_search s ON s.search_code = w.code "
    "WHERE s.external_ref IS DISTINCT FROM w.key"
)
_BY_NAME = sql.SQL(
    "SELECT w.key, s.customer_number, w.name, s.name, s.tax_registration "
    "FROM unnest(%s::text[], %s::text[], %s::text[]) AS w (key, name, country) "
    "JOIN outbound.customer_search s ON s.search_name = w.name AND s.country = w.country "
    "WHERE s.external_ref IS DISTINCT FROM w.key"
)


def held_customers(session: Session, system: str, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
    """Canonical customers plus `native` for those of `wanted` (columns key, native) that are there."""
    found = [
        _held(session, system, definition, wanted.slice(first, _AT_ONCE))
        for first in range(0, max(wanted.num_rows, 1), _AT_ONCE)
    ]
    return pa.concat_tables(found)


def _held(session: Session, system: str, definition: BusinessObject, wanted: pa.Table) -> pa.Table:
    names = ("key", "native", "parent_ref", "parent_number", "active", *INBOX.fields.values())
    columns: list[sql.Composable] = [sql.SQL("w.key"), sql.SQL("c.customer_number")]
    columns += [sql.Identifier("c", name) for name in names[2:]]
    query = _HELD.format(columns=sql.SQL(", ").join(columns))
    known = pc.is_valid(wanted["native"])
    numbered, others = wanted.filter(known), wanted.filter(pc.invert(known))
    asked = [numbered["key"].to_pylist(), numbered["native"].to_pylist(), others["key"].to_pylist()]
    with session.transaction() as cursor:
        rows = session.read(cursor, query, asked, names)
        numbers = rows["native"].to_pylist()
        parts = {}
        for name, part in PARTS.items():
            wants = ("customer_number", *part.fields.values())
            statement = _PARTS.format(
                columns=sql.SQL(", ").join(map(sql.Identifier, wants)),
                table=sql.Identifier(*part.relation.split(".")),
                order=sql.SQL(", ").join(map(sql.Identifier, wants[:2])),
            )
            parts[name] = session.read(cursor, statement, [numbers], ("customer_number", *part.fields))
    foreign = pc.binary_join_element_wise(system, rows["parent_number"], ":")  # a parent that is only the ERP's
    columns_out = {
        "key": rows["key"],
        "gone": pc.equal(rows["active"], "f"),
        "parent": pc.coalesce(rows["parent_ref"], foreign),
        **{name: rows[column] for name, column in INBOX.fields.items()},
    }
    natives_out = flat(rows["native"])
    for name, table in parts.items():
        kind = part_type(definition.constituent(name))
        columns_out[name] = nested(natives_out, table, kind, root="customer_number")
    table = collapse_text(definition, conform(definition, pa.table(columns_out)))
    return table.append_column("native", natives_out)


def find_customers(session: Session, candidates: pa.Table) -> pa.Table:
    """MATCHES: customers of the ERP that may be the same as `candidates` (collapsed canonical rows).

    The same name in the same country is none where both have a tax registration and these differ.
    """
    found: list[dict[str, Any]] = []
    columns = ["key", "name", "country", "tax_registration"]
    for first in range(0, candidates.num_rows, _AT_ONCE):
        rows = candidates.select(columns).slice(first, _AT_ONCE).to_pylist()
        codes = {r["key"]: code for r in rows if (code := normalized_code(r["tax_registration"]))}
        names = [(r["key"], n, r["country"]) for r in rows if (n := normalized_name(r["name"])) and r["country"]]
        with session.transaction() as cursor:
            if codes:
                same = _suspects(session, cursor, _BY_CODE, list(codes.items()))
                found += [{"key": s["key"], "native": s["native"], "rule": "tax_registration"} for s in same]
            if names:
                # the index finds suspects; what counts as the same name is accord.matching's word
                found += [
                    {"key": s["key"], "native": s["native"], "rule": "name+country"}
                    for s in _suspects(session, cursor, _BY_NAME, names)
                    if normalized_name(s["name"]) == s["asked"]
                    and not _differ(codes.get(s["key"], ""), normalized_code(s["tax_registration"]))
                ]
    return pa.Table.from_pylist(found, schema=MATCHES)


def _suspects(session: Session, cursor: Any, query: sql.SQL, asked: Sequence[tuple[str, ...]]) -> list[dict[str, Any]]:
    parameters = [list(column) for column in zip(*asked, strict=True)]
    columns = ("key", "native", "asked", "name", "tax_registration")
    rows: list[dict[str, Any]] = session.read(cursor, query, parameters, columns).to_pylist()
    return rows


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and one != other
