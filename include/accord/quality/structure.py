"""Rules that follow from a definition or from what a source promises: nobody writes them by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from accord.batch import RECORDS
from accord.categories import Category, Queue
from accord.objects.definition import (
    BusinessObject,
    Choice,
    ChoiceSet,
    Constituent,
    Field,
    Money,
    Number,
    Owner,
    Reference,
    Text,
    Whole,
)
from accord.quality.comparing import all_within, pairs_differ, versions_differ
from accord.quality.rule import (
    ANY,
    BETWEEN,
    HAS_COLUMNS,
    IN_SET,
    LENGTHS,
    NOT_NULL,
    REPEATED,
    ROOT,
    ROW,
    ROW_COUNT,
    Rule,
    Scope,
    Usual,
)
from accord.records import schema_of

CANONICAL_ID = r"^[^:\s]+:\S.*$"  # <origin system>:<native id>
NATIVE_ID = r"^\S+$"
DROP = Usual(share=0.5)  # fewer than half of the usual records is a sudden drop


def kind(column: pa.DataType) -> str:
    """The kind of a type, blind to widths and units: a source may stage text as large text, or time in milliseconds."""
    if pa.types.is_dictionary(column):
        return kind(column.value_type)
    for test, name in (
        (pa.types.is_string, "text"),
        (pa.types.is_large_string, "text"),
        (pa.types.is_boolean, "flag"),
        (pa.types.is_integer, "whole"),
        (pa.types.is_decimal, "decimal"),
        (pa.types.is_floating, "float"),
        (pa.types.is_date, "day"),
        (pa.types.is_timestamp, "instant"),
    ):
        if test(column):
            return name
    if pa.types.is_list(column) or pa.types.is_large_list(column):
        return "parts" if pa.types.is_struct(column.value_type) else f"list of {kind(column.value_type)}"
    return str(column)


def columns_rule(part: str, columns: Mapping[str, pa.DataType]) -> Rule:
    """`part` has `columns`, each of its kind; more are welcome."""
    return Rule(
        name=f"{part}.columns",
        part=part,
        title=f"{part} has the columns it must have",
        finding=f"{part} lacks a column, or a column is of another kind",
        consequence="Nothing of the batch can be trusted: nothing is written until the mapping or the system is mended.",
        category=Category.DRIFT,
        needs=(),
        expectation=HAS_COLUMNS,
        arguments={"column_set": [f"{name}: {kind(type_)}" for name, type_ in columns.items()], "exact_match": False},
        scope=Scope.STRUCTURE,
        threshold=ANY,
        gone_too=True,
    )


def source_rules(required: Mapping[str, Mapping[str, pa.DataType]]) -> Iterator[Rule]:
    """Rules of a staged batch: the columns a source promises, its root ids, and the instants it needs to tell new from old.

    Args:
        required: part → column → type, as `Source.required_columns` gives them.
    """
    for part, columns in required.items():
        yield columns_rule(part, {ROOT: pa.string(), **columns})
        yield from _identified(ROOT, part, f"{part}.{ROOT}", NATIVE_ID)
        for name, type_ in columns.items():
            if pa.types.is_timestamp(type_):
                yield _filled(
                    f"{part}.{name}.required", part, name, f"{part} {name}", gone_too=True, owner=Queue.INTEGRATION
                )


def canonical_rules(definition: BusinessObject) -> Iterator[Rule]:
    """Rules of a canonical batch: identity, conversion, and what every field of `definition` declares."""
    yield columns_rule(RECORDS, {field.name: field.type for field in schema_of(definition)})
    yield from _identified("key", RECORDS, "key", CANONICAL_ID)
    yield _filled("version.required", RECORDS, "version", "version", gone_too=True, owner=Queue.INTEGRATION)
    yield _unique("key.unique", RECORDS, "no key comes twice in the same version", "the key comes twice in the same version",
                  (REPEATED, "key", "version"), versions_differ, gone_too=True)  # fmt: skip
    yield Rule(
        name="conversion",
        title="every value could be converted",
        finding="a value could not be converted",
        consequence="The record would reach the other side incomplete; it is held back.",
        category=Category.INVALID_VALUE,
        needs=("problems",),
        holds=lambda table: pc.equal(pc.fill_null(pc.list_value_length(table["problems"]), 0), 0),
        detail="problems",
        owner=_mender(*definition.fields),
    )
    for field in definition.fields:
        yield from _field_rules(field, RECORDS, field.name)
    for constituent in definition.constituents:
        yield _parts_differ(constituent)
        for field in constituent.fields:
            yield from _field_rules(field, constituent.name, f"{constituent.name}.{field.name}")
    yield Rule(
        name="count",
        title="about as many records as usual",
        finding="far fewer records than in earlier runs",
        consequence="The extraction probably missed records: nothing is written until that is explained.",
        category=Category.DRIFT,
        needs=("key",),
        expectation=ROW_COUNT,
        scope=Scope.BATCH,
        gone_too=True,
        threshold=ANY,
        usual=DROP,
    )


def _field_rules(field: Field, part: str, path: str) -> Iterator[Rule]:
    label = path.replace("_", " ").replace(".", ": ")
    owner = _mender(field)
    column = {"column": field.name}
    if field.required:
        yield _filled(f"{path}.required", part, field.name, label, path=path, owner=owner)

    base = Rule(
        name=path,
        part=part,
        title=label,
        finding=label,
        consequence="The other side would refuse the record, or keep something else than it says; it is held back.",
        category=Category.INVALID_VALUE,
        needs=(field.name,),
        path=path,
        owner=owner,
    )

    def rule(check: str, title: str, finding: str, **changes: Any) -> Rule:
        return replace(base, name=f"{path}.{check}", title=f"{label} {title}", finding=f"{label} {finding}", **changes)

    match field.type:
        case Text(limit=limit, pattern=pattern):
            yield rule("length", f"has at most {limit} characters", f"is longer than {limit} characters", category=Category.TOO_LONG,
                       expectation=LENGTHS, arguments={**column, "max_value": limit})  # fmt: skip
            if field.required:
                yield rule("filled", "is not blank", "is blank", category=Category.MISSING_VALUE,
                           holds=lambda table: pc.match_substring_regex(table[field.name], r"\S"))  # fmt: skip
            if pattern:
                yield rule("pattern", "is written as it must be", "is not written as it must be",
                           holds=lambda table: pc.match_substring_regex(table[field.name], pattern))  # fmt: skip
        case Choice(values=values):
            yield rule("vocabulary", "is a known code", "is not a known code",
                       expectation=IN_SET, arguments={**column, "value_set": list(values)})  # fmt: skip
        case ChoiceSet(values=values):
            yield rule("vocabulary", "holds known codes only", "holds an unknown code",
                       holds=lambda table: all_within(table[field.name], values))  # fmt: skip
        case Whole(least=least, most=most) if least is not None or most is not None:
            yield rule("range", "is within its range", "is out of its range",
                       expectation=BETWEEN, arguments={**column, "min_value": least, "max_value": most})  # fmt: skip
        case Money(digits=digits, scale=scale, currency=currency):
            bound = 10 ** (digits - scale)
            yield rule("digits", f"has at most {digits - scale} digits before the point", "has too many digits",
                       holds=lambda table: pc.less(pc.abs(table[field.name]), pa.scalar(bound)))  # fmt: skip
            if part == RECORDS:  # a part's amounts are in its record's currency
                yield rule("currency", "comes with its currency", "has no currency", category=Category.MISSING_VALUE,
                           needs=(field.name, currency),
                           holds=lambda table: pc.or_(pc.is_null(table[field.name]), pc.is_valid(table[currency])))  # fmt: skip
        case Number(digits=digits, scale=scale):
            most_of_it = 10 ** (digits - scale)
            yield rule("digits", f"has at most {digits - scale} digits before the point", "has too many digits",
                       holds=lambda table: pc.less(pc.abs(table[field.name]), pa.scalar(most_of_it)))  # fmt: skip
        case Reference():
            yield rule("reference", "is a canonical id", "is not a canonical id", category=Category.REFERENCE_UNKNOWN,
                       holds=lambda table: pc.match_substring_regex(table[field.name], CANONICAL_ID))  # fmt: skip


def _mender(*fields: Field) -> Queue | None:
    """Finance for what only the ERP owns, as sales can't mend it; else whose queue the category says."""
    return Queue.FINANCE if all(field.owner is Owner.ERP for field in fields) else None


def _identified(column: str, part: str, name: str, pattern: str) -> Iterator[Rule]:
    """A record without an id can't even be quarantined: it stops the batch."""
    missing = Rule(
        name=f"{name}.required",
        part=part,
        title="every record has its id",
        finding="the id is missing",
        consequence="A record nobody can name can't be written, held back or found again: the batch stops.",
        category=Category.MISSING_VALUE,
        needs=(column,),
        expectation=NOT_NULL,
        arguments={"column": column},
        threshold=ANY,
        gone_too=True,
        owner=Queue.INTEGRATION,
    )
    yield missing
    yield replace(
        missing,
        name=f"{name}.wellformed",
        title="every id is well-formed",
        finding="the id is not well-formed",
        category=Category.INVALID_VALUE,
        expectation=IN_SET,
        holds=lambda table: pc.match_substring_regex(table[column], pattern),
    )


def _filled(
    name: str, part: str, column: str, label: str, *, gone_too: bool = False, path: str = "", owner: Queue | None = None
) -> Rule:
    return Rule(name=name, part=part, title=f"{label} is filled in", finding=f"{label} is missing",
                consequence="The other side needs it; the record is held back until it is there.", category=Category.MISSING_VALUE,
                needs=(column,), expectation=NOT_NULL, arguments={"column": column}, gone_too=gone_too, path=path, owner=owner)  # fmt: skip


def _parts_differ(constituent: Constituent) -> Rule:
    label = f"{constituent.name}: {constituent.key}"
    return _unique(f"{constituent.name}.unique", constituent.name, f"{label} is unique within its record",
                   f"{label} comes twice in the same record", (ROW, constituent.key),
                   lambda table: pairs_differ(table[ROW], table[constituent.key]))  # fmt: skip


def _unique(name: str, part: str, title: str, finding: str, needs: tuple[str, ...], holds: Callable[[pa.Table], pa.Array],
            *, gone_too: bool = False) -> Rule:  # fmt: skip
    consequence = "Nobody can tell which of the two is right; neither is written."
    return Rule(name=name, part=part, title=title, finding=finding, consequence=consequence, category=Category.DUPLICATE_KEY,
                needs=needs, holds=holds, gone_too=gone_too)  # fmt: skip
