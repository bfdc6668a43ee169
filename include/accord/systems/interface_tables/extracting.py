"""Reading an object: its records and their parts, by what changed when, as one moment shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from accord.objects.definition import BusinessObject, ChoiceSet, Day, Field, Instant
from accord.ports import Selection, Sink
from accord.routing import entities_in
from accord.systems import erp_rows
from accord.systems.collapsing import flat
from accord.systems.interface_tables.contract import Outbox
from accord.systems.interface_tables.session import Session

COMPANY, LEGAL_ENTITY = "company", "legal_entity"
_FOREVER = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
# how a column becomes the text accord.systems.erp_rows wants; every other type is what COPY writes
_INSTANT = sql.SQL("""to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""")
_DAY = sql.SQL("to_char({}, 'YYYY-MM-DD')")
_SET = sql.SQL("array_to_string({}, ';')")
Condition = tuple[sql.Composable, list[Any]]


class Extraction:
    """One reading of one object."""

    def __init__(
        self, session: Session, system: str, outbox: Outbox, definition: BusinessObject, not_read: frozenset[str]
    ) -> None:
        self._session, self._outbox, self._definition, self._not_read = session, outbox, definition, not_read
        self._companies = {entity.code: entity.company for entity in entities_in(system)}
        self._key = sql.SQL(", ").join(map(sql.Identifier, outbox.key))

    def run(self, selection: Selection, sink: Sink) -> datetime:
        """Write what is selected to `sink`; the instant the read began, by the ERP's clock."""
        with self._session.transaction() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # rows stream as fast as the sink takes them: no time-out fits
            cursor.execute("SELECT set_config('statement_timeout', '0', true)")
            began = cursor.execute("SELECT transaction_timestamp()").fetchone()
            read_at: datetime = began[0].astimezone(UTC) if began else datetime.now(UTC)
            condition = self._given(selection.natives) if selection.natives is not None else self._window(selection)
            sink.expect(len(selection.natives) if selection.natives is not None else self._count(cursor, selection))
            for rows in self._roots(cursor, condition):
                sink.write(self._definition.name, rows, "native")
            for name in self._outbox.parts:
                for rows in self._parts(cursor, name, condition):
                    sink.write(name, rows, "root")
        return read_at

    # ----------------------------------------------------------------------------------------------- which ones
    def _given(self, natives: Sequence[str]) -> Condition:
        """Records whose native ids are given."""
        split = [native.split("/", len(self._outbox.key) - 1) for native in natives]
        wanted = [parts for parts in split if len(parts) == len(self._outbox.key)]
        values = [
            [self._companies.get(parts[place]) if name == COMPANY else parts[place] for parts in wanted]
            for place, name in enumerate(self._outbox.key)
        ]
        arrays = sql.SQL(", ").join([sql.SQL("%s::text[]")] * len(values))
        return sql.SQL("WHERE ({}) IN (SELECT * FROM unnest({}))").format(self._key, arrays), values

    def _window(self, selection: Selection) -> Condition:
        """Records that changed last in the window: one of their changes did, and none came after it."""
        ours, parameters = self._ours()
        bounds = _bounds(selection)
        if not bounds:
            return sql.SQL("WHERE {}").format(ours), parameters
        text = sql.SQL(
            "WHERE ({key}) IN (SELECT {key} FROM {changes} WHERE {ours} AND changed_at >= %s AND changed_at < %s) "
            "AND changed_at >= %s AND changed_at < %s"
        ).format(key=self._key, changes=_relation(self._outbox.changes), ours=ours)
        return text, [*parameters, *bounds, *bounds]

    def _ours(self) -> Condition:
        if COMPANY not in self._outbox.key:
            return sql.SQL("num_nulls({}) = 0").format(self._key), []  # what has no key is none of ours
        return sql.SQL("{} = ANY (%s)").format(sql.Identifier(COMPANY)), [list(self._companies.values())]

    def _count(self, cursor: psycopg.Cursor[Any], selection: Selection) -> int:
        ours, parameters = self._ours()
        bounds = _bounds(selection)
        if bounds:
            # not of a SELECT DISTINCT: side by side, PostgreSQL 15 may take minutes to put a million together from its workers
            query = sql.SQL(
                "SELECT count(DISTINCT ({key})) FROM {changes} WHERE {ours} AND changed_at >= %s AND changed_at < %s"
            ).format(key=self._key, changes=_relation(self._outbox.changes), ours=ours)
        else:
            query = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(_relation(self._outbox.relation), ours)
        counted = cursor.execute(query, [*parameters, *bounds]).fetchone()
        return int(counted[0]) if counted else 0

    # ----------------------------------------------------------------------------------------------- their rows
    def _roots(self, cursor: psycopg.Cursor[Any], condition: Condition) -> Iterator[pa.Table]:
        columns: dict[str, sql.Composable] = {
            "modified": _INSTANT.format(sql.Identifier("changed_at")),
            "gone": sql.Identifier(self._outbox.gone) if self._outbox.gone else sql.SQL("'f'"),
        }
        columns |= {
            name: _as_text(self._definition.field(name), column) for name, column in self._outbox.fields.items()
        }
        where, parameters = condition
        names = erp_rows.columns(self._definition, self._not_read)[self._definition.name]
        for rows in self._read(cursor, self._outbox.relation, columns, where, parameters):
            table = rows.append_column("native", self._natives(rows))
            if LEGAL_ENTITY in names:
                table = table.append_column(LEGAL_ENTITY, self._entities(rows))
            table = self._with_companies(table, {name: name for name in self._outbox.fields})
            for name in names.keys() - set(table.column_names):  # left out of this reading
                table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
            yield table.select(list(names))

    def _parts(self, cursor: psycopg.Cursor[Any], name: str, condition: Condition) -> Iterator[pa.Table]:
        part, fields = self._outbox.parts[name], {f.name: f for f in self._definition.constituent(name).fields}
        columns = {field: _as_text(fields[field], column) for field, column in part.fields.items()}
        where, parameters = condition
        chosen = sql.SQL("WHERE ({key}) IN (SELECT {key} FROM {relation} {where})").format(
            key=self._key, relation=_relation(self._outbox.relation), where=where
        )
        for rows in self._read(cursor, part.relation, columns, chosen, parameters):
            table = self._with_companies(rows, {field: f"{name}.{field}" for field in part.fields})
            yield table.append_column("root", self._natives(rows)).select(["root", *fields])

    def _read(
        self,
        cursor: psycopg.Cursor[Any],
        relation: str,
        columns: dict[str, sql.Composable],
        where: sql.Composable,
        parameters: list[Any],
    ) -> Iterator[pa.Table]:
        """Tables with `columns` and the key's columns, those under "key." and their name."""
        wanted = [*map(sql.Identifier, self._outbox.key), *columns.values()]
        query = sql.SQL("SELECT {} FROM {} {}").format(sql.SQL(", ").join(wanted), _relation(relation), where)
        names = [*(f"key.{name}" for name in self._outbox.key), *columns]
        return self._session.stream(cursor, query, parameters, names)

    def _natives(self, rows: pa.Table) -> pa.Array:
        texts = [self._entities(rows) if name == COMPANY else flat(rows[f"key.{name}"]) for name in self._outbox.key]
        return pc.binary_join_element_wise(*texts, "/")

    def _with_companies(self, rows: pa.Table, paths: Mapping[str, str]) -> pa.Table:
        """`rows` with whole names of what is named by the company too; `paths` are column → dotted path."""
        for column, path in paths.items():
            if path in self._outbox.within_company:
                whole = pc.binary_join_element_wise(self._entities(rows), flat(rows[column]), "/")
                rows = rows.set_column(rows.column_names.index(column), column, whole)
        return rows

    def _entities(self, rows: pa.Table) -> pa.Array:
        """The legal entity of each row's company."""
        known = pa.array(list(self._companies.values()), pa.string())
        place = pc.index_in(flat(rows[f"key.{COMPANY}"]), value_set=known)
        return pa.array(list(self._companies), pa.string()).take(place)


def _bounds(selection: Selection) -> list[datetime]:
    """From when and until when; nothing where no time is excluded."""
    if not selection.since and not selection.until:
        return []
    return [selection.since or _FOREVER[0], selection.until or _FOREVER[1]]


def _relation(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))


def _as_text(field: Field, column: str) -> sql.Composable:
    match field.type:
        case Instant():
            return _INSTANT.format(sql.Identifier(column))
        case Day():
            return _DAY.format(sql.Identifier(column))
        case ChoiceSet():
            return _SET.format(sql.Identifier(column))
        case _:
            return sql.Identifier(column)
