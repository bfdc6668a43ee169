"""Reading whole roots: those that changed, those whose parts changed, each with all of its parts.

1. Roots modified in the window.
2. Parts modified in the window name the other roots that count as changed. A deleted part still names its root; one
   that moved to another root names only the new one.
3. The parts of all these roots, whenever they were modified.

Step 3 comes last and asks by root, so a root that is modified meanwhile never loses its parts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from accord.errors import SchemaDrift
from accord.objects.definition import BusinessObject, FieldType
from accord.ports import Selection, Sink
from accord.systems.salesforce.bulk_query import bulk_pages
from accord.systems.salesforce.client import LONGEST_URL, Client
from accord.systems.salesforce.describe import demand, describe, retyped, unreadable
from accord.systems.salesforce.lacking import places
from accord.systems.salesforce.mapping import STAMP, Child, Reading, parts_of
from accord.systems.salesforce.rest_query import count, rest_pages
from accord.systems.salesforce.soql import Select, by_lists, compare, within

log = logging.getLogger("accord.salesforce")

_ROOM = 1_000  # bytes of the longest URL left for host, path and the locator
# Above this many records named by id the whole object is read and sorted out here: a list takes one request for about
# 400 ids, and the org's requests are shared with everybody.
_LISTED = 20_000

Columns = Mapping[str, pa.DataType]


def extract(client: Client, definition: BusinessObject, reading: Reading, selection: Selection, sink: Sink) -> datetime:
    """Write the selected roots and their parts to `sink`; returns the instant the read began, on the org's clock."""
    staged = parts_of(reading, definition)[reading.sobject]
    reading = reading.without(selection.without)
    parts = parts_of(reading, definition)
    described = [describe(client, sobject) for sobject in parts]
    demand([name for d in described for name in unreadable(client, d, parts[d.sobject])], "read")
    kinds: dict[str, dict[str, FieldType]] = {}
    for _, (sobject, column, kind) in places(reading, definition):
        kinds.setdefault(sobject, {})[column] = kind
    if changed := [name for d in described for name in retyped(d, kinds.get(d.sobject, {}))]:
        raise SchemaDrift(
            f"Salesforce has changed the type of {', '.join(changed)}.", cure="Change it back, or change the mapping."
        )
    read = _Read(client, reading, parts, staged, selection, sink)
    read.roots()
    for child in reading.children:
        read.parts_of_roots(child)
    log.info("Read %d %s records; requests used today: %s.", read.rows, reading.sobject, client.usage)
    return min(d.at for d in described)


class _Read:
    """One extraction: what was selected, and the roots seen so far."""

    def __init__(
        self,
        client: Client,
        reading: Reading,
        parts: Mapping[str, Columns],
        staged: Columns,
        selection: Selection,
        sink: Sink,
    ) -> None:
        self._client, self._reading, self._parts, self._selection, self._sink = client, reading, parts, selection, sink
        self._staged = staged  # the root's columns, those that are left out too
        self._window = within(STAMP, selection.since, selection.until) if selection.natives is None else ()
        self._seen: list[pa.Array] = []
        self.rows = 0

    def roots(self) -> None:
        """Steps 1 and 2."""
        sobject = self._reading.sobject
        if self._selection.natives is not None:
            natives = pa.array(dict.fromkeys(self._selection.natives), pa.string())
            self._sink.expect(len(natives))
            self._write_roots(self._by_ids(sobject, "Id", natives))
            return
        select = self._select(sobject).also(*self._window)
        expected = count(self._client, select)
        named = self._roots_of_changed_parts()
        self._sink.expect(expected + len(named))
        self._write_roots(self._pages(select, self._parts[sobject], expected))
        others = named.filter(pc.invert(pc.is_in(named, value_set=self._ids())))
        self._write_roots(self._by_ids(sobject, "Id", others))

    def parts_of_roots(self, child: Child) -> None:
        """Step 3."""
        for table in self._by_ids(child.sobject, child.parent, self._ids()):
            self._sink.write(child.sobject, table, child.parent)

    def _roots_of_changed_parts(self) -> pa.Array:
        """Ids of roots with a part modified in the window; none are asked for when all roots are read anyway."""
        found = [pa.array([], pa.string())]
        for child in self._reading.children if self._window else ():
            select = Select(
                sobject=child.sobject, columns=(child.parent,), where=(*self._window, compare(child.parent, "!=", None))
            )
            pages = self._pages(select, {child.parent: pa.string()}, count(self._client, select))
            found += [pc.unique(table[child.parent]) for table in pages]
        return pc.unique(pa.concat_arrays(found))

    def _by_ids(self, sobject: str, column: str, ids: pa.Array) -> Iterator[pa.Table]:
        """Rows of `sobject` whose `column` is one of `ids`."""
        columns, select = self._parts[sobject], self._select(sobject)
        if len(ids) <= _LISTED:
            for listed in by_lists(select, column, ids.to_pylist(), limit=LONGEST_URL - _ROOM):
                yield from rest_pages(self._client, listed, columns)
            return
        for table in bulk_pages(self._client, select.also(compare(column, "!=", None)), columns):
            wanted = table.filter(pc.is_in(table[column], value_set=ids))
            if wanted.num_rows:
                yield wanted

    def _pages(self, select: Select, columns: Columns, expected: int) -> Iterator[pa.Table]:
        if expected > self._client.options.bulk_threshold:
            return bulk_pages(self._client, select, columns)
        return rest_pages(self._client, select, columns)

    def _select(self, sobject: str) -> Select:
        return Select(sobject=sobject, columns=tuple(self._parts[sobject]))

    def _write_roots(self, tables: Iterator[pa.Table]) -> None:
        for table in tables:
            self._seen.append(pc.unique(table["Id"]))
            self.rows += table.num_rows
            for name, kind in self._staged.items():
                if name not in table.column_names:
                    table = table.append_column(name, pa.nulls(table.num_rows, kind))
            self._sink.write(self._reading.sobject, table.select(list(self._staged)), "Id")

    def _ids(self) -> pa.Array:
        return pc.unique(pa.concat_arrays([pa.array([], pa.string()), *self._seen]))
