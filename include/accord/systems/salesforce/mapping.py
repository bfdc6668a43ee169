"""The words in which a mapping is declared: where each canonical field lives in Salesforce.

A Reading says how an object is read, a Writing how it is written. The extraction list, the transform, the payloads and
the permission checks are derived from them and from the object's definition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa

from accord.objects.definition import BusinessObject, ChoiceSet, FieldType
from accord.records import INSTANT, arrow_type

STAMP = "SystemModstamp"  # moves on every change, the system's own included
SYSTEM_FIELDS: Mapping[str, pa.DataType] = {"Id": pa.string(), "IsDeleted": pa.bool_(), STAMP: INSTANT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A constituent kept as records of another Salesforce object; `parent` is their lookup to the root.

    `fields`: canonical field of the part → Salesforce field, or `Parent.Field` of the record referred to; `Id` becomes the
    part's canonical id. `always`: canonical flag → what it is of every part. `discounted`: (a price, a discount in percent
    that Salesforce has not taken off it yet).
    """

    constituent: str
    sobject: str
    parent: str
    fields: Mapping[str, str]
    always: Mapping[str, bool] = field(default_factory=dict)
    discounted: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A constituent kept in groups of columns of the root: key of the part → (canonical field → Salesforce field)."""

    constituent: str
    parts: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How an object is read. `fields`: canonical field → Salesforce field, or `Parent.Field` of the record referred to, whose
    changes are no changes of the object. `master` is the field that names the survivor of a merge.

    An object may be read from several Salesforce objects. `prefix` are then the first three characters of the ids (Object
    Reference, "Standard Field Record ID Prefix"); `carries_on` is the lookup from a record to the one of the next reading
    that it carries on. `words`: canonical field → what Salesforce's words mean in it, "" any other word. `only`: a window
    takes the records whose field has one of the values.
    """

    object: str
    sobject: str
    fields: Mapping[str, str]
    master: str | None = None
    children: tuple[Child, ...] = ()
    groups: tuple[Group, ...] = ()
    prefix: str = ""
    carries_on: str | None = None
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    only: tuple[str, tuple[str, ...]] | None = None

    @property
    def lenders(self) -> Iterator[tuple[str, str, str]]:
        """(Salesforce object, its field that names the root, relationship) of every record whose fields are read with the
        object's own."""
        own = (*self.fields.values(), *(c for g in self.groups for part in g.parts.values() for c in part.values()))
        for sobject, root, columns in (
            (self.sobject, "Id", own),
            *((child.sobject, child.parent, tuple(child.fields.values())) for child in self.children),
        ):
            for relationship in dict.fromkeys(column.rpartition(".")[0] for column in columns):
                if relationship:
                    yield sobject, root, relationship

    def without(self, names: frozenset[str]) -> Reading:
        """The same without these fields and constituents."""
        return replace(
            self,
            fields={name: column for name, column in self.fields.items() if name not in names},
            children=tuple(child for child in self.children if child.constituent not in names),
            groups=tuple(group for group in self.groups if group.constituent not in names),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildWriting:
    """A constituent written as records of another Salesforce object, as a full set: what is no longer sent is deleted.

    `parent` is their lookup or master-detail to the root; with `by_key` it is a text field that holds the root's key,
    where Salesforce allows no lookup to the root. `external_id` is the unique external id that holds `<root key>#<part
    key>`. Without one the parts are records of their own: the part's key is the canonical id of the record, which is
    only ever updated, and emptied when it is no longer sent. `inherited`: field of the root → field of the part's
    record that repeats it (a currency, a lookup).
    """

    constituent: str
    sobject: str
    parent: str
    fields: Mapping[str, str]
    external_id: str | None = None
    by_key: bool = False
    inherited: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardPrice:
    """A price needs an entry of the same product and currency in the standard price book before it can be created.

    Names of the canonical fields. Object Reference, "PricebookEntry": the standard price must be loaded first.
    """

    product: str
    price_list: str
    currency: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How an object is written.

    `external_id` is the unique external id that holds the canonical key. Without one nothing is ever created: the
    record is the one the reference `addressed_by` names, or the one whose Id is in the key. `identity` are fields
    Salesforce keeps unique together: a record that agrees in them is taken over instead of created. Fields the org lets
    nobody change after creation are written on create only. `gone` is what a record that is gone in the source looks
    like here, and none that is there; its parts stay. `decimals`: dotted path → digits after the point Salesforce
    keeps, where fewer than the field has. `instead`: how records are written whose ids begin so, where an object's records
    are kept in several Salesforce objects.
    """

    object: str
    sobject: str
    fields: Mapping[str, str]
    external_id: str | None = None
    addressed_by: str | None = None
    identity: tuple[str, ...] = ()
    children: tuple[ChildWriting, ...] = ()
    standard_price: StandardPrice | None = None
    gone: Mapping[str, bool | str | None] = field(default_factory=dict)
    decimals: Mapping[str, int] = field(default_factory=dict)
    instead: Mapping[str, Writing] = field(default_factory=dict)

    @property
    def kept(self) -> frozenset[str]:
        """Names of the canonical fields and constituents it has a place for."""
        return frozenset(self.fields) | {child.constituent for child in self.children}


def staged_type(kind: FieldType) -> pa.DataType:
    """The type a field of `kind` is staged in: Salesforce writes a set of choices as one text."""
    return pa.string() if isinstance(kind, ChoiceSet) else arrow_type(kind)


def parts_of(reading: Reading, definition: BusinessObject) -> dict[str, dict[str, pa.DataType]]:
    """Salesforce object → column → staged type, the root's first."""
    root = dict(SYSTEM_FIELDS)
    if reading.master:
        root[reading.master] = pa.string()
    if reading.carries_on:
        root[reading.carries_on] = pa.string()
    root |= {
        column: pa.string() if name in reading.words else staged_type(definition.field(name).type)
        for name, column in reading.fields.items()
    }
    for group in reading.groups:
        for columns in group.parts.values():
            root |= _typed(definition, group.constituent, columns)
    parts = {reading.sobject: root}
    for child in reading.children:
        columns = dict(SYSTEM_FIELDS) | {child.parent: pa.string()}
        parts[child.sobject] = columns | _typed(definition, child.constituent, child.fields)
    return parts


def all_parts(readings: Iterable[Reading], definition: BusinessObject) -> dict[str, dict[str, pa.DataType]]:
    """Salesforce object → column → staged type, over all readings of an object."""
    return {sobject: columns for one in readings for sobject, columns in parts_of(one, definition).items()}


def _typed(definition: BusinessObject, constituent: str, columns: Mapping[str, str]) -> dict[str, pa.DataType]:
    types = {f.name: staged_type(f.type) for f in definition.constituent(constituent).fields}
    return {column: types[name] for name, column in columns.items()}
