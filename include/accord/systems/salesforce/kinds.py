"""An object whose records are kept in several Salesforce objects: an id's first characters tell which."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import BusinessObject
from accord.systems.collapsing import flat
from accord.systems.salesforce.mapping import Writing
from accord.systems.salesforce.mappings import READINGS


def by_kind(writing: Writing, changes: pa.Table) -> Iterator[tuple[Writing, pa.Table]]:
    """How the records of `changes` are written, by the kind their `native` is of; at least one pair."""
    rest = changes
    for prefix, other in writing.instead.items():
        of_it = pc.fill_null(pc.starts_with(flat(rest["native"]), prefix), False)
        if pc.any(of_it).as_py():
            yield other, rest.filter(of_it)
            rest = rest.filter(pc.invert(of_it))
    if len(rest) or not len(changes):
        yield writing, rest


def own_lookups(definition: BusinessObject, changes: pa.Table) -> pa.Table:
    """`changes` without the Ids of records a lookup can't name: it leads to one Salesforce object, the one of the first reading."""
    for path, kind in definition.references():
        readings, column = READINGS.get(kind.object, ()), f"{path}__native"
        if len(readings) > 1 and column in changes.column_names:
            natives = flat(changes[column])
            fitting = pc.if_else(pc.starts_with(natives, readings[0].prefix), natives, pa.scalar(None, pa.string()))
            changes = changes.set_column(changes.column_names.index(column), column, fitting)
    return changes
