"""From Salesforce's rows to canonical records, column by column."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from accord.objects.definition import BusinessObject, Choice, ChoiceSet, Constituent, Field, Reference, Text
from accord.records import INSTANT, arrow_type, conform, part_type
from accord.systems.collapsing import flat, trimmed
from accord.systems.salesforce.mapping import STAMP, Child, Group, Reading, parts_of

_TEXT = pa.string()
_UNKNOWN = "not a known code"


def to_canonical(
    name: str,
    definition: BusinessObject,
    reading: Reading,
    staged: Mapping[str, pa.Table],
    read_at: datetime,
) -> pa.Table:
    """The staged chunk of the system `name` as a canonical table with the column `problems`; one row per root row."""
    roots = staged[reading.sobject]
    problems: list[pa.Array] = []
    columns = {
        "key": _prefixed(name, flat(roots["Id"])),
        "read_at": pa.array([read_at] * len(roots), INSTANT),
        "gone": pc.fill_null(flat(roots["IsDeleted"]), False),
    }
    if reading.master:
        columns["merged_into"] = _prefixed(name, flat(roots[reading.master]))
    for field_name, column in reading.fields.items():
        field = definition.field(field_name)
        columns[field_name], problem = _converted(name, field, flat(roots[column]), field_name)
        problems += problem
    for group in reading.groups:
        columns[group.constituent], found = _grouped(name, definition.constituent(group.constituent), group, roots)
        problems += found
    stamps = [flat(roots[STAMP])]
    types = parts_of(reading, definition)
    for child in reading.children:
        rows = staged.get(child.sobject)
        if rows is None:  # no root of the chunk has one
            rows = pa.schema(list(types[child.sobject].items())).empty_table()
        constituent = definition.constituent(child.constituent)
        columns[child.constituent], found, stamp = _children(name, constituent, child, roots, rows)
        problems += found
        stamps.append(stamp)
    # Arrow compares no instants with a zone element by element, but their numbers
    columns["version"] = pc.max_element_wise(*(stamp.cast(pa.int64()) for stamp in stamps)).cast(INSTANT)
    return conform(definition, pa.table(columns)).append_column("problems", _lines(problems, len(roots)))


def _prefixed(name: str, ids: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(name, ids, ":")


def _converted(name: str, field: Field, column: pa.Array, path: str) -> tuple[pa.Array, list[pa.Array]]:
    """The column as the field's canonical type, and what could not be converted as columns of sentences."""
    match field.type:
        case Text():
            return trimmed(path, column), []
        case Reference():
            return _prefixed(name, trimmed(path, column)), []
        case Choice():
            text = trimmed(path, column)
            known = pc.is_in(text, value_set=pa.array(field.type.values, _TEXT))
            strange = pc.and_(pc.is_valid(text), pc.invert(known))
            return pc.if_else(known, text, pa.scalar(None, _TEXT)), [_problem(path, strange)]
        case ChoiceSet():
            return _choices(field.type, trimmed(path, column), path)
        case _:
            return column.cast(arrow_type(field.type)), []


def _choices(kind: ChoiceSet, column: pa.Array, path: str) -> tuple[pa.Array, list[pa.Array]]:
    """A multi-select picklist, "A;B", as a sorted list of the known ones. Few texts differ: each is looked at once."""
    coded = column.dictionary_encode()
    sets = [{part.strip() for part in text.split(";")} - {""} for text in coded.dictionary.to_pylist()]
    lists = pa.array([sorted(s & set(kind.values)) or None for s in sets], pa.list_(_TEXT))
    strange = pa.array([bool(s - set(kind.values)) for s in sets], pa.bool_())
    return lists.take(coded.indices), [_problem(path, strange.take(coded.indices))]


def _grouped(name: str, constituent: Constituent, group: Group, roots: pa.Table) -> tuple[pa.Array, list[pa.Array]]:
    """Parts from groups of columns: a part exists when any of its columns is filled."""
    structs, present, problems = [], [], []
    for key, places in group.parts.items():
        children = {constituent.key: pa.array([key] * len(roots), _TEXT)}
        for field in constituent.fields:
            if field.name != constituent.key:
                column = flat(roots[places[field.name]])
                children[field.name], found = _converted(name, field, column, f"{constituent.name}.{field.name}")
                problems += found
        filled = [pc.is_valid(trimmed("", flat(roots[column]))) for column in places.values()]
        present.append(np.logical_or.reduce([f.to_numpy(zero_copy_only=False) for f in filled]))
        structs.append(_struct(constituent, children))
    flags = np.column_stack(present)  # root × part
    rows, parts = np.nonzero(flags)
    values = pa.concat_arrays(structs).take(pa.array(parts * len(roots) + rows))
    return _list(constituent, flags.sum(axis=1), values), problems


def _children(
    name: str, constituent: Constituent, child: Child, roots: pa.Table, rows: pa.Table
) -> tuple[pa.Array, list[pa.Array], pa.Array]:
    """Live parts of each root in the order of their ids, what could not be converted, the newest stamp of any part."""
    newest = rows.group_by(child.parent).aggregate([(STAMP, "max")])
    place = pc.index_in(roots["Id"].combine_chunks(), value_set=flat(newest[child.parent]))
    stamp = flat(newest[f"{STAMP}_max"]).take(place)

    rows = rows.sort_by([(child.parent, "ascending"), ("Id", "ascending"), (STAMP, "descending")])
    twice = np.zeros(len(rows), dtype=bool)  # the same part read in two pages: the newest counts
    if len(rows) > 1:
        pairs = pc.binary_join_element_wise(flat(rows[child.parent]), flat(rows["Id"]), "/")
        twice[1:] = pc.equal(pairs[1:], pairs[:-1]).to_numpy(zero_copy_only=False)
    live = rows.filter(pa.array(~twice)).filter(pc.invert(pc.field("IsDeleted")))

    children, wrong = {}, []
    for field in constituent.fields:
        column = flat(live[child.fields[field.name]])
        if child.fields[field.name] == "Id":
            children[field.name] = _prefixed(name, column)
        else:
            children[field.name], found = _converted(name, field, column, f"{constituent.name}.{field.name}")
            wrong += found
    owners = flat(live[child.parent])
    counted = owners.value_counts()
    groups, sizes = counted.field("values"), counted.field("counts").to_numpy()
    starts = np.cumsum(sizes) - sizes  # sorted by parent, so groups come in order
    at = pc.index_in(roots["Id"].combine_chunks(), value_set=groups)
    has = pc.is_valid(at).to_numpy(zero_copy_only=False)
    index = pc.fill_null(at, 0).to_numpy()
    lengths = np.where(has, sizes[index], 0) if len(sizes) else np.zeros(len(roots), dtype=np.int64)
    first = np.where(has, starts[index], 0) if len(sizes) else np.zeros(len(roots), dtype=np.int64)
    taken = _ranges(first, lengths)
    values = _struct(constituent, children).take(pa.array(taken))
    problems = [_of_roots(column, taken, lengths) for column in wrong]
    return _list(constituent, lengths, values), problems, stamp


Whole = npt.NDArray[np.int64]


def _ranges(first: Whole, lengths: Whole) -> Whole:
    """first[0] … first[0]+lengths[0]-1, first[1] … as one array."""
    before = np.cumsum(lengths) - lengths
    return np.repeat(first - before, lengths) + np.arange(int(lengths.sum()))


def _of_roots(column: pa.Array, taken: Whole, lengths: Whole) -> pa.Array:
    """Sentences about parts as one sentence per root: the first of its parts that has one."""
    of = np.repeat(np.arange(len(lengths)), lengths)
    texts = column.take(pa.array(taken))
    found: list[str | None] = [None] * len(lengths)
    for at in np.flatnonzero(pc.is_valid(texts).to_numpy(zero_copy_only=False)):
        found[of[at]] = found[of[at]] or texts[int(at)].as_py()
    return pa.array(found, _TEXT)


def _struct(constituent: Constituent, children: Mapping[str, pa.Array]) -> pa.Array:
    kind = part_type(constituent).value_type
    return pa.StructArray.from_arrays([children[f.name] for f in constituent.fields], fields=list(kind))


def _list(constituent: Constituent, lengths: npt.NDArray[np.integer], values: pa.Array) -> pa.Array:
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values, type=part_type(constituent))


def _problem(path: str, wrong: pa.Array) -> pa.Array:
    return pc.if_else(pc.fill_null(wrong, False), pa.scalar(f"{path}: {_UNKNOWN}"), pa.scalar(None, _TEXT))


def _lines(problems: list[pa.Array], rows: int) -> pa.Array:
    """One list of sentences per row, empty where all is well."""
    found = [column.to_pylist() for column in problems if column.null_count < len(column)]
    lines = zip(*found, strict=True) if found else [()] * rows
    return pa.array([[line for line in row if line] for row in lines], pa.list_(_TEXT))
