"""Reading whole roots: those that changed, those whose parts changed, each with all of its parts.

1. Roots modified in the window.
2. Parts modified in the window name the other roots that count as changed. A deleted part still names its root; one
   that moved to another root names only the new one.
3. Where records carry on others (an Order its Opportunity): what the roots found carry on, and what carries them on, so
   that both are always judged together.
4. The parts of all these roots, whenever they were modified.

Step 4 comes last and asks by root, so a root that is modified meanwhile never loses its parts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from accord.errors import SchemaDrift
from accord.objects.definition import BusinessObject
from accord.ports import Selection, Sink
from accord.systems.collapsing import flat
from accord.systems.salesforce.bulk_query import bulk_pages
from accord.systems.salesforce.client import LONGEST_URL, Client
from accord.systems.salesforce.describe import demand, describe, retyped, unreadable
from accord.systems.salesforce.id_set import IdSet
from accord.systems.salesforce.lacking import kinds_of
from accord.systems.salesforce.mapping import STAMP, Child, Reading, all_parts
from accord.systems.salesforce.rest_query import count, rest_pages
from accord.systems.salesforce.soql import Select, by_lists, compare, one_of, within

log = logging.getLogger("accord.salesforce")

_ROOM = 1_000  # bytes of the longest URL left for host, path and the locator
# Above this many records named by id the whole object is read and sorted out here: a list takes one request for about
# 400 ids, and the org's requests are shared with everybody.
_LISTED = 20_000
_NOBODY = pa.array([], pa.string())

Columns = Mapping[str, pa.DataType]
Readings = Sequence[Reading]


def extract(
    client: Client, definition: BusinessObject, readings: Readings, selection: Selection, sink: Sink
) -> datetime:
    """Write the selected roots and their parts to `sink`; returns the instant the read began, on the org's clock."""
    staged = all_parts(readings, definition)
    readings = [reading.without(selection.without) for reading in readings]
    parts = all_parts(readings, definition)
    described = [describe(client, sobject) for sobject in parts]
    demand([name for d in described for name in unreadable(client, d, parts[d.sobject])], "read")
    kinds = kinds_of(readings, definition)
    if changed := [name for d in described for name in retyped(d, kinds.get(d.sobject, {}))]:
        raise SchemaDrift(
            f"Salesforce has changed the type of {', '.join(changed)}.", cure="Change it back, or change the mapping."
        )
    read = _Read(client, readings, parts, staged, selection, sink)
    read.roots()
    read.what_belongs_together()
    for reading in readings:
        for child in reading.children:
            read.parts_of_roots(reading, child)
    log.info("Read %d %s records; requests used today: %s.", read.rows, definition.name, client.usage)
    return min(d.at for d in described)


def affected(client: Client, readings: Readings, natives: Sequence[str], selection: Selection) -> tuple[str, ...]:
    """Those of `natives` that show fields of a record that was modified in the window (an Order its Account's)."""
    found: dict[str, None] = {}
    for reading in (one.without(selection.without) for one in readings):
        own = [native for native in natives if native.startswith(reading.prefix)]
        for sobject, root, relationship in reading.lenders:
            select = Select(sobject=sobject, columns=(root,)).also(
                *within(f"{relationship}.{STAMP}", selection.since, selection.until)
            )
            for listed in by_lists(select, root, own, limit=LONGEST_URL - _ROOM):
                for table in rest_pages(client, listed, {root: pa.string()}):
                    found |= dict.fromkeys(table[root].to_pylist())
    return tuple(found)


class _Read:
    """One extraction: what was selected, and the roots seen so far, by Salesforce object."""

    def __init__(
        self,
        client: Client,
        readings: Readings,
        parts: Mapping[str, Columns],
        staged: Mapping[str, Columns],
        selection: Selection,
        sink: Sink,
    ) -> None:
        self._client, self._readings, self._parts, self._selection, self._sink = (
            client,
            readings,
            parts,
            selection,
            sink,
        )
        self._staged = staged  # the columns, those that are left out too
        self._window = within(STAMP, selection.since, selection.until) if selection.natives is None else ()
        self._seen = {reading.sobject: IdSet() for reading in readings}
        # (records that carry on others, the others): rows of both go together
        self._carried: list[tuple[pa.Array, pa.Array]] = [(_NOBODY, _NOBODY)]
        self.rows = 0

    def roots(self) -> None:
        """Steps 1 and 2."""
        if self._selection.natives is not None:
            natives = dict.fromkeys(self._selection.natives)
            self._sink.expect(len(natives))
            for reading in self._readings:
                own = pa.array([native for native in natives if native.startswith(reading.prefix)], pa.string())
                self._write_roots(reading, self._by_ids(self._select(reading.sobject), "Id", own))
            return
        selects = [self._selected(reading).also(*self._window) for reading in self._readings]
        expected = [count(self._client, select) for select in selects]
        named = [self._roots_of_changed_parts(reading) for reading in self._readings]
        self._sink.expect(sum(expected) + sum(map(len, named)))
        for reading, select, many, others in zip(self._readings, selects, expected, named, strict=True):
            self._write_roots(reading, self._pages(select, self._parts[reading.sobject], many))
            self._write_roots(
                reading, self._by_ids(self._selected(reading), "Id", others.without(self._seen[reading.sobject]))
            )

    def what_belongs_together(self) -> None:
        """Step 3."""
        for reading, other in zip(self._readings, self._readings[1:], strict=False):
            if reading.carries_on is None:
                continue
            origins = IdSet(origins for _, origins in self._carried)
            select = self._select(other.sobject)
            self._write_roots(other, self._by_ids(select, "Id", origins.without(self._seen[other.sobject])))
            if self._window or self._selection.natives is not None:  # else they were all read
                known = self._seen[reading.sobject].copy()
                tables = self._by_ids(self._select(reading.sobject), reading.carries_on, self._seen[other.sobject])
                self._write_roots(reading, (t.filter(pc.invert(known.among(t["Id"]))) for t in tables))

    def parts_of_roots(self, reading: Reading, child: Child) -> None:
        """Step 4."""
        for table in self._by_ids(self._select(child.sobject), child.parent, self._seen[reading.sobject]):
            self._sink.write(child.sobject, table, child.parent, self._beside(reading, table[child.parent]))

    def _roots_of_changed_parts(self, reading: Reading) -> IdSet:
        """Ids of roots with a part modified in the window; none are asked for when all roots are read anyway."""
        found = IdSet()
        for child in reading.children if self._window else ():
            select = Select(
                sobject=child.sobject, columns=(child.parent,), where=(*self._window, compare(child.parent, "!=", None))
            )
            pages = self._pages(select, {child.parent: pa.string()}, count(self._client, select))
            for table in pages:
                found.add(table[child.parent])
        return found

    def _by_ids(self, select: Select, column: str, ids: pa.Array | IdSet) -> Iterator[pa.Table]:
        """Rows of `select` whose `column` is one of `ids`."""
        columns = self._parts[select.sobject]
        if len(ids) <= _LISTED:
            for listed in by_lists(select, column, ids.to_pylist(), limit=LONGEST_URL - _ROOM):
                yield from rest_pages(self._client, listed, columns)
            return
        for table in bulk_pages(self._client, select.also(compare(column, "!=", None)), columns):
            known = ids.among(table[column]) if isinstance(ids, IdSet) else pc.is_in(table[column], value_set=ids)
            wanted = table.filter(known)
            if wanted.num_rows:
                yield wanted

    def _pages(self, select: Select, columns: Columns, expected: int) -> Iterator[pa.Table]:
        if expected > self._client.options.bulk_threshold:
            return bulk_pages(self._client, select, columns)
        return rest_pages(self._client, select, columns)

    def _select(self, sobject: str) -> Select:
        return Select(sobject=sobject, columns=tuple(self._parts[sobject]))

    def _selected(self, reading: Reading) -> Select:
        """What a window takes of the reading's roots."""
        select = self._select(reading.sobject)
        return select.also(one_of(*reading.only)) if reading.only else select

    def _write_roots(self, reading: Reading, tables: Iterator[pa.Table]) -> None:
        for table in tables:
            self._seen[reading.sobject].add(table["Id"])
            if reading.carries_on:
                carrying = table.filter(pc.is_valid(table[reading.carries_on]))
                self._carried.append((flat(carrying["Id"]), flat(carrying[reading.carries_on])))
            self.rows += table.num_rows
            for name, kind in (staged := self._staged[reading.sobject]).items():
                if name not in table.column_names:
                    table = table.append_column(name, pa.nulls(table.num_rows, kind))
            self._sink.write(reading.sobject, table.select(list(staged)), "Id", self._beside(reading, table["Id"]))

    def _beside(self, reading: Reading, roots: pa.ChunkedArray) -> pa.Array | None:
        """What each of `roots` carries on, else itself; None where no record carries on another."""
        if not reading.carries_on:
            return None
        carrying, origins = (pa.concat_arrays(column) for column in zip(*self._carried, strict=True))
        ids = flat(roots)
        return pc.coalesce(origins.take(pc.index_in(ids, value_set=carrying)), ids)
